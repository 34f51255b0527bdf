"""The life of pictures in the background, beside that of videos in the same database and the same processes."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, invariant, multiple, rule

from adapter.domain.executions import KEY_SECONDS, RequestIdentity, RetryInfo
from adapter.domain.finished_work import FREE
from adapter.domain.image_job import LOST, ImageJob
from adapter.domain.job import CANCELLED_CODE, JobState
from adapter.domain.pieces import find_whole
from adapter.errors import StorageFailed
from adapter.generation.responses import cancel_image
from tests.jobs.life_world import KEEP_SECONDS, OWNER, REPLAY_SECONDS, Died, Disturbance, Painting, Process, World

_T = TypeVar("_T")

which = st.integers(0, 1)
edges = st.integers(1, 20)
#: From the intent to the end of one picture's round.
picture_edges = st.integers(5, 12)
small_disturbances = st.none() | st.sampled_from([Disturbance.KILL, Disturbance.FAIL])

#: How a picture may fail that Google made.
PAID_FAILURES = {LOST.code, CANCELLED_CODE, "upstream_timeout"}


class KnownPicture(msgspec.Struct, kw_only=True):
    """What clients know of a picture."""

    #: As last seen in the database.
    seen: ImageJob
    #: How often it had been charged when it was cancelled before it was sent.
    most_charges: int = 1
    is_cancelled: bool = False


class Life(RuleBasedStateMachine):
    """A world, and the event loop in which it lives."""

    #: Returns the address of an empty database; None: a file.
    new_url: Callable[[], str] | None = None
    world: World

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._folder = Path(tempfile.mkdtemp(prefix="adapter-life-"))

    def _run(self, work: Coroutine[None, None, _T]) -> _T:
        return self._loop.run(work)

    def _url(self) -> str:
        new_url = type(self).new_url
        return new_url() if new_url else f"sqlite:///{self._folder}/jobs.db"

    def _process(self, number: int) -> Process:
        """Return a process that runs, preferably that one. If there is none, one is started."""
        processes = self.world.processes
        for process in (processes[number], processes[1 - number]):
            if process.is_usable:
                return process
        self._run(self.world.kill(processes[number]))
        return processes[number]

    def _close(self) -> None:
        if hasattr(self, "world"):
            self._run(self.world.close())
        self._loop.close()
        shutil.rmtree(self._folder)


class LifeOfPictures(Life):
    """Clients that want pictures in the background, and Google's maker of pictures."""

    pictures: Bundle[str] = Bundle("pictures")
    #: A mistake of the store of pictures, in tests of this test.
    picture_bug: Callable[[object], object] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.known_pictures: dict[str, KnownPicture] = {}
        #: The picture that a key stands for, and when it began.
        self.picture_keys: dict[str, tuple[str, float]] = {}
        self._asked_for = 0

    @rule(
        target=pictures,
        number=which,
        key=st.sampled_from([None, "p1", "p2"]),
        what=small_disturbances,
        edge=edges,
    )
    def ask_for_picture(
        self, number: int, key: str | None, what: Disturbance | None, edge: int
    ) -> MultipleResults[str]:
        """Ask for a picture in the background: a new one, or with a key perhaps one that was asked for before."""
        return self._ask_for_picture(number, key, what, edge)

    def _ask_for_picture(
        self, number: int, key: str | None, what: Disturbance | None, edge: int
    ) -> MultipleResults[str]:
        self._asked_for += 1
        content = f"1:{key or self._asked_for}"
        identity = RequestIdentity(owner=OWNER, route="/responses", content=content, repeat=RetryInfo(key=key))
        expected = self._expected_picture(key)
        process = self._process(number)
        process.edges.arm(what, edge)
        new, outcome = self._run(self.world.ask_for_picture(process, identity))
        process.edges.arm(None, 0)
        self._run(self.world.bury(process))
        fault = outcome.exception()
        if fault is not None:
            assert isinstance(fault, Died | StorageFailed), repr(fault)
            if self._run(self.world.pictures.get(new)) is None:
                return multiple()
            return self._learn_picture(new, key)
        answer = outcome.result()
        if answer == new:
            assert expected is None, "8: a repetition has a picture of its own"
            return self._learn_picture(new, key)
        assert key is not None, "8: answered with the picture of another request"
        assert answer == self.picture_keys[key][0], "8: answered with the picture of another request"
        return multiple(answer)

    def _learn_picture(self, job_id: str, key: str | None) -> MultipleResults[str]:
        seen = self._run(self.world.pictures.get(job_id))
        assert seen is not None, "1: an accepted picture is not there"
        self.known_pictures[job_id] = KnownPicture(seen=seen)
        if key is not None:
            self.picture_keys[key] = (job_id, self.world.clock.now())
        return multiple(job_id)

    def _expected_picture(self, key: str | None) -> str | None:
        """Return the picture that has to answer a request; None: a new one may."""
        if key is None or key not in self.picture_keys:
            return None
        job_id, began_at = self.picture_keys[key]
        seen = self.known_pictures[job_id].seen
        is_live = not seen.is_over
        is_young = self.world.clock.now() < began_at + KEY_SECONDS - 2 * REPLAY_SECONDS
        return job_id if is_live or (is_young and not seen.is_refused) else None

    @rule(target=pictures, number=which, what=st.sampled_from(Disturbance), edge=picture_edges)
    def ask_and_move(self, number: int, what: Disturbance, edge: int) -> MultipleResults[str]:
        """A client asks for a picture, and the process that makes it is disturbed, as in `move`."""
        asked = self._ask_for_picture(number, None, None, edge)
        self._run(self.world.move_pictures(self._process(number), what, edge))
        return asked

    @rule(job_id=pictures)
    def cancel_picture(self, job_id: str) -> None:
        """A client or an operator cancels a picture."""
        one = self.known_pictures[job_id]
        ended = self._run(cancel_image(self.world.pictures, job_id, self.world.clock))
        assert (ended is None) is one.seen.is_over, "9: cancelled when it is over, or not when it is live"
        if ended is not None:
            one.is_cancelled = True
            if one.seen.state is JobState.ACCEPTED:
                one.most_charges = self.world.painter.charged[job_id]

    @rule(how=st.sampled_from(Painting))
    def paint_as_told(self, how: Painting) -> None:
        """From now on, Google answers orders for pictures in this way."""
        self.world.painter.painting = how

    @invariant()
    def hold_pictures(self) -> None:
        """Look at every picture."""
        for job_id, one in self.known_pictures.items():
            self._run(self._look_at_picture(job_id, one))

    async def _look_at_picture(self, job_id: str, one: KnownPicture) -> None:
        job, before = await self.world.pictures.get(job_id), one.seen
        assert job is not None, "1: a picture is lost"
        charged = self.world.painter.charged[job_id]
        assert charged <= one.most_charges, "2: a picture was made twice, or after it was cancelled"
        assert not (charged and job.is_refused), "2: a picture that was paid for invites a retry"
        is_free = job.is_over and job.finished().cost == FREE
        assert not (charged and is_free), "11: a picture that was paid for is counted as free"
        assert job.history[: len(before.history)] == before.history, "5: the history of a picture was rewritten"
        assert not before.is_over or job == before, "1: a picture ended twice"
        if job.state is JobState.COMPLETED:
            await self._look_at_picture_file(job)
        one.seen = job

    async def _look_at_picture_file(self, job: ImageJob) -> None:
        assert job.drawn is not None
        data = await find_whole(self.world.media, job.drawn.name)
        if data is None:
            since = job.finished_at or 0.0
            assert self.world.clock.now() - since >= KEEP_SECONDS, "4: the file of a picture is gone too early"
        else:
            assert data == self.world.painter.picture_of(job.id).decode(), "4: another picture than Google's"

    @property
    def are_pictures_over(self) -> bool:
        """Whether every picture has come to its end."""
        return all(one.seen.is_over for one in self.known_pictures.values())

    def check_ends_of_pictures(self) -> None:
        """Look at how each picture ended."""
        for job_id, one in self.known_pictures.items():
            job = one.seen
            assert job.is_over, f"1: a picture is {job.state} for ever"
            code = job.failure.code if job.failure else None
            if self.world.painter.charged[job_id] and job.state is JobState.FAILED:
                assert code in PAID_FAILURES, f"3: a picture was paid for and ended as {code}"
            assert code != CANCELLED_CODE or one.is_cancelled, "9: a picture ends as cancelled, and was not"
