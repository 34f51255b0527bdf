"""The world of video jobs: processes that die, a Google that keeps a ledger, one database, and time that is told."""

import asyncio
import inspect
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from adapter.budget import MemoryBudget
from adapter.database.engine import Database
from adapter.domain.executions import RequestIdentity
from adapter.domain.image_job import ImageJob
from adapter.domain.job import Failure, Operation, VideoJob
from adapter.domain.job_kinds import IMAGE
from adapter.domain.media import Frame, Image, RemoteVideo
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import (
    Empty,
    Finished,
    ImageMaker,
    JobStore,
    MediaStore,
    Memory,
    Refused,
    Report,
    VideoProvider,
    Work,
    Working,
)
from adapter.domain.stored_files import StoredFile
from adapter.errors import (
    AdapterError,
    ContentRefused,
    JobFailed,
    StorageFailed,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamSilent,
    UpstreamUnreachable,
)
from adapter.generation.admission import Admission, PendingAdmission
from adapter.generation.liveness import Liveness
from adapter.generation.timeouts import Timeouts
from adapter.jobs.feed import LocalFeed
from adapter.jobs.image_steps import ImageContext, ImageSteps
from adapter.jobs.poller import Poller
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.spool import Spool
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from adapter.jobs.store import SqlJobStore
from adapter.media.janitor import Janitor, Retention
from adapter.media.store import open_media
from adapter.records.usage_recorder import CountedWork
from adapter.tasks import Tasks
from tests.fakes import CLIP, FakeClock, FakeVideoProvider, made_image, video_job, video_order
from tests.jobs.conftest import PACE
from tests.torture.around import Around

_T = TypeVar("_T")

#: A finished video answers an equal request for so long, and its file is kept for so long, in seconds.
REPLAY_SECONDS = 60.0
KEEP_SECONDS = 86_400.0
LEASE = 10.0
OWNER = "ada"
#: Memory for pictures, in bytes: more than all of them need.
ROOM = 2**40
#: What an account has at first, and what a video costs.
CREDITS, PRICE = 100_000, 10


class Disturbance(StrEnum):
    """What happens to a process at one of its calls."""

    KILL = "kill"
    PAUSE = "pause"
    FAIL = "fail"


class Died(BaseException):
    """The process was killed. No `except Exception` of it runs any more."""


class Edges:
    """The calls by which a process meets the world."""

    def __init__(self) -> None:
        self.is_dead = False
        self.paused = asyncio.Event()
        self._resumed = asyncio.Event()
        self._left = 0
        self._what = Disturbance.KILL

    def arm(self, what: Disturbance | None, calls: int) -> None:
        """Disturb the process at the so many-th edge from now on."""
        self._left = 0 if what is None else calls
        self._what = what or self._what

    def kill(self) -> None:
        """End the process: none of its calls arrives any more."""
        self.is_dead = True
        self.resume()

    def resume(self) -> None:
        """Let a paused process go on."""
        self._left = 0
        self.paused.clear()
        self._resumed.set()

    async def meet(self, fault: AdapterError | None) -> None:
        """Pass an edge; `fault` is what fails there."""
        if self._left and not self.is_dead:
            self._left -= 1
            if not self._left:
                self._disturb(fault)
        if self.paused.is_set():
            await self._resumed.wait()
        if self.is_dead:
            raise Died

    def _disturb(self, fault: AdapterError | None) -> None:
        match self._what:
            case Disturbance.KILL:
                self.is_dead = True
            case Disturbance.PAUSE:
                self._resumed.clear()
                self.paused.set()
            case Disturbance.FAIL if fault is not None:
                raise fault


class Edged(Around):
    """A part with an edge before and after each call."""

    def __init__(self, inner: object, edges: Edges, *, may_fail: Sequence[str] | None = None) -> None:
        super().__init__(inner)
        self._edges = edges
        #: The methods whose contract has faults; None: all.
        self._may_fail = may_fail

    def __getattr__(self, name: str) -> object:
        method = cast("Callable[..., Awaitable[object]]", super().__getattr__(name))
        if not inspect.iscoroutinefunction(method):
            return method

        async def called(*args: object, **kwargs: object) -> object:
            await self._edges.meet(self._fault(name, is_before=True))
            result = await method(*args, **kwargs)
            await self._edges.meet(self._fault(name, is_before=False))
            return result

        return called

    def _fault(self, name: str, *, is_before: bool) -> AdapterError | None:
        if self._may_fail is None:
            return StorageFailed("The store is away.")
        if name not in self._may_fail:
            return None
        return UpstreamUnreachable("No connection.") if is_before else UpstreamSilent("No answer.")


class LifeClock(FakeClock):
    """Time that says when the program waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Event()
        self._until = 0.0

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait (as `Clock`)."""
        self._until = max(self._until, self.now() + seconds)
        self.asleep.set()
        return await super().wait(event, seconds)

    async def wake(self) -> None:
        """Let the time pass that is waited for."""
        self.asleep.clear()
        await self.advance(max(0.0, self._until - self.now()))


class DatedMedia(Around):
    """Files that are dated by the clock of the test."""

    def __init__(self, inner: MediaStore, clock: FakeClock) -> None:
        super().__init__(inner)
        self._media = inner
        self._clock = clock
        self._dates: dict[str, float] = {}

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file (as `MediaStore`)."""
        await self._media.put(name, chunks)
        self._dates[name] = self._clock.now()

    async def list(self) -> AsyncIterator[Sequence[StoredFile]]:
        """Yield the files (as `MediaStore`)."""
        async for page in self._media.list():
            yield [msgspec.structs.replace(file, modified_at=self._dates[file.name]) for file in page]


class Submissions(StrEnum):
    """What Google does with a submission."""

    TAKES = "takes it"
    LOSES_ANSWER = "takes it, and the answer is lost"
    IS_SILENT = "does not take it, and does not answer"
    BREAKS = "takes it, and answers with rubbish"
    IS_AWAY = "cannot be reached"
    IS_BUSY = "is busy"
    REFUSES = "refuses it"


class Illness(StrEnum):
    """What fails at Google for a while."""

    POLLS = "polls"
    FILES = "files"


class End(StrEnum):
    """What Google says of an operation that is over."""

    FINISHED = "finished"
    GIVEN_UP = "given up"
    EMPTY = "finished, without a video"


class Google(FakeVideoProvider):
    """A Google with a ledger, whose answers are told."""

    def __init__(self) -> None:
        super().__init__()
        self.credits_left = CREDITS
        self.submissions = Submissions.TAKES
        self.tells_credits = True
        #: What each job was charged, in videos.
        self.charged: Counter[str] = Counter()
        #: The operations that Google has, by name.
        self.jobs: dict[str, str] = {}

    async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
        """Take a submission, or not."""
        match self.submissions:
            case Submissions.IS_AWAY:
                raise UpstreamUnreachable("No connection.")
            case Submissions.IS_BUSY:
                raise UpstreamBusy("Later.", retry_after=1.0)
            case Submissions.REFUSES:
                raise ContentRefused("No.")
            case Submissions.IS_SILENT:
                raise UpstreamSilent("No answer.")
        operation = await super().submit(job, pictures)
        self.charged[job.id] += 1
        self.credits_left = (self.credits_left or 0) - PRICE
        self.jobs[operation.name] = job.id
        self.reports.setdefault(operation.name, Working())
        match self.submissions:
            case Submissions.LOSES_ANSWER:
                raise UpstreamSilent("No answer.")
            case Submissions.BREAKS:
                raise UpstreamBroken("<html>")
        return operation

    async def credits(self, account: str) -> int | None:
        """Tell what the account has, or not."""
        left = await super().credits(account)
        return left if self.tells_credits else None

    def finish_all(self) -> None:
        """Finish what it works on."""
        for operation in [name for name, report in self.reports.items() if isinstance(report, Working)]:
            self.end(operation, End.FINISHED)

    def be_ill(self, illness: Illness | None) -> None:
        """Let polls or downloads fail, or neither."""
        self.fail_poll = UpstreamBroken("<html>") if illness is Illness.POLLS else None
        self.fail_download = UpstreamBroken("It was cut.") if illness is Illness.FILES else None

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        """Tell how operations stand."""
        reports = await super().poll(operations, account=account)
        return {operation.name: reports[operation.name] for operation in operations if operation.name in reports}

    def end(self, operation: str, end: End) -> None:
        """End the work on a video."""
        place = f"https://storage/{operation}"
        self.files[place] = self.bytes_of(self.jobs[operation])
        match end:
            case End.FINISHED:
                self.reports[operation] = Finished(RemoteVideo(place))
            case End.GIVEN_UP:
                self.reports[operation] = Refused(Failure.of(JobFailed("Google gave up.", code="google_gave_up")))
            case End.EMPTY:
                self.reports[operation] = Empty()

    def bytes_of(self, job_id: str) -> bytes:
        """Return the file of a job: an MP4 that has the job's name in it."""
        name = job_id.encode()
        return CLIP + (len(name) + 8).to_bytes(4) + b"free" + name


class Painting(StrEnum):
    """What Google does with an order for a picture."""

    MAKES = "makes it"
    LOSES_ANSWER = "makes it, and the answer is lost"
    IS_AWAY = "cannot be reached"
    REFUSES = "refuses it"


class Painter:
    """Google's maker of pictures, with a ledger. The prompt of an order is the id of its job."""

    def __init__(self) -> None:
        self.painting = Painting.MAKES
        #: What each job was charged, in pictures.
        self.charged: Counter[str] = Counter()

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        """Make a picture, or not."""
        assert work.owner
        match self.painting:
            case Painting.IS_AWAY:
                raise UpstreamUnreachable("No connection.")
            case Painting.REFUSES:
                raise ContentRefused("No.")
        self.charged[order.prompt] += 1
        if self.painting is Painting.LOSES_ANSWER:
            raise UpstreamSilent("No answer.")
        return [self.picture_of(order.prompt)]

    @staticmethod
    def picture_of(job_id: str) -> Image:
        """Return the picture of a job: no other one has its size."""
        number = int(job_id.removeprefix("image_"), 16)
        return made_image(1 + number % 64, 1 + number // 64)


class Connection(msgspec.Struct, kw_only=True, eq=False):
    """A client that waits for a job."""

    starting: PendingAdmission[VideoJob]
    job_id: str


class Process:
    """A process of the adapter: all of it that has to do with video jobs."""

    def __init__(self, world: "World") -> None:
        self.edges = edges = Edges()
        self.clock = world.clock
        self.jobs = cast("JobStore[VideoJob]", Edged(world.observer, edges))
        media = cast(MediaStore, Edged(world.media, edges))
        google = cast(VideoProvider, Edged(world.google, edges, may_fail=("submit", "poll", "upload")))
        self.spool = Spool(world.folder)
        memory: Memory[VideoJob] = Memory(self.jobs, LocalFeed(world.clock), media)
        self._steps = VideoSteps(
            StepContext(
                providers={"fake": google},
                memory=memory,
                clock=world.clock,
                schedule=PACE,
                spool=cast(Spool, Edged(self.spool, edges, may_fail=())),
            )
        )
        self._poller: Poller[VideoJob] = Poller(self.jobs, self._steps, clock=world.clock, schedule=PACE)
        self.pictures = cast("JobStore[ImageJob]", Edged(world.pictures, edges))
        painter = cast(ImageMaker, Edged(world.painter, edges, may_fail=("make_images",)))
        picture_memory: Memory[ImageJob] = Memory(self.pictures, LocalFeed(world.clock), media)
        picture_steps = ImageSteps(
            ImageContext(
                makers={"fake": painter},
                memory=picture_memory,
                budget=MemoryBudget(world.clock, capacity=ROOM, wait_seconds=1.0),
                clock=world.clock,
                schedule=PACE,
                drain_seconds=1.0,
            )
        )
        self._picture_poller: Poller[ImageJob] = Poller(self.pictures, picture_steps, clock=world.clock, schedule=PACE)
        self.liveness = Liveness(SqlRequestStore(world.database), world.clock, LEASE)
        self.writes = Tasks("life")
        timeouts = Timeouts(heartbeat=10.0, replay=REPLAY_SECONDS)
        self.admission: Admission[VideoJob] = Admission(memory, world.clock, timeouts, self.liveness, self.writes)
        self.picture_admission: Admission[ImageJob] = Admission(
            picture_memory, world.clock, timeouts, self.liveness, self.writes
        )
        self.janitor = Janitor(media, self.jobs, world.clock, Retention(keep=KEEP_SECONDS, replay=REPLAY_SECONDS))
        self.connections: list[Connection] = []
        #: The round that stands still.
        self.round: asyncio.Task[None] | None = None
        self.is_buried = self._has_replayed = False

    @property
    def is_usable(self) -> bool:
        """Whether it runs."""
        return not (self.edges.is_dead or self.edges.paused.is_set())

    @property
    def waited_for(self) -> set[str]:
        """The jobs that its clients wait for."""
        return {connection.job_id for connection in self.connections}

    async def move_pictures(self) -> None:
        """Do one round with the pictures only, as `move`."""
        try:
            with suppress(StorageFailed):
                await self._picture_poller.tick()
        finally:
            await self._picture_poller.settle()

    async def move(self) -> None:
        """Do one round, and wait until all that it began is done."""
        try:
            with suppress(StorageFailed):  # the next round tries again
                if not self._has_replayed:
                    await self._steps.replay()
                    self._has_replayed = True
                await self._poller.tick()
                await self._picture_poller.tick()
        finally:
            await self._poller.settle()
            await self._picture_poller.settle()


class World:
    """One database, one Google, two processes."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        bug: Callable[[object], object] | None = None,
        picture_bug: Callable[[object], object] | None = None,
        counted: CountedWork | None = None,
    ) -> None:
        """Take a mistake of the store of videos, of that of pictures, or of the counting, if there shall be one."""
        counted = counted or CountedWork()
        store, pictures = SqlJobStore(database, usage=counted), SqlJobStore(database, IMAGE, counted)
        self.clock = LifeClock()
        self.google = Google()
        self.google.at(self.clock)
        self.database = database
        self.folder = folder
        self.media = cast(MediaStore, DatedMedia(open_media("memory://"), self.clock))
        #: Sees what is stored, and disturbs nothing.
        self.observer = cast("JobStore[VideoJob]", bug(store) if bug else store)
        self.painter = Painter()
        self.pictures = cast("JobStore[ImageJob]", picture_bug(pictures) if picture_bug else pictures)
        self.processes = [Process(self), Process(self)]
        self._numbers = 0

    async def run(self, process: Process, work: Coroutine[None, None, _T]) -> asyncio.Task[_T]:
        """Run work of a process until it is done, or the process stands still. Time passes only if it is waited for."""
        task = asyncio.ensure_future(work)
        await self.go_on(process, task)
        return task

    async def go_on(self, process: Process, task: asyncio.Task[_T]) -> None:
        """Go on with such work."""
        while not task.done() and not process.edges.paused.is_set():
            if self.clock.asleep.is_set():
                await self.clock.wake()
                await self._beat()
                continue
            signs = [asyncio.ensure_future(sign.wait()) for sign in (self.clock.asleep, process.edges.paused)]
            await asyncio.wait([task, *signs], return_when=asyncio.FIRST_COMPLETED)
            for sign in signs:
                sign.cancel()

    async def move(self, process: Process, what: Disturbance | None = None, calls: int = 0) -> None:
        """Let a process do one round, with a disturbance at the so many-th edge."""
        await self._move(process, process.move(), what, calls)

    async def move_pictures(self, process: Process, what: Disturbance, calls: int) -> None:
        """Let a process do one round with its pictures, as `move`."""
        await self._move(process, process.move_pictures(), what, calls)

    async def _move(
        self, process: Process, work: Coroutine[None, None, None], what: Disturbance | None, calls: int
    ) -> None:
        process.edges.arm(what, calls)
        task = await self.run(process, work)
        process.edges.arm(None, 0)
        if process.edges.paused.is_set():
            process.round = task
        await self.bury(process)
        _take_outcome(task)

    async def resume(self, process: Process) -> None:
        """Let a paused process go on with its round."""
        process.edges.resume()
        if process.round is not None:
            await self.go_on(process, process.round)
            _take_outcome(process.round)
            process.round = None

    async def kill(self, process: Process) -> None:
        """Kill a process, and start another in its place."""
        process.edges.kill()
        await self.resume(process)
        await self.bury(process)
        self.processes[self.processes.index(process)] = Process(self)

    async def bury(self, process: Process) -> None:
        """Let go of what the kernel lets go of when a process dies."""
        if process.edges.is_dead and not process.is_buried:
            process.is_buried = True
            process.connections.clear()
            await process.writes.finish()
            await process.spool.close()

    async def ask(self, process: Process, identity: RequestIdentity, prompt: str) -> tuple[str, asyncio.Task[str]]:
        """Ask for a video. Return the id that a new job has, and the outcome: the id of the job that answers."""
        self._numbers += 1
        new = video_job(self._numbers, order=video_order(prompt), at=self.clock.now())
        return new.id, await self.run(process, self._ask(process, identity, new))

    async def _ask(self, process: Process, identity: RequestIdentity, new: VideoJob) -> str:
        async def create() -> VideoJob:
            return msgspec.structs.replace(new, created_at=self.clock.now())

        starting = process.admission.join(identity, create)
        await asyncio.wait([starting.task])
        try:
            job, _ = starting.task.result()
        except BaseException:
            process.admission.leave(starting, answered=False)
            raise
        process.connections.append(Connection(starting=starting, job_id=job.id))
        return job.id

    async def ask_for_picture(self, process: Process, identity: RequestIdentity) -> tuple[str, asyncio.Task[str]]:
        """Ask for a picture in the background, as `ask`. Its client has its answer at once, and goes."""
        self._numbers += 1
        new = image_job(self._numbers, at=self.clock.now())
        return new.id, await self.run(process, self._ask_for_picture(process, identity, new))

    async def _ask_for_picture(self, process: Process, identity: RequestIdentity, new: ImageJob) -> str:
        async def create() -> ImageJob:
            return new

        starting = process.picture_admission.join(identity, create)
        await asyncio.wait([starting.task])
        is_answered = starting.task.exception() is None
        process.picture_admission.leave(starting, answered=is_answered)
        await process.writes.finish()
        return starting.task.result()[0].id

    async def leave(self, process: Process, connection: Connection, *, answered: bool) -> None:
        """End a connection; `answered` says whether its client received the job's id."""
        process.connections.remove(connection)
        process.admission.leave(connection.starting, answered=answered)
        await self.run(process, process.writes.finish())

    async def pass_time(self, seconds: float) -> None:
        """Let time pass. Processes that run say all the while that they are alive."""
        await self._beat()
        await self.clock.advance(seconds)
        await self._beat()

    async def _beat(self) -> None:
        for process in self.processes:
            if process.is_usable:
                await process.liveness.tend()

    async def close(self) -> None:
        """End all processes."""
        for process in self.processes:
            process.edges.kill()
            await self.resume(process)
            await self.bury(process)
        await self.database.dispose()


def image_job(number: int, *, at: float) -> ImageJob:
    """Return an accepted picture whose prompt is its id."""
    name = f"image_{number:032x}"
    order = ImageOrder(model="fake", provider="fake", upstream="fake", prompt=name, n=1, frame=Frame())
    return ImageJob(id=name, owner=OWNER, order=order, created_at=at, stem=f"{number:032x}")


def _take_outcome(task: asyncio.Task[None]) -> None:
    if task.done() and not isinstance(fault := task.exception(), Died) and fault is not None:
        raise fault
