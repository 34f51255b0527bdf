"""Replies: remembered, worked on while nobody waits, called off, and lost with their process."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.budget import MemoryBudget
from adapter.database.engine import Database
from adapter.domain.executions import RequestIdentity
from adapter.domain.media import Frame, Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Memory
from adapter.domain.stored_response import LOST, ResponseStatus, StoredResponse
from adapter.errors import ContentRefused, InvalidRequest, NotFound, StorageFailed
from adapter.generation.image_files import ImageFiles
from adapter.generation.pictures import Pictures
from adapter.generation.responses import Background, Responses
from adapter.media.store import open_media
from adapter.records.responses import SqlResponseStore
from tests.fakes import FakeClock, made_image, png, stored
from tests.generation.conftest import PATIENCE, Studio, identity

ORDER = ImageOrder(model="m", provider="fake", upstream="m", prompt="a fox", n=1, frame=Frame())
BACKGROUND = stored(background=True)
FAREWELL = 0.05


class Maker:
    """Makes a picture when it is told to, or fails."""

    def __init__(self) -> None:
        self.made: asyncio.Future[Sequence[Image]] = asyncio.get_running_loop().create_future()
        self.asked = False

    async def make_images(self, order: ImageOrder) -> Sequence[Image]:
        assert order == ORDER
        self.asked = True
        return await self.made


class Process(Background):
    """Works in the background on what it is asked for."""

    def __init__(self, responses: Responses, pictures: Pictures, budget: MemoryBudget, clock: FakeClock) -> None:
        super().__init__(responses, pictures, clock, PATIENCE)
        self.pictures = pictures
        self.budget = budget

    async def begin(
        self, asked: RequestIdentity | None = None, *, delivered: bool = True, draft: StoredResponse = BACKGROUND
    ) -> StoredResponse:
        """Ask as a route does; whether the client was given the answer."""
        async with self.budget.reserve(0) as reservation:
            handle = self.pictures.join(ORDER, asked or identity(), reservation, linked=False)
            try:
                return await self.start(handle, lambda: draft)
            finally:
                handle.close(delivered=delivered)


@pytest.fixture
async def maker() -> Maker:
    """A maker of pictures."""
    return Maker()


@pytest.fixture
def store(database: Database) -> SqlResponseStore:
    """The memory of answers, empty."""
    return SqlResponseStore(database)


@pytest.fixture
def responses(store: SqlResponseStore, memory: Memory, clock: FakeClock) -> Responses:
    """The use cases."""
    return Responses(store, ImageFiles(memory.media), clock)


@pytest.fixture
def budget(clock: FakeClock) -> MemoryBudget:
    """Room for one picture at a time."""
    return MemoryBudget(clock, capacity=1, wait_seconds=PATIENCE.queue)


@pytest.fixture
def background(responses: Responses, maker: Maker, studio: Studio, clock: FakeClock, budget: MemoryBudget) -> Process:
    """The work."""
    timeouts = msgspec.structs.replace(PATIENCE, drain_seconds=FAREWELL)
    return Process(responses, studio.pictures(maker, timeouts), budget, clock)


async def until(check: Callable[[], bool]) -> None:
    """Return when something is so, which has to be soon."""
    async with asyncio.timeout(10):
        while not check():
            await asyncio.sleep(0)


async def ended(background: Process) -> StoredResponse:
    """Wait for the end of the reply."""
    async with asyncio.timeout(10):
        return [state async for state in background.watch(BACKGROUND.key, "ada")][-1]


async def test_a_picture_is_made_while_nobody_waits(
    background: Process, responses: Responses, maker: Maker, memory: Memory
) -> None:
    """Queued, in progress, completed; its picture is kept under the name that was chosen for it."""
    assert (await background.begin()).status is ResponseStatus.QUEUED
    async with asyncio.timeout(10):
        while (await responses.find(BACKGROUND.key, "ada")).status is not ResponseStatus.IN_PROGRESS:
            pass
    maker.made.set_result([made_image()])
    done = await ended(background)

    assert (done.status, done.failure) == (ResponseStatus.COMPLETED, None)
    assert await memory.media.find(f"{BACKGROUND.stem}.png") is not None
    image = await responses.picture(done)
    assert image is not None
    assert image.decode() == png()


async def test_a_fault_is_told_to_whoever_asks(background: Process, maker: Maker) -> None:
    """With Google's own words."""
    await background.begin()
    maker.made.set_exception(ContentRefused("Not this one."))
    failed = await ended(background)

    assert failed.status is ResponseStatus.FAILED
    assert failed.failure is not None
    assert (failed.failure.message, failed.failure.code) == ("Not this one.", "moderation_blocked")


async def test_a_sign_of_life_is_left_with_every_heartbeat(
    background: Process, responses: Responses, maker: Maker, clock: FakeClock
) -> None:
    """However long a picture takes, it is not given up while its process works on it; without it, it is."""
    await background.begin()
    await until(lambda: maker.asked)
    for _ in range(10):
        before = (await responses.find(BACKGROUND.key, "ada")).alive_until or 0.0
        await until(lambda: bool(clock.alarms))
        await clock.advance(PATIENCE.heartbeat)
        async with asyncio.timeout(10):
            while (await responses.find(BACKGROUND.key, "ada")).alive_until == before:
                pass
    assert (await responses.find(BACKGROUND.key, "ada")).status is ResponseStatus.IN_PROGRESS
    background.cancel(BACKGROUND.key)  # as if the process was killed: nobody writes anything down
    await clock.advance(PATIENCE.sign)

    assert (await ended(background)).failure == LOST


async def test_a_reply_that_is_called_off_stays_so(
    background: Process, responses: Responses, maker: Maker, memory: Memory
) -> None:
    """Nobody follows its picture any more, and nothing is kept of it."""
    await background.begin()
    await until(lambda: maker.asked)

    assert (await responses.cancel(BACKGROUND.key, "ada")).status is ResponseStatus.CANCELLED
    background.cancel(BACKGROUND.key)
    maker.made.set_result([made_image()])
    await background.finish()
    assert (await ended(background)).status is ResponseStatus.CANCELLED
    assert await memory.media.find(f"{BACKGROUND.stem}.png") is None


async def test_a_picture_that_comes_after_its_reply_was_called_off_elsewhere_is_not_kept(
    background: Process, responses: Responses, maker: Maker, memory: Memory
) -> None:
    """By another process, which cannot stop the work."""
    await background.begin()
    await until(lambda: maker.asked)
    await responses.cancel(BACKGROUND.key, "ada")
    maker.made.set_result([made_image()])
    await background.finish()

    assert (await ended(background)).status is ResponseStatus.CANCELLED
    assert await memory.media.find(f"{BACKGROUND.stem}.png") is None


async def test_nobody_follows_the_picture_of_a_deleted_reply_beyond_the_next_heartbeat(
    background: Process, responses: Responses, maker: Maker, clock: FakeClock
) -> None:
    """Nobody could be given its picture."""
    await background.begin()
    await until(lambda: maker.asked and bool(clock.alarms))
    await responses.delete(BACKGROUND.key, "ada")
    await clock.advance(PATIENCE.heartbeat)
    async with asyncio.timeout(10):
        await background.finish()

    assert not maker.made.done() or maker.made.cancelled()  # the last while of a slow machine may be over
    with pytest.raises(NotFound):
        await responses.find(BACKGROUND.key, "ada")


async def test_work_waits_for_room_and_fails_if_there_is_none(
    background: Process, maker: Maker, budget: MemoryBudget, clock: FakeClock
) -> None:
    """Nothing was begun."""
    async with budget.reserve(1):
        await background.begin()
        await until(lambda: bool(clock.alarms))
        await clock.advance(PATIENCE.queue)
        failed = await ended(background)

    assert failed.failure is not None
    assert (failed.failure.code, maker.asked) == ("server_busy", False)


async def test_when_the_process_stops_a_picture_gets_a_last_while_and_then_has_failed(
    background: Process, maker: Maker
) -> None:
    """It is said why, and nothing is made again."""
    await background.begin()
    await until(lambda: maker.asked)
    async with asyncio.timeout(10):
        await background.finish()
    failed = await ended(background)

    assert failed.status is ResponseStatus.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "server_draining"


class Away(SqlResponseStore):
    """A memory that is away when it is told so."""

    is_away = False

    async def find(self, key: str, owner: str, *, now: float) -> StoredResponse | None:
        if self.is_away:
            raise StorageFailed("away")
        return await super().find(key, owner, now=now)


async def test_a_look_that_fails_is_tried_again_and_ends_no_stream(
    database: Database, memory: Memory, studio: Studio, maker: Maker, clock: FakeClock, budget: MemoryBudget
) -> None:
    """Each silence meanwhile is broken; the end is told once the memory is back."""
    store = Away(database)
    responses = Responses(store, ImageFiles(memory.media), clock)
    background = Process(responses, studio.pictures(maker), budget, clock)
    queued = msgspec.structs.replace(BACKGROUND, alive_until=9e9, expires_at=9e9)
    await responses.remember(queued)
    states: list[StoredResponse] = []

    async def watch() -> None:
        async for state in background.watch(BACKGROUND.key, "ada"):
            states.append(state)
            store.is_away = len(states) < 4

    watching = asyncio.create_task(watch())
    async with asyncio.timeout(10):
        while len(states) < 4:
            await clock.advance(PATIENCE.heartbeat)
        await responses.save(queued.completed(made_image(), 1010.0))
        while not watching.done():
            await clock.advance(PATIENCE.heartbeat)
    await watching

    assert states[:4] == [queued] * 4
    assert states[-1].status is ResponseStatus.COMPLETED


async def drafted(background: Process, asked: RequestIdentity, *, delivered: bool = True) -> StoredResponse:
    """Ask as a route does, whose replies are named after their execution."""
    async with background.budget.reserve(0) as reservation:
        handle = background.pictures.join(ORDER, asked, reservation, linked=False)
        found = await background.start(handle, lambda: stored(background=True, key=handle.execution_id))
        handle.close(delivered=delivered)
        return found


async def test_a_retry_gets_the_reply_of_its_first_attempt(background: Process, maker: Maker) -> None:
    """Queued or completed, by a count, by a key, or because its client came back before it was answered."""
    first = await drafted(background, identity())
    retried = await drafted(background, identity(count=1))
    second = await drafted(background, identity())
    left = await drafted(background, identity("a wolf"), delivered=False)
    back = await drafted(background, identity("a wolf"))
    keyed = [await drafted(background, identity(key="k")) for _ in range(2)]
    maker.made.set_result([made_image()])
    await background.finish()
    late = await drafted(background, identity(key="k"))

    assert retried.key == first.key != second.key
    assert left.key == back.key
    assert keyed[0].key == keyed[1].key == late.key
    assert late.status is ResponseStatus.COMPLETED


async def test_a_key_finds_its_reply_in_another_process(
    background: Process, responses: Responses, maker: Maker, studio: Studio, clock: FakeClock, budget: MemoryBudget
) -> None:
    """While the first one still works on it."""
    first = await drafted(background, identity(key="k"))
    other = Process(responses, studio.pictures(maker), budget, clock)

    assert (await drafted(other, identity(key="k"))).key == first.key
    maker.made.set_result([made_image()])
    await background.finish()
    await other.finish()


async def test_a_key_whose_reply_is_not_there_gets_the_picture_in_a_new_one(
    background: Process, responses: Responses, maker: Maker, studio: Studio, clock: FakeClock, budget: MemoryBudget
) -> None:
    """An older version named its replies in another way. The picture is paid for once."""
    await background.begin(identity(key="k"))
    maker.made.set_result([made_image()])
    await background.finish()
    unused = Maker()
    other = Process(responses, studio.pictures(unused), budget, clock)
    again = await drafted(other, identity(key="k"))
    await other.finish()

    assert (await responses.find(again.key, again.owner)).status is ResponseStatus.COMPLETED
    assert not unused.asked


async def test_a_key_whose_reply_was_deleted_does_not_bring_it_back(
    background: Process, responses: Responses, maker: Maker, studio: Studio, clock: FakeClock, budget: MemoryBudget
) -> None:
    """It is not made again either, and nobody is told to wait for it."""
    first = await drafted(background, identity(key="k"))
    maker.made.set_result([made_image()])
    await background.finish()
    await responses.delete(first.key, first.owner)
    unused = Maker()

    with pytest.raises(NotFound):
        await drafted(Process(responses, studio.pictures(unused), budget, clock), identity(key="k"))
    assert not unused.asked


async def test_a_process_without_work_stops_at_once(background: Process) -> None:
    """There is nothing to wait for."""
    await background.finish()


async def test_only_what_is_made_in_the_background_can_be_called_off(responses: Responses) -> None:
    """The other ends when its client hangs up."""
    await responses.remember(stored())

    with pytest.raises(InvalidRequest, match="background"):
        await responses.cancel(stored().key, "ada")


async def test_a_reply_that_is_over_is_not_called_off(responses: Responses) -> None:
    """Its picture is paid for and stays."""
    await responses.remember_end(BACKGROUND.completed(made_image(), 1010.0), made_image())

    assert (await responses.cancel(BACKGROUND.key, "ada")).status is ResponseStatus.COMPLETED


async def test_a_deleted_replys_picture_goes_at_once(responses: Responses, memory: Memory) -> None:
    """And the reply cannot be deleted twice."""
    await responses.remember_end(stored().completed(made_image(), 1010.0), made_image())
    await responses.delete(stored().key, "ada")

    assert await memory.media.find(f"{stored().stem}.png") is None
    with pytest.raises(NotFound):
        await responses.delete(stored().key, "ada")


async def test_the_picture_of_a_second_attempt_is_not_kept_twice(
    responses: Responses, memory: Memory, studio: Studio
) -> None:
    """They have one key, and the first is remembered."""
    for stem in ("a" * 32, "b" * 32):
        await responses.remember_end(stored(stem=stem).completed(made_image(), 1010.0), made_image())

    assert await studio.files() == [f"{'a' * 32}.png"]
    assert await memory.media.find(f"{'a' * 32}.png") is not None


async def test_a_reply_whose_file_is_gone_cannot_be_shown(responses: Responses, memory: Memory) -> None:
    """It is not shown as one without a picture."""
    done = stored().completed(made_image(), 1010.0)
    await responses.remember_end(done, made_image())
    await memory.media.delete([f"{stored().stem}.png"])

    with pytest.raises(NotFound, match="not stored here any more"):
        await responses.picture(done)


async def test_a_picture_that_cannot_be_kept_is_handed_over_all_the_same(
    store: SqlResponseStore, clock: FakeClock, tmp_path: Path
) -> None:
    """It is paid for; that the reply will not be found is written down."""
    folder = tmp_path / "media"
    broken = Responses(store, ImageFiles(open_media(f"file://{folder}")), clock)
    folder.rmdir()
    folder.write_text("a file where the folder was")
    with capture_logs() as logs:
        await broken.remember_end(stored().completed(made_image(), 1010.0), made_image())

    assert [line["event"] for line in logs] == ["media.failed", "responses.not_kept"]
    with pytest.raises(NotFound):
        await broken.find(stored().key, "ada")
