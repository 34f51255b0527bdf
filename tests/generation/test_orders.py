"""Orders: pictures are found, memory is reserved, the client is looked for, and only then something is begun."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec
import pytest

from adapter.budget import MemoryBudget
from adapter.database.engine import Database
from adapter.domain import memory_estimate
from adapter.domain.media import Image
from adapter.domain.orders import FileIdSource, ImageOrder, InlineSource, VideoDraft
from adapter.domain.ports import EndCallback, Memory, Reservation, Work
from adapter.errors import ClientLeft, InvalidRequest, ServerBusy
from adapter.generation.orders import ImageOrders, MediaCall, VideoOrders
from adapter.generation.uploads import Uploads
from adapter.generation.videos import Videos
from adapter.records.files import SqlFileStore
from tests.fakes import FakeClock, made_image, png, video_order
from tests.generation.conftest import ONE_PICTURE, Studio, identity

UNKNOWN = FileIdSource("file-1", "image")
INLINE = InlineSource(png(), "image")


class Line:
    """A connection that remembers what it was asked for."""

    def __init__(self, budget: MemoryBudget, *, is_there: bool = True, has_memory: bool = True) -> None:
        self.steps: list[str] = []
        self.ends: list[EndCallback] = []
        self._budget = budget
        self._is_there = is_there
        self._has_memory = has_memory
        self._stack = AsyncExitStack()

    async def reserve(self, size: int) -> Reservation:
        self.steps.append(f"reserve {size}")
        if not self._has_memory:
            raise ServerBusy("full")
        return await self._stack.enter_async_context(self._budget.reserve(size))

    async def check_connected(self) -> None:
        self.steps.append("check")
        if not self._is_there:
            raise ClientLeft("gone")

    async def call_at_end(self, callback: EndCallback) -> None:
        self.steps.append("call at end")
        self.ends.append(callback)

    async def hang_up(self, *, delivered: bool = False) -> None:
        """End."""
        for end in self.ends:
            end(delivered=delivered)
        await self._stack.aclose()


class Maker:
    """Makes pictures and counts its orders."""

    def __init__(self) -> None:
        self.orders: list[ImageOrder] = []

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        assert work.owner
        self.orders.append(order)
        return [made_image()]


@pytest.fixture
def uploads(database: Database, memory: Memory, clock: FakeClock) -> Uploads:
    """No files."""
    return Uploads(SqlFileStore(database), memory.media, clock)


@pytest.fixture
def budget(clock: FakeClock) -> MemoryBudget:
    """Enough memory for one video's pictures."""
    return MemoryBudget(clock, capacity=10**9, wait_seconds=1.0)


async def test_pictures_are_begun_after_memory_was_reserved_and_the_client_was_seen(
    studio: Studio, uploads: Uploads
) -> None:
    """The connection is told to let go of them."""
    line, maker = Line(studio.budget), Maker()
    orders = ImageOrders(uploads, studio.pictures(maker))
    handle = await orders.open(ONE_PICTURE, MediaCall(identity(), line), linked=False)

    assert line.steps == ["reserve 0", "check", "call at end"]
    assert len((await handle.batch()).images) == len(maker.orders) == 1
    await line.hang_up(delivered=True)


@pytest.mark.parametrize(
    ("order", "is_there", "has_memory", "fault"),
    [
        (msgspec.structs.replace(ONE_PICTURE, sources=(UNKNOWN,)), True, True, InvalidRequest),
        (ONE_PICTURE, False, True, ClientLeft),
        (ONE_PICTURE, True, False, ServerBusy),
    ],
)
async def test_no_picture_is_begun_for_a_request_that_fails_on_the_way(
    studio: Studio,
    uploads: Uploads,
    order: ImageOrder,
    is_there: bool,
    has_memory: bool,
    fault: type[Exception],
) -> None:
    """A file that is unknown, a client that left, memory that is full."""
    line, maker = Line(studio.budget, is_there=is_there, has_memory=has_memory), Maker()
    with pytest.raises(fault):
        await ImageOrders(uploads, studio.pictures(maker)).open(order, MediaCall(identity(), line), linked=False)
    await studio.close()

    assert (maker.orders, line.ends) == ([], [])
    await line.hang_up()


async def test_a_videos_pictures_have_their_memory_before_it_is_begun(
    videos: Videos, uploads: Uploads, budget: MemoryBudget, memory: Memory
) -> None:
    """A video of words alone needs none."""
    orders = VideoOrders(uploads, videos)
    for sources in ((), (INLINE,)):
        line = Line(budget)
        draft = VideoDraft(order=video_order(str(sources)), sources=sources, input_formats=tuple({made_image().format}))
        await orders.start(draft, MediaCall(identity(str(sources)), line), is_shown=False)
        reserved = [f"reserve {memory_estimate.of_sources(sources)}"] if sources else []

        assert line.steps == [*reserved, "check", "call at end"]
        await line.hang_up()
        await videos.finish()

    assert len(await memory.jobs.recent(10)) == 2


@pytest.mark.parametrize(
    ("sources", "is_there", "has_memory", "fault"),
    [
        ((UNKNOWN,), True, True, InvalidRequest),
        ((), False, True, ClientLeft),
        ((INLINE,), True, False, ServerBusy),
    ],
)
async def test_no_video_is_begun_for_a_request_that_fails_on_the_way(
    videos: Videos,
    uploads: Uploads,
    budget: MemoryBudget,
    memory: Memory,
    sources: tuple[InlineSource | FileIdSource, ...],
    is_there: bool,
    has_memory: bool,
    fault: type[Exception],
) -> None:
    """As for pictures: nothing is remembered, so nothing is paid for."""
    line = Line(budget, is_there=is_there, has_memory=has_memory)
    draft = VideoDraft(order=video_order(), sources=sources)
    with pytest.raises(fault):
        await VideoOrders(uploads, videos).start(draft, MediaCall(identity(), line), is_shown=False)
    await videos.finish()

    assert (await memory.jobs.recent(10), line.ends) == ([], [])
    await line.hang_up()


@pytest.mark.parametrize("is_shown", [True, False])
async def test_an_end_says_whether_a_client_was_given_the_videos_id(
    videos: Videos, uploads: Uploads, budget: MemoryBudget, memory: Memory, clock: FakeClock, is_shown: bool
) -> None:
    """A client that is shown the video itself has no id: its next request joins the job."""
    line, orders, draft = Line(budget), VideoOrders(uploads, videos), VideoDraft(order=video_order())
    waiting = await orders.start(draft, MediaCall(identity(), line), is_shown=is_shown)
    telling = asyncio.create_task(waiting.job(20.0))
    async with asyncio.timeout(5):
        while 1020.0 not in clock.alarms:
            await asyncio.sleep(0)
    await clock.advance(20.0)
    await telling
    await line.hang_up(delivered=True)
    await videos.finish()
    next_line = Line(budget)
    await orders.start(draft, MediaCall(identity(), next_line), is_shown=is_shown)
    await videos.finish()

    assert len(await memory.jobs.recent(10)) == (1 if is_shown else 2)
    await next_line.hang_up()
    await videos.finish()
