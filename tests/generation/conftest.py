"""Use cases with a real memory and providers that do as they are told."""

from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from adapter.budget import MemoryBudget
from adapter.database.engine import Database
from adapter.domain.executions import RequestIdentity, RetryInfo
from adapter.domain.media import Frame, Image, MediaFormat, image_from_bytes
from adapter.domain.orders import ImageOrder, InlineSource, Source
from adapter.domain.ports import ImageMaker, ImageMakers, Memory, Quotas, Work
from adapter.errors import AdapterError
from adapter.generation.execution import ResultHandle
from adapter.generation.liveness import Liveness
from adapter.generation.pictures import Pictures
from adapter.generation.prior_executions import PriorExecutions
from adapter.generation.timeouts import Timeouts
from adapter.generation.videos import Videos
from adapter.jobs.feed import LocalFeed
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.store import SqlJobStore
from adapter.media.store import open_media
from tests.fakes import FakeClock

PATIENCE = Timeouts(heartbeat=10.0, replay=60.0)
#: The lease of a process, in seconds.
LEASE = 10.0
ONE_PICTURE = ImageOrder(model="m", provider="fake", upstream="m", prompt="a fox", n=1, frame=Frame())


@pytest.fixture
def clock() -> FakeClock:
    """Time, from second 1000 on."""
    return FakeClock()


@pytest.fixture
def memory(database: Database, clock: FakeClock) -> Memory:
    """The three memories."""
    return Memory(SqlJobStore(database), LocalFeed(clock), open_media("memory://"))


@pytest.fixture
def liveness(requests: SqlRequestStore, clock: FakeClock) -> Liveness:
    """A process."""
    return Liveness(requests, clock, LEASE)


@pytest.fixture
async def videos(memory: Memory, clock: FakeClock, liveness: Liveness) -> AsyncIterator[Videos]:
    """The use cases; nobody moves the jobs but the test. What was begun is waited for before the memory closes."""
    videos = Videos(Inputs(), memory, clock, PATIENCE, liveness, wake=lambda: None)
    yield videos
    await videos.finish()


@pytest.fixture
def requests(database: Database) -> SqlRequestStore:
    """The memory of requests, empty."""
    return SqlRequestStore(database)


class Studio:
    """Processes that make pictures, on one memory."""

    def __init__(self, memory: Memory, requests: SqlRequestStore, clock: FakeClock) -> None:
        self.memory = memory
        self.requests = requests
        self.clock = clock
        self.budget = MemoryBudget(clock, capacity=10**9, wait_seconds=1.0)
        self._processes: list[Pictures] = []
        self._alive: list[Liveness] = []

    def pictures(
        self,
        maker: ImageMaker,
        timeouts: Timeouts = PATIENCE,
        *,
        recent_results_bytes: int = 10**6,
        quotas: Quotas | None = None,
    ) -> Pictures:
        """Open a process."""
        timeouts = msgspec.structs.replace(timeouts, recent_results_bytes=recent_results_bytes)
        liveness = Liveness(self.requests, self.clock, LEASE)
        self._alive.append(liveness)
        repeats = PriorExecutions(self.requests, self.memory.media, self.clock, timeouts, liveness)
        process = Pictures(image_makers(maker), repeats, self.memory.feed, self.clock, timeouts, quotas=quotas)
        self._processes.append(process)
        return process

    async def beat(self) -> None:
        """Let every process say that it is alive, if it has a reason."""
        for liveness in self._alive:
            await liveness.tend()

    async def close(self) -> None:
        """Wait for what was begun, before the memory closes."""
        for process in self._processes:
            await process.finish()

    async def open(
        self, pictures: Pictures, asked: RequestIdentity, order: ImageOrder = ONE_PICTURE, *, linked: bool = False
    ) -> ResultHandle:
        """Ask for pictures as a route does."""
        async with self.budget.reserve(0) as reservation:
            handle = pictures.join(order, asked, reservation, linked=linked)
            try:
                await handle.opened()
            except AdapterError:
                handle.close(delivered=False)
                raise
            return handle

    async def files(self) -> list[str]:
        """Return the names of everything that is stored."""
        return sorted([file.name async for page in self.memory.media.list() for file in page])


@pytest.fixture
async def studio(memory: Memory, requests: SqlRequestStore, clock: FakeClock) -> AsyncIterator[Studio]:
    """Where pictures are made."""
    studio = Studio(memory, requests, clock)
    yield studio
    await studio.close()


def identity(content: str = "a fox", *, owner: str = "ada", key: str | None = None, count: int = 0) -> RequestIdentity:
    """Return a request."""
    return RequestIdentity(
        owner=owner, route="/images/generations", content=f"1:{content}", repeat=RetryInfo(key=key, count=count)
    )


class Inputs:
    """Brings what came with the request."""

    async def gather(self, sources: Sequence[Source], formats: Sequence[MediaFormat], work: Work) -> Sequence[Image]:
        assert work.owner
        assert formats or not sources
        found = [image_from_bytes(source.data) for source in sources if isinstance(source, InlineSource)]
        return [image for image in found if image]


def image_makers(maker: ImageMaker) -> ImageMakers:
    """Return what media are made with."""
    return ImageMakers({"fake": maker}, Inputs())
