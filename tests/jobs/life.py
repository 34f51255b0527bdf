"""The life of video jobs, as a state machine: what may happen in any order, and what holds at every moment.

The promises are those of `docs/reliability.md`, with their numbers.
"""

from collections import Counter
from collections.abc import Callable

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from adapter.database.engine import open_database
from adapter.database.tables import JOBS
from adapter.domain.executions import KEY_SECONDS, RETRY_SECONDS, RequestIdentity, RetryInfo
from adapter.domain.finished_work import FREE
from adapter.domain.job import JobState, VideoJob
from adapter.domain.media import MediaFormat
from adapter.domain.pieces import find_whole
from adapter.domain.stored_files import file_name, stem_of
from adapter.domain.usage_counts import UsageQuery
from adapter.errors import AdapterError, InvalidRequest, NotFound, StorageFailed
from adapter.jobs.store import OVER
from adapter.records.usage import SqlUsageStore
from adapter.records.usage_recorder import CountedWork
from tests.jobs.life_pictures import LifeOfPictures, edges, small_disturbances, which
from tests.jobs.life_world import (
    KEEP_SECONDS,
    OWNER,
    REPLAY_SECONDS,
    Died,
    Disturbance,
    End,
    Illness,
    Painting,
    Process,
    Submissions,
    World,
)

PROMPTS = ("waves", "a fox")
#: Two equal requests, whose clients both wait, and another one.
FIRST_PROMPTS = ("waves", "a fox", "waves")
#: Rounds after which every job is over, once Google is well again, and their distance in seconds.
LAST_ROUNDS, ROUND_SECONDS = 80, 61.0
#: States that a job does not leave towards an earlier one. A proof that nothing was charged leads back before these.
AFTER_SUBMISSION = (JobState.SUBMITTED, JobState.READY, JobState.COMPLETED, JobState.FAILED)
#: How a job may fail that Google executed. A client does not repeat it by itself.
GIVEN_UP = "google_gave_up"
PAID_FAILURES = {"upstream_submit_unknown", GIVEN_UP, "no_media_generated", "deadline_exceeded", "cancelled"}


class Known(msgspec.Struct, kw_only=True):
    """What clients know of a job."""

    prompt: str
    key: str | None
    #: As last seen in the database.
    seen: VideoJob
    #: Whether the database knows which connections wait for it. It names one process for each job. So it does not know
    #: after a repetition at another process, and after a request whose answer was lost.
    is_clean: bool = True
    #: Whether a client was given its id or its video.
    is_answered: bool = False
    received_at: float = 0.0
    is_deleted: bool = False
    is_cancelled: bool = False
    #: How often it had been charged when it was called off before it was sent.
    most_charges: int = 1


class LifeOfJobs(LifeOfPictures):
    """Clients, operators, processes and Google, in any order, beside pictures in the background."""

    jobs: Bundle[str] = Bundle("jobs")
    #: A mistake of the job store, in tests of this test.
    bug: Callable[[object], object] | None = None
    #: What counts the jobs that end.
    counted: type[CountedWork] = CountedWork

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Known] = {}
        #: The job that a key stands for, and when it began.
        self.keys: dict[str, tuple[str, float]] = {}

    @initialize(
        target=jobs, count=st.integers(1, 3), how=st.just(Submissions.TAKES) | st.sampled_from(list(Submissions))
    )
    def open(self, count: int, how: Submissions) -> MultipleResults[str]:
        """Open a new database. Some clients have come already, and wait."""
        self._run(self._open())
        self.world.google.submissions = how
        return multiple(*(self._asked(FIRST_PROMPTS[number]) for number in range(count)))

    def _asked(self, prompt: str) -> str:
        identity = RequestIdentity(owner=OWNER, route="/videos", content=f"1:{prompt}")
        new, outcome = self._run(self.world.ask(self.world.processes[0], identity, prompt))
        assert outcome.result() == new
        self._learn(new, identity, prompt)
        return new

    async def _open(self) -> None:
        database = await open_database(self._url())
        usage = type(self).counted()
        self.world = World(database, self._folder / "spool", type(self).bug, type(self).picture_bug, usage)

    # Clients

    @rule(
        target=jobs,
        number=which,
        prompt=st.sampled_from(PROMPTS),
        key=st.sampled_from([None, "k1", "k2"]),
        what=small_disturbances,
        edge=edges,
    )
    def ask(
        self, number: int, prompt: str, key: str | None, what: Disturbance | None, edge: int
    ) -> MultipleResults[str]:
        """Ask for a video."""
        return self._ask(number, prompt, RetryInfo(key=key), (what, edge))

    @rule(target=jobs, number=which, job_id=jobs, count=st.integers(0, 2), what=small_disturbances, edge=edges)
    def ask_again(
        self, number: int, job_id: str, count: int, what: Disturbance | None, edge: int
    ) -> MultipleResults[str]:
        """Ask for the same again, as a retry that is counted or as a new request."""
        one = self.known[job_id]
        return self._ask(number, one.prompt, RetryInfo(key=one.key, count=count), (what, edge))

    def _ask(
        self, number: int, prompt: str, repeat: RetryInfo, disturbance: tuple[Disturbance | None, int]
    ) -> MultipleResults[str]:
        process = self._process(number)
        identity = RequestIdentity(owner=OWNER, route="/videos", content=f"1:{prompt}", repeat=repeat)
        expected = self._expected(identity, prompt)
        process.edges.arm(*disturbance)
        new, outcome = self._run(self.world.ask(process, identity, prompt))
        process.edges.arm(None, 0)
        self._run(self.world.bury(process))
        fault = outcome.exception()
        if isinstance(fault, Died | StorageFailed):
            return self._after_lost_answer(new, identity, prompt)
        if fault is not None:
            assert isinstance(fault, AdapterError), repr(fault)
            assert expected.fault is not None, repr(fault)
            assert isinstance(fault, expected.fault), repr(fault)
            return multiple()
        answer = outcome.result()
        if answer == new:
            self._learn(new, identity, prompt)
        expected.check(answer, is_new=answer == new)
        self.known[answer].is_clean &= answer not in self._waited_for(but=process)
        return multiple(answer)

    def _after_lost_answer(self, new: str, identity: RequestIdentity, prompt: str) -> MultipleResults[str]:
        """The client does not know whether its job is stored: promise 1 holds for it if it is."""
        for one in self.known.values():
            one.is_clean &= (one.prompt, one.key) != (prompt, identity.repeat.key)
        if self._run(self.world.observer.get(new)) is None:
            return multiple()
        self._learn(new, identity, prompt)
        self.known[new].is_clean = False
        return multiple(new)

    def _learn(self, job_id: str, identity: RequestIdentity, prompt: str) -> None:
        seen = self._run(self.world.observer.get(job_id))
        assert seen is not None, "1: an accepted job is not there"
        key = identity.repeat.key
        self.known[job_id] = Known(prompt=prompt, key=key, seen=seen)
        if key is not None:
            self.keys[key] = (job_id, self.world.clock.now())

    def _expected(self, identity: RequestIdentity, prompt: str) -> "Expected":
        now, key = self.world.clock.now(), identity.repeat.key
        if key is not None:
            return self._expected_of_key(key, prompt, now)
        same = {job_id: one for job_id, one in self.known.items() if one.key is None and one.prompt == prompt}
        young = {
            job_id: one
            for job_id, one in same.items()
            if not one.seen.is_over or one.seen.created_at + RETRY_SECONDS > now + ROUND_SECONDS
        }
        if identity.repeat.count:
            is_certain = bool(young) and not any(one.is_deleted or one.seen.is_refused for one in same.values())
            return Expected(may_be_new=not is_certain, may_be={*same})
        left = {job_id for job_id, one in same.items() if self._is_left(job_id, one)}
        certain = {job_id for job_id in left if self._is_certainly_left(job_id, now)}
        return Expected(may_be_new=not certain, may_be=left)

    def _is_left(self, job_id: str, one: Known) -> bool:
        """Whether a first attempt may join it: no client waits for it or was given it."""
        if one.is_answered or one.is_deleted or one.is_cancelled:
            return False
        usable = [process for process in self.world.processes if process.is_usable]
        return not one.is_clean or not any(job_id in process.waited_for for process in usable)

    def _is_certainly_left(self, job_id: str, now: float) -> bool:
        one = self.known[job_id]
        is_fresh = not one.seen.is_over or (
            one.seen.state is JobState.COMPLETED and (one.seen.finished_at or 0.0) > now - REPLAY_SECONDS / 2
        )
        return one.is_clean and is_fresh and job_id not in self._waited_for()

    def _waited_for(self, *, but: Process | None = None) -> set[str]:
        return {job_id for process in self.world.processes if process is not but for job_id in process.waited_for}

    def _expected_of_key(self, key: str, prompt: str, now: float) -> "Expected":
        if key not in self.keys:
            return Expected()
        job_id, began_at = self.keys[key]
        one = self.known[job_id]
        is_live = not (one.seen.is_over or one.is_deleted)
        if not is_live and abs(began_at + KEY_SECONDS - now) < REPLAY_SECONDS * 2:
            return Expected(may_be={job_id}, fault=AdapterError)  # it ends about now
        if not is_live and began_at + KEY_SECONDS < now:
            return Expected()
        if one.prompt != prompt:
            return Expected(may_be_new=False, fault=InvalidRequest)
        if one.is_deleted:
            return Expected(may_be_new=False, fault=NotFound)
        return Expected(may_be_new=one.seen.is_refused, may_be={job_id})

    @rule(number=which, place=st.integers(0, 3), answered=st.booleans())
    def leave(self, number: int, place: int, *, answered: bool) -> None:
        """A client hangs up, or gets its answer and goes."""
        process = self._process(number)
        if process.connections:
            connection = process.connections[place % len(process.connections)]
            self.known[connection.job_id].is_answered |= answered
            self._run(self.world.leave(process, connection, answered=answered))

    @rule(job_id=jobs)
    def receive(self, job_id: str) -> None:
        """A client downloads a finished video."""
        one = self.known[job_id]
        if one.seen.media is not None and self._run(self.world.media.find(one.seen.media.video)) is not None:
            now = self.world.clock.now()
            self._run(self.world.observer.mark_delivered(job_id, now=now))
            one.is_answered, one.received_at = True, one.received_at or now

    @rule(job_id=jobs, is_client=st.booleans())
    def call_off(self, job_id: str, *, is_client: bool) -> None:
        """A client deletes a video, or an operator cancels a job."""
        if is_client:
            self._delete(job_id, self.known[job_id])
        else:
            self._cancel(job_id, self.known[job_id])

    def _delete(self, job_id: str, one: Known) -> None:
        is_there = self._run(self.world.observer.delete(job_id, OWNER, now=self.world.clock.now()))
        assert is_there is not one.is_deleted, "9: deleted twice, or not found"
        self._call_off(job_id)
        one.is_deleted = True

    def _cancel(self, job_id: str, one: Known) -> None:
        is_live = self._run(self.world.observer.cancel(job_id, now=self.world.clock.now()))
        assert is_live is not one.seen.is_over, "9: cancelled when it is over, or not when it is live"
        if is_live:
            self._call_off(job_id)
            one.is_cancelled = True

    def _call_off(self, job_id: str) -> None:
        """Nothing more is sent for it, unless a process that stands still is about to send it."""
        if self.known[job_id].seen.state is JobState.ACCEPTED and all(
            not process.edges.paused.is_set() for process in self.world.processes
        ):
            self.known[job_id].most_charges = self.world.google.charged[job_id]

    # Processes and time

    @rule(number=which, what=st.sampled_from(Disturbance), edge=edges)
    def move(self, number: int, what: Disturbance, edge: int) -> None:
        """A process does a round, and dies, stands still or meets a failure in it, if the round has so many edges."""
        process = self._process(number)
        self._run(self.world.move(process, what, edge))

    @rule(number=which, rounds=st.integers(1, 4), is_finished=st.booleans())
    def go_on(self, number: int, rounds: int, *, is_finished: bool) -> None:
        """Google finishes its videos or not. A process does some rounds, and time passes."""
        if is_finished:
            self.world.google.finish_all()
        for _ in range(rounds):
            self._run(self.world.move(self._process(number)))
            self._run(self.world.pass_time(5.0))

    @rule(number=which, is_dead=st.booleans())
    def end_pause(self, number: int, *, is_dead: bool) -> None:
        """A process that stands still goes on; or a process is killed, and another one starts in its place."""
        process = self.world.processes[number]
        self._run(self.world.kill(process) if is_dead else self.world.resume(process))

    @rule(number=which)
    def clean_up(self, number: int) -> None:
        """A janitor goes its round."""
        process = self._process(number)
        self._run(self.world.run(process, process.janitor.run_once())).result()

    @rule(seconds=st.sampled_from([1.0, 5.0, 11.0, 61.0, 700.0, 3700.0, 90_000.0]))
    def pass_time(self, seconds: float) -> None:
        """Time passes."""
        self._run(self.world.pass_time(seconds))

    # Google

    @rule(how=st.sampled_from(Submissions), ill=st.none() | st.sampled_from(Illness), tells=st.booleans())
    def be_as_told(self, how: Submissions, ill: Illness | None, *, tells: bool) -> None:
        """From now on, Google answers submissions in this way, has this illness, and tells its credits or not."""
        self.world.google.submissions, self.world.google.tells_credits = how, tells
        self.world.google.be_ill(ill)

    @rule(job_id=jobs, end=st.sampled_from(End))
    def end(self, job_id: str, end: End) -> None:
        """Google ends its work on a video."""
        if (operation := self._at_google(job_id)) is not None:
            self.world.google.end(operation, end)

    def _at_google(self, job_id: str) -> str | None:
        return next((name for name, each in self.world.google.jobs.items() if each == job_id), None)

    # What holds at every moment

    @invariant()
    def hold(self) -> None:
        """Look at every job."""
        for job_id, one in self.known.items():
            self._run(self._look(job_id, one))
        listed = self._run(self.world.observer.list(OWNER, after=None, limit=1000, newest_first=False))
        there = [(one.seen.created_at, job_id) for job_id, one in self.known.items() if not one.is_deleted]
        assert [job.id for job in listed] == [job_id for _, job_id in sorted(there)], "9: another list"
        self._run(self._look_at_usage())

    async def _look_at_usage(self) -> None:
        """Every job that is over is counted once, and no other one.

        A write may still be under way in a thread, so the sums are read before and after the jobs. They only grow.
        """
        before = await self._counted()
        over = select(JOBS.c.kind, func.count()).where(JOBS.c.state.in_(OVER)).group_by(JOBS.c.kind)
        rows = await self.world.database.read(lambda connection: connection.execute(over).all())
        after = await self._counted()
        there = Counter({str(kind): count for kind, count in rows})
        assert before <= there <= after, f"11: a job is not counted once: {before}, {there}, {after}"

    async def _counted(self) -> Counter[str]:
        sums = await SqlUsageStore(self.world.database).sums(UsageQuery(since=0, until=10**10, by=["kind"]))
        return Counter({each.labels["kind"]: each.counts.requests for each in sums})

    async def _look(self, job_id: str, one: Known) -> None:
        job, before = await self.world.observer.get(job_id), one.seen
        assert job is not None, "1: a job is lost"
        charged = self.world.google.charged[job_id]
        assert charged <= one.most_charges, "2: it was sent twice, or after it was called off"
        assert not (charged and job.is_refused), "2: what was paid for invites a retry"
        is_free = job.is_over and job.finished().cost == FREE
        given_up = job.failure is not None and job.failure.code == GIVEN_UP
        assert not (charged and is_free and not given_up), "11: what was paid for is counted as free"
        assert job.history[: len(before.history)] == before.history, "5: the history was rewritten"
        assert job.progress >= before.progress, "5: the progress fell"
        assert not before.is_over or job == before, "1: it ended twice"
        assert before.operation in {None, job.operation}, "3: the operation was lost"
        assert before.state not in AFTER_SUBMISSION or job.state in AFTER_SUBMISSION, "5: it went back"
        found = await self.world.observer.find(job_id, OWNER)
        assert (found is None) is one.is_deleted, "9: a deleted one is shown, or another one is not"
        if job.state is JobState.COMPLETED and not one.is_deleted:
            await self._look_at_file(job, one)
        one.seen = job

    async def _look_at_file(self, job: VideoJob, one: Known) -> None:
        data = await find_whole(self.world.media, file_name(job.stem, MediaFormat.MP4))
        if data is None:
            since = max(job.finished_at or 0.0, one.received_at)
            assert self.world.clock.now() - since >= KEEP_SECONDS, "4: the file is gone too early"
        else:
            assert data == self.world.google.bytes_of(job.id), "4: other bytes than Google's"

    # The end

    def teardown(self) -> None:
        """Google is well again, and everything comes to rest."""
        try:
            if hasattr(self, "world"):
                self._come_to_rest()
        finally:
            self._close()

    def _come_to_rest(self) -> None:
        google = self.world.google
        google.submissions, google.tells_credits = Submissions.TAKES, True
        google.be_ill(None)
        self.world.painter.painting = Painting.MAKES
        for process in [*self.world.processes]:
            self._run(self.world.resume(process))
        for _ in range(LAST_ROUNDS):
            google.finish_all()
            for number in (0, 1):
                self._run(self.world.move(self._process(number)))
            self.hold()
            self.hold_pictures()
            if self.are_pictures_over and all(one.seen.is_over for one in self.known.values()):
                break
            self._run(self.world.pass_time(ROUND_SECONDS))
        for job_id, one in self.known.items():
            self._check_end(job_id, one)
        self.check_ends_of_pictures()
        for job_id in [job_id for job_id, one in self.known.items() if not one.is_deleted][::2]:
            self._delete(job_id, self.known[job_id])
        self._run(self.world.pass_time(ROUND_SECONDS))
        self._run(self.world.move(self._process(0)))
        self.hold()
        self._run(self._check_files())

    def _check_end(self, job_id: str, one: Known) -> None:
        job = one.seen
        assert job.is_over, f"1: it is {job.state} for ever"
        code = job.failure.code if job.failure else None
        if self.world.google.charged[job_id] and job.state is JobState.FAILED:
            assert code in PAID_FAILURES, f"3: it was paid for and ended as {code}"
        assert code != "cancelled" or one.is_cancelled or one.is_deleted, "9: it ends as cancelled, and was not"

    async def _check_files(self) -> None:
        deleted = {one.seen.stem for one in self.known.values() if one.is_deleted}
        async for page in self.world.media.list():
            assert not deleted.intersection(stem_of(file.name) for file in page), "9: files of a deleted one stay"


class Expected(msgspec.Struct, kw_only=True):
    """What may answer a request."""

    may_be_new: bool = True
    #: Earlier jobs that may.
    may_be: set[str] = msgspec.field(default_factory=set)
    fault: type[AdapterError] | None = None

    def check(self, answer: str, *, is_new: bool) -> None:
        """Hold an answer against it."""
        assert is_new or answer in self.may_be, f"8: answered with the job {answer} of another request"
        assert self.may_be_new or not is_new, "8: a repetition has a job of its own"


def life_settings(examples: int, steps: int, *, is_random: bool) -> settings:
    """Return how many lives are lived, and their most steps. Those that are not random are always the same.

    A life that breaks a promise is made shorter, which takes minutes, only if it is random.
    """
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=not is_random,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if is_random else [Phase.generate],
        print_blob=is_random,
        report_multiple_bugs=False,
    )


def find_broken_promise(lives: type[RuleBasedStateMachine], how: settings) -> str | None:
    """Return the promise that is broken in one of many lives, with its steps; None if all are kept."""
    try:
        run_state_machine_as_test(lives, settings=how)
    except AssertionError as broken:
        return "\n".join([str(broken), *getattr(broken, "__notes__", ())])
    return None
