"""The use cases, with a real memory and a provider that does as it is told."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from adapter.database.engine import Database
from adapter.domain.job import (
    Failed,
    Failure,
    Intended,
    JobState,
    Operation,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    VideoJob,
    advance,
)
from adapter.domain.media import Frame, Image, RemoteVideo
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Memory, Write
from adapter.errors import ContentRefused, JobFailed, NotFound, StorageFailed
from adapter.generation import Generation, Patience
from adapter.jobs.feed import LocalFeed
from adapter.jobs.store import SqlJobStore
from adapter.media.store import open_media
from tests.fakes import FakeClock, FakeImageMaker, made_image, png, video_job, video_order

PATIENCE = Patience(heartbeat=10.0, replay=60.0)


@pytest.fixture
def clock() -> FakeClock:
    """Time, from second 1000 on."""
    return FakeClock()


@pytest.fixture
def memory(database: Database, clock: FakeClock) -> Memory:
    """The three memories."""
    return Memory(SqlJobStore(database), LocalFeed(clock), open_media("memory://"))


@pytest.fixture
def generation(memory: Memory, clock: FakeClock) -> Generation:
    """The use cases; nobody moves the jobs but the test."""
    return Generation({"fake": FakeImageMaker()}, memory, clock, PATIENCE, lambda: None)


async def admitted(memory: Memory) -> VideoJob:
    """Wait until a job is remembered, and return it."""
    while not (found := await memory.jobs.recent(1)):
        await asyncio.sleep(0)
    return found[0]


async def move(memory: Memory, job: VideoJob, *, tell: bool = True) -> None:
    """Write the next state of a job, and tell its readers or not."""
    [claim] = await memory.jobs.claim(now=1e6, lease=0.0, limit=1)
    await memory.jobs.save([Write(claim, job, 0.0)])
    if tell:
        memory.feed.publish(job)


def submitted(job: VideoJob) -> VideoJob:
    """Return a job that the provider took."""
    return advance(advance(job, Intended("first")), Submitted(Operation("op", job.mark), 1000.0))


async def test_a_video_is_started_once_the_provider_took_it(generation: Generation, memory: Memory) -> None:
    """Not before: a refusal is to be a plain error."""
    starting = asyncio.create_task(generation.start_video(video_order(), "ada"))
    job = await admitted(memory)
    assert not starting.done()

    await move(memory, submitted(job))

    assert (await starting).state is JobState.SUBMITTED


async def test_a_refusal_is_raised_as_it_happened(generation: Generation, memory: Memory) -> None:
    """With its status and its words."""
    starting = asyncio.create_task(generation.start_video(video_order(), "ada"))
    job = await admitted(memory)
    await move(memory, advance(job, Failed(Failure.of(ContentRefused("unsafe")), 1001.0)))

    with pytest.raises(JobFailed, match="unsafe") as caught:
        await starting
    assert (caught.value.status, caught.value.code) == (400, "moderation_blocked")


async def test_a_seed_is_drawn_and_remembered(generation: Generation, memory: Memory) -> None:
    """The wish stays without one, so that the same wish is still the same."""
    starting = asyncio.create_task(generation.start_video(video_order(), "ada"))
    job = await admitted(memory)
    await move(memory, submitted(job))
    await starting

    assert job.order.seed is None
    assert job.seed >= 0
    assert job.fingerprint == video_order().fingerprint("ada")


async def test_a_wish_right_after_a_delivery_is_a_new_one(generation: Generation, memory: Memory) -> None:
    """However soon it comes: the note of the delivery is waited for."""
    job = msgspec.structs.replace(video_job(order=video_order()), owner="ada")
    await memory.jobs.admit(job, now=1000.0, window=0.0)
    media = StoredVideo(video="a.mp4", poster=None, size=1, sha256="00")
    await move(memory, advance(advance(submitted(job), Rendered(RemoteVideo("u"))), Stored(media, 1010.0)))
    generation.note_delivery(job.id)
    starting = asyncio.create_task(generation.start_video(video_order(), "ada"))
    async with asyncio.timeout(5):
        while len(await memory.jobs.recent(2)) < 2:
            await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait({starting})


@pytest.mark.parametrize(("typical", "expected"), [(0.0, 100.0), (16.0, 16.0)])
async def test_the_first_estimate_is_the_operators_or_the_cards(
    memory: Memory, clock: FakeClock, typical: float, expected: float
) -> None:
    """Until a video was measured."""
    patience = msgspec.structs.replace(PATIENCE, typical=typical)
    generation = Generation({"fake": FakeImageMaker()}, memory, clock, patience, lambda: None)
    starting = asyncio.create_task(generation.start_video(video_order(), "ada"))
    job = await admitted(memory)
    await move(memory, submitted(job))
    await starting

    assert job.expected_seconds == expected


async def test_silence_is_told_and_the_store_is_the_truth(
    generation: Generation, memory: Memory, clock: FakeClock
) -> None:
    """A reader whom no message reached still learns what happened, at the next heartbeat."""
    starting = asyncio.create_task(generation.start_video(video_order(), "ada"))
    job = await admitted(memory)
    await move(memory, submitted(job))
    await starting
    async with aclosing(generation.watch_video(job.id)) as states:
        first = await anext(states)
        silence = asyncio.ensure_future(anext(states))
        await advance_until(clock, silence)
        assert (first, await silence) == (submitted(job), None)

        finished = advance(submitted(job), Failed(Failure.of(ContentRefused("unsafe")), 1001.0))
        await move(memory, finished, tell=False)
        told = asyncio.ensure_future(anext(states))
        await advance_until(clock, told)
        assert await told == finished


async def advance_until(clock: FakeClock, future: "asyncio.Future[VideoJob | None]") -> None:
    """Let heartbeats pass until something comes."""
    while not future.done():
        await clock.advance(PATIENCE.heartbeat)


async def test_an_unknown_video_is_not_found(generation: Generation) -> None:
    """Nothing to watch."""
    with pytest.raises(NotFound):
        await anext(generation.watch_video("video_unknown"))


async def test_a_delivery_is_noted_in_its_own_time(generation: Generation, memory: Memory) -> None:
    """The same wish is then a new one; before, it gets what is there."""
    job = msgspec.structs.replace(video_job(order=video_order()), owner="ada")
    await memory.jobs.admit(job, now=1000.0, window=0.0)
    media = StoredVideo(video="a.mp4", poster=None, size=1, sha256="00")
    await move(memory, advance(advance(submitted(job), Rendered(RemoteVideo("u"))), Stored(media, 1010.0)))
    again = await generation.start_video(video_order(), "ada")
    assert again.id == job.id

    generation.note_delivery(job.id)
    await generation.finish_notes()

    assert (
        await memory.jobs.admit(
            msgspec.structs.replace(video_job(2, order=video_order()), owner="ada"), now=1011.0, window=60.0
        )
    ).seed == 2


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
    states = Generation({"fake": maker}, memory, clock, PATIENCE, lambda: None).watch_images(ONE_PICTURE)
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
        await anext(Generation({"fake": maker}, memory, clock, PATIENCE, lambda: None).watch_images(ONE_PICTURE))


async def test_who_stops_watching_pictures_stops_their_making(memory: Memory, clock: FakeClock) -> None:
    """Nobody could be given them."""
    maker = SlowMaker()
    async with aclosing(
        Generation({"fake": maker}, memory, clock, PATIENCE, lambda: None).watch_images(ONE_PICTURE)
    ) as states:
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
    generation = Generation({"fake": FakeImageMaker()}, refusing, clock, PATIENCE, lambda: None)

    with pytest.raises(StorageFailed) as caught:
        await generation.keep_images([made_image()])
    assert caught.value.should_retry is False


async def test_pictures_are_kept_under_names_of_their_own(generation: Generation) -> None:
    """Unguessable, with the right ending, byte for byte."""
    order = ImageOrder(model="m", provider="fake", upstream="m", prompt="a fox", n=2, frame=Frame())
    names = await generation.keep_images(await generation.make_images(order))

    assert len({name.partition(".")[0] for name in names}) == 2
    for name in names:
        file = await generation.find_media(name)
        assert b"".join([part async for part in generation.read_media(name, 0, file.size)]) == png()
        assert name.endswith(".png")
