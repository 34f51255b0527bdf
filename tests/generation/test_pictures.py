"""Pictures, as use cases: made once, told of, kept, and what becomes of them at the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.domain.executions import RequestIdentity
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.pieces import LONGEST_PAUSE, REPEAT_SECONDS, find_whole
from adapter.domain.ports import MediaStore, Memory, Work
from adapter.domain.prices import Quote
from adapter.domain.usage import Currency
from adapter.errors import AdapterError, ContentRefused, Draining, ServerBusy, StorageFailed
from adapter.generation.execution import ResultHandle
from adapter.jobs.feed import LocalFeed
from tests.fakes import FakeClock, FakeImageMaker, made_image, png
from tests.generation.conftest import ONE_PICTURE, PATIENCE, Studio, identity


class SlowMaker:
    """Makes a picture when it is told to, or fails."""

    def __init__(self) -> None:
        self.made: asyncio.Future[Sequence[Image]] = asyncio.get_running_loop().create_future()
        self.calls = 0
        self.works: list[Work] = []

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        assert order is ONE_PICTURE
        self.calls += 1
        self.works.append(work)
        return await asyncio.shield(self.made)


async def test_who_watches_pictures_hears_of_each_spell_of_silence(studio: Studio, clock: FakeClock) -> None:
    """A sign of life, and then the pictures."""
    maker = SlowMaker()
    handle = await studio.open(studio.pictures(maker), identity())
    states = handle.watch()
    for _ in range(2):
        first = asyncio.ensure_future(anext(states))
        await asyncio.sleep(0)
        await clock.advance(PATIENCE.heartbeat)
        assert await first is None

    maker.made.set_result([made_image()])
    [batch] = [state async for state in states]
    assert batch is not None
    assert batch.images == [made_image()]


QUOTES = (Quote(date(1970, 1, 1), Currency.USD, Decimal("0.04")), Quote(date(1970, 1, 2), Currency.USD, Decimal(9)))


async def test_pictures_know_what_they_cost(studio: Studio, clock: FakeClock) -> None:
    """By the price of the day; the log has the sum, and who comes back is told the same."""
    order = msgspec.structs.replace(ONE_PICTURE, n=2, quotes=QUOTES)
    with capture_logs() as logs:
        first = await studio.open(studio.pictures(FakeImageMaker()), identity(key="one"), order)
        made = await first.batch()
        first.close(delivered=True)
        await studio.close()
        await clock.advance(85_500.0)  # to the next day, and less than a key lives
        again = await studio.open(studio.pictures(FakeImageMaker()), identity(key="one"), order)
        known = await again.batch()
    [line] = [line for line in logs if line["event"] == "pictures.finished"]

    assert [str(image.cost) for image in made.images] == ["0.04 USD", "0.04 USD"]
    assert [image.cost for image in known.images] == [image.cost for image in made.images]
    assert (line["model"], line["n"], line["cost"]) == ("m", 2, "0.08 USD")


async def test_a_maker_is_told_whose_work_it_does_and_whether_it_is_wanted(studio: Studio) -> None:
    """Wanted by the client that comes back, too."""
    maker = SlowMaker()
    pictures = studio.pictures(maker)
    handle = await studio.open(pictures, identity())
    [work] = maker.works
    wanted = [work.is_wanted()]
    handle.close(delivered=False)
    wanted.append(work.is_wanted())
    back = await studio.open(pictures, identity(count=1))
    wanted.append(work.is_wanted())

    assert (work.owner, wanted) == ("ada", [True, False, True])
    maker.made.set_result([made_image()])
    assert (await back.batch()).images == [made_image()]


async def test_a_fault_reaches_who_watches(studio: Studio) -> None:
    """As it was raised."""
    maker = SlowMaker()
    handle = await studio.open(studio.pictures(maker), identity())
    maker.made.set_exception(ContentRefused("no"))

    with pytest.raises(ContentRefused):
        await anext(handle.watch())


async def test_who_stops_watching_pictures_does_not_stop_their_making(studio: Studio, clock: FakeClock) -> None:
    """They may be paid for."""
    maker = SlowMaker()
    handle = await studio.open(studio.pictures(maker), identity())
    async with aclosing(handle.watch()) as states:
        first = asyncio.ensure_future(anext(states))
        await asyncio.sleep(0)
        await clock.advance(PATIENCE.heartbeat)
        await first
    handle.close(delivered=False)

    again = await studio.open(studio.pictures(FakeImageMaker()), identity("another"))
    assert (await again.batch()).images == [made_image()]
    assert not maker.made.cancelled()
    maker.made.set_result([])


class Bucket:
    """A media store that is away until it is back; it counts what it was asked to take, and what it took."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media
        self.is_away = True
        self.asked = self.taken = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._media, name)

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        self.asked += 1
        if self.is_away:
            raise StorageFailed("away")
        await self._media.put(name, chunks)
        self.taken += 1


@pytest.fixture
def bucket(studio: Studio) -> Bucket:
    """The media store of the studio, which is away."""
    bucket = Bucket(studio.memory.media)
    studio.memory = Memory(studio.memory.jobs, studio.memory.feed, bucket)  # type: ignore[arg-type] # the rest is its own
    return bucket


async def pass_time(clock: FakeClock, is_done: Callable[[], bool]) -> None:
    """Let time pass whenever a pause waits for it, until something happened."""
    until = time.monotonic() + 20
    while not is_done() and time.monotonic() < until:
        await asyncio.sleep(0.001)  # a picture is decoded in a thread
        if clock.alarms:
            await clock.advance(LONGEST_PAUSE)
    assert is_done()


async def until_asked(bucket: Bucket, clock: FakeClock, times: int) -> None:
    """Let time pass until the store was asked so often."""
    await pass_time(clock, lambda: bucket.asked >= times)


async def failed(handle: ResultHandle, clock: FakeClock) -> AdapterError:
    """Let time pass until the pictures are there, and return the error."""
    batch = asyncio.create_task(handle.batch())
    await pass_time(clock, batch.done)
    fault = batch.exception()
    assert isinstance(fault, AdapterError)
    return fault


async def test_a_picture_is_stored_as_soon_as_the_bucket_is_back(
    studio: Studio, bucket: Bucket, clock: FakeClock
) -> None:
    """It is paid for, and its client waits for the link."""
    handle = await studio.open(studio.pictures(FakeImageMaker()), identity(), linked=True)
    await until_asked(bucket, clock, 3)
    bucket.is_away = False
    await pass_time(clock, lambda: bucket.taken > 0)

    [name] = (await handle.batch()).names
    assert await studio.files() == [name]


async def test_pictures_that_cannot_be_stored_are_paid_for_all_the_same(
    studio: Studio, bucket: Bucket, clock: FakeClock
) -> None:
    """After half a minute the client hears it. Its SDK is told not to order them again."""
    handle = await studio.open(studio.pictures(FakeImageMaker()), identity(), linked=True)
    began = clock.now()
    fault = await failed(handle, clock)

    assert (fault.code, fault.should_retry, fault.spent) == ("storage_unavailable", False, True)
    assert REPEAT_SECONDS <= clock.now() - began <= REPEAT_SECONDS + 2 * LONGEST_PAUSE
    assert bucket.asked > 3


@pytest.mark.parametrize("again", [identity(), identity(count=1), identity(key="k")], ids=["new", "retry", "key"])
async def test_a_picture_that_could_not_be_stored_is_given_to_who_asks_again(
    studio: Studio, bucket: Bucket, clock: FakeClock, again: RequestIdentity
) -> None:
    """It is in memory, and is not made a second time."""
    first = identity(key=again.repeat.key)
    maker = FakeImageMaker()
    pictures = studio.pictures(maker)
    handle = await studio.open(pictures, first, linked=True)
    await failed(handle, clock)
    handle.close(delivered=True)  # the error was
    back = await studio.open(pictures, again, linked=True)
    with pytest.raises(StorageFailed, match="sent again") as still:
        await back.batch()
    back.close(delivered=True)
    bucket.is_away = False
    last = await studio.open(pictures, again, linked=True)
    names = (await last.batch()).names

    assert still.value.should_retry is False
    assert {*names} <= {*await studio.files()}
    assert back.execution_id == last.execution_id == handle.execution_id
    last.close(delivered=True)


async def test_a_picture_whose_client_left_is_stored_when_the_bucket_is_back(
    studio: Studio, bucket: Bucket, clock: FakeClock
) -> None:
    """A repetition gets it from another process."""
    handle = await studio.open(studio.pictures(FakeImageMaker()), identity(), linked=True)
    handle.close(delivered=False)
    await until_asked(bucket, clock, 3)
    bucket.is_away = False
    await pass_time(clock, lambda: bucket.taken > 0)
    await studio.close()
    kept = await studio.files()
    other = await studio.open(studio.pictures(SlowMaker()), identity(count=1), linked=True)

    assert (await other.batch()).names == tuple(kept)


async def test_the_end_of_the_process_does_not_wait_for_a_bucket(
    studio: Studio, bucket: Bucket, clock: FakeClock
) -> None:
    """The time of the clock stands still."""
    pictures = studio.pictures(FakeImageMaker())
    handle = await studio.open(pictures, identity(), linked=True)
    while not clock.alarms:
        await asyncio.sleep(0.001)
    pictures.drain()

    with pytest.raises(StorageFailed):
        await handle.batch()
    assert bucket.asked == 1


async def test_linked_pictures_are_kept_under_names_of_their_own(studio: Studio, memory: Memory) -> None:
    """Unguessable, with the right ending, byte for byte."""
    order = msgspec.structs.replace(ONE_PICTURE, n=2)
    handle = await studio.open(studio.pictures(FakeImageMaker()), identity(), order, linked=True)
    names = (await handle.batch()).names

    assert len({name.partition(".")[0] for name in names}) == 2
    for name in names:
        assert await find_whole(memory.media, name) == png()
        assert name.endswith(".png")


async def test_pictures_under_way_get_a_last_while(studio: Studio) -> None:
    """They are paid for: those that come in time are handed over, the others are not ordered again by the SDK."""
    maker, late = SlowMaker(), SlowMaker()
    timeouts = msgspec.structs.replace(PATIENCE, drain_seconds=0.05)
    in_time, too_late = (studio.pictures(one, timeouts) for one in (maker, late))
    handles = [await studio.open(each, identity()) for each in (in_time, too_late)]
    for handle in handles:
        await handle.opened()
    await asyncio.sleep(0)
    for each in (in_time, too_late):
        each.drain()
    maker.made.set_result([made_image()])

    assert (await handles[0].batch()).images == [made_image()]
    with pytest.raises(Draining) as caught:
        await handles[1].batch()
    assert caught.value.should_retry is False


async def test_no_pictures_are_begun_at_the_end(studio: Studio, clock: FakeClock) -> None:
    """Ask again, and another process answers: nothing was paid for."""
    feed = LocalFeed(clock)
    studio.memory = Memory(studio.memory.jobs, feed, studio.memory.media)
    feed.close()

    with pytest.raises(Draining) as caught:
        await studio.open(studio.pictures(FakeImageMaker()), identity())
    assert (caught.value.should_retry, caught.value.spent) == (True, False)


async def test_room_is_held_until_the_work_is_done_and_everybody_has_left(studio: Studio, clock: FakeClock) -> None:
    """A client that hangs up takes nothing of it along: the work goes on in it."""
    maker = SlowMaker()
    pictures = studio.pictures(maker)
    handle = await studio.open(pictures, identity())
    handle.close(delivered=False)
    whole = asyncio.create_task(all_room(studio))
    await asyncio.sleep(0)
    await clock.advance(1.0)
    with pytest.raises(ServerBusy):
        await whole

    maker.made.set_result([made_image()])
    await pictures.finish()
    await all_room(studio)


async def all_room(studio: Studio) -> None:
    """Take all room there is, and give it back."""
    async with studio.budget.reserve(10**9):
        pass
