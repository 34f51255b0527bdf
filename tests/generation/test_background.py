"""Pictures in the background: jobs that survive a restart, are sent once, and are called off."""

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from adapter.budget import MemoryBudget
from adapter.database.engine import Database
from adapter.domain.executions import RequestIdentity
from adapter.domain.ids import Id
from adapter.domain.image_job import LOST, ImageJob, Made, advance_image
from adapter.domain.job import Intended, JobState
from adapter.domain.job_kinds import IMAGE
from adapter.domain.media import Frame, Image
from adapter.domain.orders import ImageOrder, InlineSource, StoredSource
from adapter.domain.pieces import one_piece
from adapter.domain.ports import Memory, Work, Write
from adapter.domain.prices import Quote
from adapter.domain.stored_files import StoredImage
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.domain.usage import Currency
from adapter.errors import AdapterError, AnswerLost, ContentRefused, InvalidRequest, NotFound
from adapter.generation.image_files import ImageFiles
from adapter.generation.liveness import Liveness
from adapter.generation.responses import Background, Responses
from adapter.jobs.image_steps import ImageContext, ImageSteps
from adapter.jobs.poll_schedule import PollSchedule
from adapter.jobs.poller import Poller
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.store import SqlJobStore
from adapter.records.responses import SqlResponseStore
from tests.fakes import FakeClock, made_image, png, stored, video_job
from tests.generation.conftest import LEASE, PATIENCE, Studio, identity

ORDER = ImageOrder(model="m", provider="fake", upstream="m", prompt="a fox", n=1, frame=Frame())
SCHEDULE = PollSchedule(poll_seconds=1.0, lease_seconds=10.0, deadline_seconds=3600.0)
WAIT_SECONDS = 30.0


class Maker:
    """Makes a picture when it is told to, or fails."""

    def __init__(self) -> None:
        self.made: asyncio.Future[Sequence[Image]] = asyncio.get_running_loop().create_future()
        self.orders: list[ImageOrder] = []

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        assert work.owner
        self.orders.append(order)
        return await asyncio.shield(self.made)


class Process:
    """A server as far as pictures in the background go."""

    def __init__(
        self,
        database: Database,
        memory: Memory,
        clock: FakeClock,
        maker: Maker,
        jobs: type[SqlJobStore[ImageJob]] = SqlJobStore,
    ) -> None:
        self.clock = clock
        self.memory = Memory(jobs(database, IMAGE), memory.feed, memory.media)
        self.responses = Responses(SqlResponseStore(database), ImageFiles(memory.media), clock)
        liveness = Liveness(SqlRequestStore(database), clock, LEASE)
        self.background = Background(self.responses, self.memory, clock, PATIENCE, liveness, wake=lambda: None)
        self.budget = MemoryBudget(clock, capacity=10**9, wait_seconds=WAIT_SECONDS)
        self.steps = ImageSteps(
            ImageContext(
                makers={"fake": maker},
                memory=self.memory,
                budget=self.budget,
                clock=clock,
                schedule=SCHEDULE,
                drain_seconds=0.0,
            )
        )
        self.poller = Poller(self.memory.jobs, self.steps, clock=clock, schedule=SCHEDULE)

    async def ask(
        self, asked: RequestIdentity | None = None, *, delivered: bool = True, order: ImageOrder = ORDER
    ) -> StoredResponse:
        """Ask as a route does; whether the client was given the answer."""
        waiting = self.background.join(order, asked or identity())
        try:
            job = await waiting.job()
            draft = stored(background=True, key=job.id.removeprefix(Id.IMAGE_JOB), expires_at=9e9)
            return await self.background.remember(draft, job)
        finally:
            waiting.close(delivered=delivered)

    async def seen(self, response: StoredResponse) -> StoredResponse:
        """Look a response up."""
        return await self.responses.find(response.key, response.owner)

    async def job(self, response: StoredResponse) -> ImageJob:
        """Return the job of a response."""
        job = await self.memory.jobs.get(response.image_job_id)
        assert job is not None
        return job

    async def sent(self, maker: Maker, times: int = 1) -> None:
        """Let a round begin, and wait until the provider was asked."""
        await self.poller.tick()
        async with asyncio.timeout(10):
            while len(maker.orders) < times:
                await asyncio.sleep(0)


@pytest.fixture
async def maker() -> Maker:
    """A maker of pictures."""
    return Maker()


@pytest.fixture
async def process(database: Database, memory: Memory, clock: FakeClock, maker: Maker) -> Process:
    """A server."""
    return Process(database, memory, clock, maker)


async def test_a_picture_is_made_while_nobody_waits(process: Process, maker: Maker) -> None:
    """Queued, in progress, completed; the response is a view of the job."""
    response = await process.ask()
    assert (response.status, (await process.seen(response)).status) == (ResponseStatus.QUEUED, ResponseStatus.QUEUED)
    await process.sent(maker)
    assert (await process.seen(response)).status is ResponseStatus.IN_PROGRESS
    maker.made.set_result([made_image()])
    await process.poller.settle()
    done = await process.seen(response)
    image = await process.responses.picture(done)

    assert (done.status, done.failure) == (ResponseStatus.COMPLETED, None)
    assert image is not None
    assert image.decode() == png()


async def test_a_picture_in_the_background_knows_what_it_cost(process: Process, maker: Maker) -> None:
    """By the price of the day when it was accepted. The job and the response have it."""
    quote = Quote(date(1970, 1, 1), Currency.USD, Decimal("0.04"))
    response = await process.ask(order=msgspec.structs.replace(ORDER, quotes=(quote,)))
    await process.sent(maker)
    maker.made.set_result([made_image()])
    await process.poller.settle()
    done, job = await process.seen(response), await process.job(response)

    assert done.drawn is not None
    assert {str(cost) for cost in (job.finished().cost, job.spending(None).cost, done.drawn.known_cost)} == {"0.04 USD"}


async def test_a_picture_that_was_not_sent_is_made_by_the_process_that_finds_it(
    database: Database, memory: Memory, clock: FakeClock, process: Process, maker: Maker
) -> None:
    """The job is on disk before its id goes out."""
    response = await process.ask()
    other = Process(database, memory, clock, maker)
    maker.made.set_result([made_image()])
    await other.poller.tick()
    await other.poller.settle()

    assert (await process.seen(response)).status is ResponseStatus.COMPLETED
    assert len(maker.orders) == 1


async def test_a_picture_whose_process_died_on_the_way_is_unknown_and_not_sent_again(
    database: Database, memory: Memory, clock: FakeClock, process: Process, maker: Maker
) -> None:
    """It may have been paid for."""
    response = await process.ask()
    await process.sent(maker)
    other = Process(database, memory, clock, maker)
    await clock.advance(SCHEDULE.lease_seconds + 1)
    await other.poller.tick()
    await other.poller.settle()
    found = await process.seen(response)
    maker.made.set_result([made_image()])  # the other one was only paused: it comes too late
    await process.poller.settle()

    assert (found.status, found.failure) == (ResponseStatus.FAILED, LOST)
    assert await process.seen(response) == found
    assert len(maker.orders) == 1
    assert await memory.media.find((await process.job(response)).file) is None


async def test_a_picture_whose_file_is_there_is_completed_with_it(process: Process, memory: Memory) -> None:
    """Its process died between the file and the database."""
    response = await process.ask()
    [claim] = await process.memory.jobs.claim(now=process.clock.now(), lease=1.0, limit=1)
    job = advance_image(claim.job, Intended("", process.clock.now()))
    await process.steps._writer.intend(claim, job, 1.0)  # noqa: SLF001 - as its step does
    await memory.media.put(job.file, one_piece(png()))
    await process.clock.advance(2.0)
    await process.poller.tick()
    await process.poller.settle()

    assert (await process.seen(response)).status is ResponseStatus.COMPLETED


async def test_a_disk_slower_than_the_lease_costs_a_picture_no_try(
    database: Database, memory: Memory, clock: FakeClock, process: Process, maker: Maker
) -> None:
    """Another process may hold the job by then, so nothing is sent. Google was never asked."""

    class SlowDisk(SqlJobStore[ImageJob]):
        async def save(self, writes: Sequence[Write[ImageJob]]) -> Sequence[ImageJob]:
            await clock.advance(SCHEDULE.lease_seconds)
            return await super().save(writes)

    response = await process.ask()
    slow = Process(database, memory, clock, maker, SlowDisk)
    for _ in range(5):
        await slow.poller.tick()
        await slow.poller.settle()
    assert (maker.orders, (await process.job(response)).misses) == ([], 0)

    maker.made.set_result([made_image()])
    await process.sent(maker)
    await process.poller.settle()
    assert (await process.seen(response)).status is ResponseStatus.COMPLETED


async def test_a_fault_is_told_to_whoever_asks(process: Process, maker: Maker) -> None:
    """With Google's own words."""
    response = await process.ask()
    maker.made.set_exception(ContentRefused("Not this one."))
    await process.sent(maker)
    await process.poller.settle()
    failed = await process.seen(response)

    assert failed.status is ResponseStatus.FAILED
    assert failed.failure is not None
    assert (failed.failure.message, failed.failure.code) == ("Not this one.", "moderation_blocked")


async def test_a_picture_that_is_called_off_before_it_is_sent_is_not_sent(process: Process, maker: Maker) -> None:
    """Nothing is charged."""
    response = await process.ask()
    assert await process.background.cancel(response)
    await process.poller.tick()
    await process.poller.settle()

    assert (await process.seen(response)).status is ResponseStatus.CANCELLED
    assert maker.orders == []


async def test_a_picture_that_is_called_off_on_the_way_is_not_kept(
    process: Process, maker: Maker, memory: Memory, studio: Studio
) -> None:
    """It is paid for, and the response stays as it was called."""
    response = await process.ask()
    await process.sent(maker)
    assert await process.background.cancel(response)
    assert (await process.seen(response)).status is ResponseStatus.CANCELLED
    maker.made.set_result([made_image()])
    await process.poller.settle()

    assert (await process.seen(response)).status is ResponseStatus.CANCELLED
    assert await studio.files() == []


async def test_a_picture_that_is_over_is_not_called_off(process: Process, maker: Maker) -> None:
    """It is paid for and stays."""
    response = await process.ask()
    maker.made.set_result([made_image()])
    await process.sent(maker)
    await process.poller.settle()
    assert await process.background.cancel(response)

    assert (await process.seen(response)).status is ResponseStatus.COMPLETED


async def test_the_files_of_a_deleted_response_go(process: Process, maker: Maker, studio: Studio) -> None:
    """Whether its picture was made or is under way."""
    ready, under_way = await process.ask(), await process.ask(identity("a wolf"))
    maker.made.set_result([made_image()])
    await process.sent(maker, 2)
    await process.poller.settle()
    assert len(await studio.files()) == 2
    for response in (ready, under_way):
        await process.background.delete(await process.responses.delete(response.key, response.owner))
    await process.poller.tick()
    await process.poller.settle()

    assert await studio.files() == []
    with pytest.raises(NotFound):
        await process.seen(ready)


async def test_pictures_that_came_with_the_request_are_kept_until_they_are_used(
    process: Process, maker: Maker, studio: Studio
) -> None:
    """The order outlives its request; nothing of them is kept afterwards."""
    await process.ask(order=msgspec.structs.replace(ORDER, sources=(InlineSource(png(), "image", "Attach it."),)))
    [name] = await studio.files()
    maker.made.set_result([made_image()])
    await process.sent(maker)
    await process.poller.settle()

    assert maker.orders[0].sources == (StoredSource(name, "image", "Attach it."),)
    assert name not in await studio.files()


async def test_a_picture_waits_for_memory_and_is_tried_again(process: Process, maker: Maker) -> None:
    """Nothing was sent meanwhile, so nothing is lost."""
    response = await process.ask()
    async with process.budget.reserve(10**9):
        await process.poller.tick()
        async with asyncio.timeout(10):
            while not process.clock.alarms:
                await asyncio.sleep(0)
        await process.clock.advance(WAIT_SECONDS)
        await process.poller.settle()
    assert ((await process.seen(response)).status, maker.orders) == (ResponseStatus.QUEUED, [])
    maker.made.set_result([made_image()])
    await process.clock.advance(SCHEDULE.poll_seconds * 2)
    await process.sent(maker)
    await process.poller.settle()

    assert (await process.seen(response)).status is ResponseStatus.COMPLETED


async def test_when_the_process_stops_a_picture_gets_a_last_while_and_then_has_failed(
    process: Process, maker: Maker
) -> None:
    """It is said why, and nothing is made again."""
    response = await process.ask()
    await process.sent(maker)
    process.steps.drain()
    async with asyncio.timeout(10):
        await process.poller.settle()
    failed = await process.seen(response)

    assert failed.failure is not None
    assert (failed.status, failed.failure.code) == (ResponseStatus.FAILED, "server_draining")


async def test_when_the_process_stops_a_picture_that_was_not_sent_is_left_to_another_one(
    database: Database, memory: Memory, clock: FakeClock, process: Process, maker: Maker
) -> None:
    """At once, and not after a lease."""
    response = await process.ask()
    process.steps.drain()
    await process.poller.tick()
    await process.poller.settle()
    assert maker.orders == []
    maker.made.set_result([made_image()])
    other = Process(database, memory, clock, maker)
    await other.sent(maker)
    await other.poller.settle()

    assert (await process.seen(response)).status is ResponseStatus.COMPLETED


async def test_a_watcher_is_told_by_the_feed(process: Process, maker: Maker) -> None:
    """Of each change, and of the end, without a look of its own."""
    response = await process.ask()
    states = process.background.watch(response)
    first = [(await anext(states)).status, (await anext(states)).status]
    await process.sent(maker)
    second = (await anext(states)).status
    maker.made.set_result([made_image()])
    await process.poller.settle()
    rest = [state.status async for state in states]

    assert first == [ResponseStatus.QUEUED, ResponseStatus.QUEUED]
    assert (second, rest) == (ResponseStatus.IN_PROGRESS, [ResponseStatus.COMPLETED])


async def test_a_watcher_is_told_that_the_picture_was_called_off(process: Process, maker: Maker) -> None:
    """At once, while the provider is still at it."""
    response = await process.ask()
    await process.sent(maker)
    states = process.background.watch(response)
    await anext(states)
    await anext(states)
    await process.background.cancel(response)
    async with asyncio.timeout(10):
        rest = [state.status async for state in states]

    assert rest == [ResponseStatus.CANCELLED]
    maker.made.set_result([made_image()])
    await process.poller.settle()


async def test_a_live_response_of_an_older_version_is_lost_when_its_time_has_passed(
    process: Process, clock: FakeClock
) -> None:
    """It had no job, and its process is gone."""
    old = stored(background=True, alive_until=clock.now() + 15.0, expires_at=9e9)
    await process.responses.remember(old)

    async def watched() -> list[StoredResponse]:
        return [state async for state in process.background.watch(old)]

    watching = asyncio.create_task(watched())
    async with asyncio.timeout(10):
        while not watching.done():
            await clock.advance(PATIENCE.heartbeat)
    states = await watching
    assert (states[0].status, states[-1].failure) == (ResponseStatus.IN_PROGRESS, LOST)
    assert (await process.seen(old)).failure == LOST


async def test_a_retry_gets_the_response_of_its_first_attempt(process: Process, maker: Maker) -> None:
    """Queued or completed, by a count, by a key, or because its client came back before it was answered."""
    first = await process.ask()
    retried = await process.ask(identity(count=1))
    second = await process.ask()
    left = await process.ask(identity("a wolf"), delivered=False)
    back = await process.ask(identity("a wolf"))
    keyed = [await process.ask(identity(key="k")) for _ in range(2)]
    maker.made.set_result([made_image()])
    await process.sent(maker, 4)
    await process.poller.settle()
    late = await process.ask(identity(key="k"))

    assert retried.key == first.key != second.key
    assert left.key == back.key
    assert keyed[0].key == keyed[1].key == late.key
    assert late.status is ResponseStatus.COMPLETED
    assert len(maker.orders) == 4


async def test_a_key_finds_its_response_in_another_process(
    database: Database, memory: Memory, clock: FakeClock, process: Process, maker: Maker
) -> None:
    """While the first one still works on it."""
    first = await process.ask(identity(key="k"))
    await process.sent(maker)

    assert (await Process(database, memory, clock, maker).ask(identity(key="k"))).key == first.key
    maker.made.set_result([made_image()])
    await process.poller.settle()


async def test_a_key_whose_response_was_deleted_does_not_bring_it_back(process: Process, maker: Maker) -> None:
    """It is not made again either."""
    first = await process.ask(identity(key="k"))
    await process.background.delete(await process.responses.delete(first.key, first.owner))

    with pytest.raises(NotFound):
        await process.ask(identity(key="k"))
    assert maker.orders == []


async def refusal(process: Process, asked: RequestIdentity) -> type[AdapterError]:
    """Return how a request is refused."""
    with pytest.raises(AdapterError) as caught:
        await process.ask(asked)
    return type(caught.value)


async def test_what_an_older_version_has_begun_is_not_made_again(
    process: Process, requests: SqlRequestStore, studio: Studio, maker: Maker
) -> None:
    """There a picture in the background had no job; a key that stood for other pictures stands for them here too."""
    pictures = studio.pictures(maker)
    maker.made.set_result([made_image()])
    handle = await studio.open(pictures, identity(key="k"))
    await handle.batch()
    handle.close(delivered=True)

    assert await refusal(process, identity(key="k")) is AnswerLost
    assert await refusal(process, identity("a wolf", key="k")) is InvalidRequest


async def test_the_key_of_a_picture_in_the_background_stands_for_no_other_picture(
    process: Process, studio: Studio, maker: Maker
) -> None:
    """Whether that is in the background or not."""
    await process.ask(identity(key="k"))
    with pytest.raises(InvalidRequest) as caught:
        await studio.open(studio.pictures(maker), identity("a wolf", key="k"))

    assert caught.value.code == "idempotency_key_reused"


async def test_videos_and_pictures_are_kinds_of_their_own(database: Database, process: Process) -> None:
    """A store lists, finds and claims its own kind alone."""
    videos: SqlJobStore = SqlJobStore(database)
    response = await process.ask()
    await videos.admit(video_job(), now=process.clock.now())

    assert await videos.get(response.image_job_id) is None
    assert [job.id for job in await videos.recent(10)] == [video_job().id]
    assert [one.id for one in await videos.list("ada", after=None, limit=9, newest_first=True)] == [video_job().id]
    assert [claim.job.id for claim in await videos.claim(now=process.clock.now(), lease=1.0, limit=9)] == [
        video_job().id
    ]
    assert {job.id for job in await videos.get_many([video_job().id, response.image_job_id])} == {
        video_job().id,
        response.image_job_id,
    }


def test_a_picture_that_is_over_does_not_move() -> None:
    """By no event."""
    job = ImageJob(id="image_1", owner="ada", order=ORDER, created_at=1.0, stem="s", state=JobState.COMPLETED)
    for event in (Intended("", 1.0), Made(StoredImage.of(made_image(), "a.png"), 1.0)):
        with pytest.raises(ValueError, match="cannot happen"):
            advance_image(job, event)
