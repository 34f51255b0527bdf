"""Pictures, as use cases."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from adapter.database.engine import Database
from adapter.domain.media import Frame, Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Memory
from adapter.errors import ContentRefused, Draining, StorageFailed
from adapter.generation.files import Files
from adapter.generation.pictures import Pictures
from adapter.jobs.feed import LocalFeed
from adapter.jobs.store import SqlJobStore
from adapter.media.store import open_media
from tests.fakes import FakeClock, FakeImageMaker, made_image, png
from tests.generation.conftest import PATIENCE, workshop


class SlowMaker:
    """Makes a picture when it is told to, or fails."""

    def __init__(self) -> None:
        self.made: asyncio.Future[Sequence[Image]] = asyncio.get_running_loop().create_future()

    async def make_images(self, order: ImageOrder) -> Sequence[Image]:
        assert order is ONE_PICTURE
        return await self.made


ONE_PICTURE = ImageOrder(model="m", provider="fake", upstream="m", prompt="a fox", n=1, frame=Frame())


async def test_who_watches_pictures_hears_of_each_spell_of_silence(memory: Memory, clock: FakeClock) -> None:
    """A sign of life, and then the pictures."""
    maker = SlowMaker()
    states = Pictures(workshop(maker), memory, clock, PATIENCE).watch_images(ONE_PICTURE)
    for _ in range(2):
        first = asyncio.ensure_future(anext(states))
        await asyncio.sleep(0)
        await clock.advance(PATIENCE.heartbeat)
        assert await first is None

    maker.made.set_result([made_image()])
    assert await anext(states) == [made_image()]
    assert [state async for state in states] == []


async def test_a_fault_reaches_who_watches(memory: Memory, clock: FakeClock) -> None:
    """As it was raised."""
    maker = SlowMaker()
    maker.made.set_exception(ContentRefused("no"))

    with pytest.raises(ContentRefused):
        await anext(Pictures(workshop(maker), memory, clock, PATIENCE).watch_images(ONE_PICTURE))


async def test_who_stops_watching_pictures_stops_their_making(memory: Memory, clock: FakeClock) -> None:
    """Nobody could be given them."""
    maker = SlowMaker()
    async with aclosing(Pictures(workshop(maker), memory, clock, PATIENCE).watch_images(ONE_PICTURE)) as states:
        first = asyncio.ensure_future(anext(states))
        await asyncio.sleep(0)
        await clock.advance(PATIENCE.heartbeat)
        await first
    await asyncio.sleep(0)

    assert maker.made.cancelled()


async def test_pictures_that_cannot_be_kept_are_paid_for_all_the_same(
    memory: Memory, clock: FakeClock, tmp_path: Path
) -> None:
    """The client's SDK is told not to order them again."""
    folder = tmp_path / "media"
    refusing = Memory(memory.jobs, memory.feed, open_media(f"file://{folder}"))
    folder.rmdir()
    folder.write_text("a file where the folder was")
    pictures = Pictures(workshop(FakeImageMaker()), refusing, clock, PATIENCE)

    with pytest.raises(StorageFailed) as caught:
        await pictures.keep_images([made_image()])
    assert caught.value.should_retry is False


async def test_pictures_are_kept_under_names_of_their_own(pictures: Pictures, memory: Memory) -> None:
    """Unguessable, with the right ending, byte for byte."""
    order = ImageOrder(model="m", provider="fake", upstream="m", prompt="a fox", n=2, frame=Frame())
    names = await pictures.keep_images(await pictures.make_images(order))

    assert len({name.partition(".")[0] for name in names}) == 2
    for name in names:
        file = await Files(memory.media).find(name)
        assert b"".join([part async for part in Files(memory.media).read(name, 0, file.size)]) == png()
        assert name.endswith(".png")


async def test_pictures_under_way_get_a_last_while(memory: Memory, clock: FakeClock) -> None:
    """They are paid for: those that come in time are handed over, the others are not ordered again by the SDK."""
    maker, late = SlowMaker(), SlowMaker()
    patience = msgspec.structs.replace(PATIENCE, farewell=0.05)
    in_time, too_late = (Pictures(workshop(one), memory, clock, patience) for one in (maker, late))
    tasks = [asyncio.create_task(each.make_images(ONE_PICTURE)) for each in (in_time, too_late)]
    await asyncio.sleep(0)
    for each in (in_time, too_late):
        each.drain()
    maker.made.set_result([made_image()])

    assert await tasks[0] == [made_image()]
    with pytest.raises(Draining) as caught:
        await tasks[1]
    assert caught.value.should_retry is False


async def test_no_pictures_are_begun_at_the_end(clock: FakeClock, database: Database) -> None:
    """Ask again, and another process answers: nothing was paid for."""
    feed = LocalFeed(clock)
    memory = Memory(SqlJobStore(database), feed, open_media("memory://"))
    feed.close()

    with pytest.raises(Draining) as caught:
        await Pictures(workshop(FakeImageMaker()), memory, clock, PATIENCE).make_images(ONE_PICTURE)
    assert caught.value.should_retry is True
