"""A submission without an answer: looked into by the account's credits, and sent again only by proof."""

import asyncio
from collections.abc import Collection, Sequence

import msgspec
import pytest
import structlog

from adapter.database.engine import Database
from adapter.domain.job import Ambiguity, BalanceReading, Failure, JobState, Operation, Phase, VideoJob
from adapter.domain.ports import AskAgain, Executed, Memory, Neighbours, NotExecuted, Settlement, Unproven
from adapter.errors import AdapterError, StorageFailed, UpstreamBroken, UpstreamSilent
from adapter.jobs.poll_schedule import PollSchedule
from adapter.jobs.poller import Poller
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from adapter.jobs.store import SqlJobStore
from tests.fakes import FakeClock, FakeVideoProvider, video_job
from tests.jobs.conftest import PACE
from tests.jobs.rounds import admit, find, finish, poller_of, tick

SILENT = UpstreamSilent("Google did not answer in time.")
BEATS_TO_THE_END = 26


@pytest.fixture
def provider() -> FakeVideoProvider:
    """A maker of videos whose account has credits."""
    provider = FakeVideoProvider()
    provider.credits_left = 680
    return provider


class Executing(FakeVideoProvider):
    """Carries out, charges, and does not answer."""

    def __init__(self, fault: AdapterError = SILENT) -> None:
        super().__init__()
        self.credits_left = 680
        self.fault: AdapterError | None = fault

    async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
        operation = await super().submit(job, pictures)
        self.credits_left = (self.credits_left or 0) - 20
        if self.fault is not None:
            raise self.fault
        return operation


async def ambiguous(poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock) -> str:
    """Bring one job to where nobody knows, let Google answer from then on, and return its id."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = SILENT
    await tick(poller, clock)
    provider.refuse_submit = None
    assert (await find(memory, job_id)).state is JobState.AMBIGUOUS
    return job_id


async def failure(memory: Memory, job_id: str) -> tuple[str | None, bool | None, str]:
    """Return code, word on retrying and message of a failed job."""
    told = (await find(memory, job_id)).failure
    assert told is not None
    return told.code, told.should_retry, told.message


@pytest.mark.parametrize("fault", [SILENT, UpstreamBroken("cut")])
async def test_what_was_provably_not_charged_is_sent_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """The same credits before, a minute after, and another minute after that: nothing was executed."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = fault
    await tick(poller, clock)
    provider.refuse_submit = None
    finish(provider, 1)
    await tick(poller, clock, 30)

    assert (await find(memory, job_id)).state is JobState.COMPLETED
    assert provider.executed == [job_id]
    assert provider.credits_asked == ["first"] * 4


async def test_the_readings_keep_their_distance(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A minute after the silence, and a minute after that; no nudge or restart brings one earlier."""
    job_id = await ambiguous(poller, memory, provider, clock)
    for _ in range(24):
        other = poller_of(memory, clock, fake=provider)
        await tick(other, clock)
    job = await find(memory, job_id)

    assert job.ambiguity is not None
    times = [job.ambiguity.at, *(reading.at for reading in job.ambiguity.readings)]
    assert times == [1000.0, 1060.0, 1120.0]


async def test_a_reading_that_comes_too_early_is_put_off(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Whoever takes the job over before its time reads nothing."""
    job_id = await ambiguous(poller, memory, provider, clock)
    [claim] = await memory.jobs.claim(now=1060.0, lease=10.0, limit=1)
    await VideoSteps(
        StepContext(providers={"fake": provider.at(clock)}, memory=memory, clock=clock, schedule=PACE)
    ).reconciling.reconcile(claim)

    job = await find(memory, job_id)
    assert (job.ambiguity and job.ambiguity.readings, len(provider.credits_asked)) == ((), 1)


async def test_an_ambiguous_job_is_not_looked_at_before_its_time(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """It is not due for a minute, so that nobody takes it up with every beat."""
    await ambiguous(poller, memory, provider, clock)

    assert await memory.jobs.claim(now=1059.0, lease=1.0, limit=1) == []
    assert len(await memory.jobs.claim(now=1060.0, lease=1.0, limit=1)) == 1


async def test_readings_that_a_clock_brought_together_prove_nothing(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """It was set back after the first: nobody knows how much later the second one is."""
    job_id = await ambiguous(poller, memory, provider, clock)
    await tick(poller, clock, 14)
    await clock.advance(-1000.0)
    await tick(poller, clock, 14)

    assert (await failure(memory, job_id))[0] == "upstream_submit_unknown"
    assert provider.executed == []


async def test_a_charge_is_told_and_nothing_is_sent_again(memory: Memory, clock: FakeClock) -> None:
    """Executed, then silence: the first reading settles it."""
    provider = Executing()
    poller = poller_of(memory, clock, fake=provider)
    [job_id] = await admit(memory, clock)
    await tick(poller, clock, 15)

    code, should_retry, message = await failure(memory, job_id)
    assert (code, should_retry) == ("upstream_submit_unknown", False)
    assert "20 credits were taken from the account: it was paid for" in message
    assert provider.executed == [job_id]


async def test_a_charge_that_comes_late_is_seen_by_the_second_reading(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Google executes when it pleases; that is what the second look is for."""
    job_id = await ambiguous(poller, memory, provider, clock)
    await tick(poller, clock, 14)
    provider.credits_left = 660
    await tick(poller, clock, BEATS_TO_THE_END)

    assert "it was paid for" in (await failure(memory, job_id))[2]
    assert provider.executed == []


async def test_credits_that_rose_prove_nothing(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A refill may hide a charge."""
    job_id = await ambiguous(poller, memory, provider, clock)
    provider.credits_left = 700
    await tick(poller, clock, BEATS_TO_THE_END)

    assert "was credited meanwhile" in (await failure(memory, job_id))[2]
    assert provider.executed == []


async def test_credits_that_cannot_be_read_again_prove_nothing(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Four tries, then it is unknown what it cost."""
    job_id = await ambiguous(poller, memory, provider, clock)
    provider.credits_left = None
    await tick(poller, clock, 60)

    code, _, message = await failure(memory, job_id)
    assert (code, provider.executed) == ("upstream_submit_unknown", [])
    assert "What it cost cannot be found out" in message
    assert len(provider.credits_asked) == 5


async def test_a_reading_that_fails_is_taken_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The trouble that cut the submission may last."""
    job_id = await ambiguous(poller, memory, provider, clock)
    provider.credits_left = None
    await tick(poller, clock, 14)
    provider.credits_left = 680
    await tick(poller, clock, BEATS_TO_THE_END)

    assert provider.executed == [job_id]


async def test_without_credits_from_the_start_it_is_given_up_at_once(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """There is nothing to compare, so whoever waits is told now."""
    provider.credits_left = None
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = SILENT
    await tick(poller, clock, 2)

    assert (await failure(memory, job_id))[:2] == ("upstream_submit_unknown", False)


async def test_an_operator_may_have_ambiguous_submissions_given_up(
    memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Then the credits are not even read."""
    schedule = PollSchedule(poll_seconds=5.0, lease_seconds=10.0, deadline_seconds=3600.0, reconcile_seconds=None)
    steps = VideoSteps(
        StepContext(providers={"fake": provider.at(clock)}, memory=memory, clock=clock, schedule=schedule)
    )
    poller = Poller(memory.jobs, steps, clock=clock, schedule=schedule)
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = SILENT
    await tick(poller, clock)

    assert (await failure(memory, job_id))[0] == "upstream_submit_unknown"
    assert provider.credits_asked == []


async def test_another_job_of_the_account_spoils_the_proof(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A refund of the one may hide a charge for the other."""
    job_id = await ambiguous(poller, memory, provider, clock)
    await memory.jobs.admit(video_job(2, at=clock.now()), now=clock.now())
    await tick(poller, clock, BEATS_TO_THE_END)

    code, _, message = await failure(memory, job_id)
    assert code == "upstream_submit_unknown"
    assert "shows no charge, but other videos of the account were under way" in message
    assert job_id not in provider.executed


async def test_a_charge_among_others_is_told_as_what_it_is(memory: Memory, clock: FakeClock) -> None:
    """The credits fell, and it may have been for the other one."""
    provider = Executing()
    poller = poller_of(memory, clock, fake=provider)
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.fault = None
    await memory.jobs.admit(video_job(2, at=clock.now()), now=clock.now())
    await tick(poller, clock, 15)

    assert (
        "40 credits were taken from the account since, for this video or for another"
        in (await failure(memory, job_id))[2]
    )


async def test_a_job_of_another_account_spoils_nothing(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Each account has credits of its own."""
    provider.accounts = ["ada", "bob"]
    first, second = await admit(memory, clock, 2)
    provider.refuse_submit = SILENT
    await tick(poller, clock)
    provider.refuse_submit = None
    await tick(poller, clock, BEATS_TO_THE_END)

    assert sorted(provider.executed) == sorted([first, second])


async def test_a_job_whose_sender_died_is_looked_into_and_never_sent_again(
    memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The old sender may only be paused, and send later: what the credits say is told, and proves nothing."""

    class Dies(FakeVideoProvider):
        async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
            raise SystemError(f"killed with {job.id} and {pictures} on its way")

    dying = Dies()
    dying.credits_left = 680
    [job_id] = await admit(memory, clock)
    await tick(poller_of(memory, clock, fake=dying), clock)
    await tick(poller_of(memory, clock, fake=provider), clock, 40)

    code, _, message = await failure(memory, job_id)
    assert (code, provider.executed) == ("upstream_submit_unknown", [])
    assert "shows no charge, but its sender may still be sending it" in message


async def test_what_is_never_charged_is_not_sent_for_ever(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Four times, as what provably was not sent."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = SILENT
    await tick(poller, clock, 200)

    code, should_retry, message = await failure(memory, job_id)
    assert (code, should_retry, len(provider.given)) == ("upstream_timeout", False, 4)
    assert message.endswith("Google's account shows no charge.")


async def test_an_unwanted_job_is_looked_into_and_then_not_sent_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """What it cost is settled first."""
    job_id = await ambiguous(poller, memory, provider, clock)
    await memory.jobs.cancel(job_id, now=clock.now())
    await tick(poller, clock, BEATS_TO_THE_END)

    assert ((await failure(memory, job_id))[0], provider.executed) == ("cancelled", [])


async def test_an_ambiguous_job_is_a_queued_one(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Its reader sees nothing until it is settled."""
    job = await find(memory, await ambiguous(poller, memory, provider, clock))

    assert (job.phase, len(job.history)) == (Phase.QUEUED, 1)


async def test_the_evidence_is_one_line_for_the_operator(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Account, credits before, each reading, who saw it, who else was near, and what was done."""
    job_id = await ambiguous(poller, memory, provider, clock)
    with structlog.testing.capture_logs() as written:
        await tick(poller, clock, BEATS_TO_THE_END)

    assert [line for line in written if line["event"] == "job.reconciled"] == [
        {
            "event": "job.reconciled",
            "log_level": "warning",
            "job_id": job_id,
            "account": "first",
            "credits_before": 680,
            "readings": [680, 680],
            "sender_saw_end": True,
            "neighbours": [],
            "sent_again": True,
            "operation": None,
        }
    ]


async def test_credits_are_read_before_the_intent_is_written(memory: Memory, clock: FakeClock) -> None:
    """So their slowness costs none of the time for which the intent is good."""
    gate = asyncio.Event()

    class Slow(FakeVideoProvider):
        async def credits(self, account: str) -> int | None:
            await gate.wait()
            return await super().credits(account)

    provider = Slow()
    poller = poller_of(memory, clock, fake=provider)
    [job_id] = await admit(memory, clock)
    for _ in range(3):
        await poller.tick()
        await clock.advance(PACE.poll_seconds)
    assert (await find(memory, job_id)).state is JobState.ACCEPTED
    gate.set()
    await poller.settle()

    assert provider.executed == [job_id]


async def test_nothing_is_decided_while_the_neighbours_are_unknown(
    memory: Memory, database: Database, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A disk that fails at that moment only puts it off."""

    class Moody(SqlJobStore):
        asked = 0

        async def neighbours(self, job: VideoJob, *, since: float, refunds_since: float) -> Collection[str]:
            self.asked += 1
            if self.asked == 1:
                raise StorageFailed("locked")
            return await super().neighbours(job, since=since, refunds_since=refunds_since)

    store = Moody(database)
    moody = Memory(store, memory.feed, memory.media)
    poller = poller_of(moody, clock, fake=provider)
    job_id = await ambiguous(poller, memory, provider, clock)
    await tick(poller, clock, BEATS_TO_THE_END + 5)

    assert (store.asked, provider.executed) == (2, [job_id])


class Asked(FakeVideoProvider):
    """A provider without credits that proves what it knows in its own way, and writes down when it is asked."""

    def __init__(self, *answers: Settlement) -> None:
        super().__init__()
        self.asked_at: list[float] = []
        self._answers = list(answers)

    async def settle(
        self,
        job: VideoJob,  # noqa: ARG002 - the answers are written down
        neighbours: Neighbours,  # noqa: ARG002
        seconds: float,  # noqa: ARG002
    ) -> Settlement:
        self.asked_at.append(self.clock.now())
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


NOTHING_READ = BalanceReading(None, 1000.0)


async def unanswered(memory: Memory, clock: FakeClock, provider: Asked) -> tuple[Poller, str]:
    """Submit a job and get no answer; answer from then on."""
    poller = poller_of(memory, clock, fake=provider)
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = SILENT
    await tick(poller, clock)
    provider.refuse_submit = None
    return poller, job_id


async def test_a_provider_without_credits_is_asked_for_its_proof(memory: Memory, clock: FakeClock) -> None:
    """At once: there is no reading to wait for."""
    provider = Asked(NotExecuted(NOTHING_READ, "It is not in the list."))
    poller, job_id = await unanswered(memory, clock, provider)
    finish(provider, 1)
    await tick(poller, clock, 6)

    assert provider.asked_at == [1005.0]
    assert (await find(memory, job_id)).state is JobState.COMPLETED
    assert provider.executed == [job_id]


async def test_a_submission_that_was_executed_goes_on_under_its_name(memory: Memory, clock: FakeClock) -> None:
    """It is not sent again, and its video comes home."""
    operation = Operation("op-1", "mark")
    provider = Asked(Executed(NOTHING_READ, operation))
    poller, job_id = await unanswered(memory, clock, provider)
    finish(provider, 1)
    with structlog.testing.capture_logs() as written:
        await tick(poller, clock, 6)

    job = await find(memory, job_id)
    assert (job.state, job.operation, provider.executed) == (JobState.COMPLETED, operation, [])
    assert [(line["operation"], line["sent_again"]) for line in written if line["event"] == "job.reconciled"] == [
        ("op-1", False)
    ]


async def test_a_provider_is_asked_again_when_it_says(memory: Memory, clock: FakeClock) -> None:
    """Not after the distance of Flow's readings; no restart brings a question earlier."""
    again = AskAgain(NOTHING_READ, 20.0)
    provider = Asked(again, again, Unproven(NOTHING_READ, "It cannot be told."))
    _, job_id = await unanswered(memory, clock, provider)
    for _ in range(16):
        await tick(poller_of(memory, clock, fake=provider), clock)

    assert provider.asked_at == [1005.0, 1025.0, 1045.0]
    assert "It cannot be told." in (await failure(memory, job_id))[2]


async def test_a_provider_is_not_asked_for_ever(memory: Memory, clock: FakeClock) -> None:
    """As long as a video may take; then the outcome is unknown."""
    provider = Asked(AskAgain(NOTHING_READ, 300.0))
    poller, job_id = await unanswered(memory, clock, provider)
    await tick(poller, clock, 800)

    assert (await failure(memory, job_id))[0] == "upstream_submit_unknown"
    assert len(provider.asked_at) == 13
    assert provider.executed == []


def test_a_job_of_an_older_version_keeps_its_distance() -> None:
    """Its row does not say when the provider wants to be asked again."""
    stored = msgspec.json.encode(
        Ambiguity(failure=Failure.of(SILENT), sender_saw_end=True, at=1.0, readings=(BalanceReading(680, 2.0),))
    )
    older = {name: value for name, value in msgspec.json.decode(stored).items() if name != "pause"}

    assert msgspec.json.decode(msgspec.json.encode(older), type=Ambiguity).pause is None
