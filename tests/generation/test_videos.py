"""The use cases, with a real memory and a provider that does as it is told."""

import asyncio
import hashlib
from contextlib import aclosing, suppress

import msgspec
import pytest

from adapter.domain.executions import RequestIdentity
from adapter.domain.job import (
    Ambiguity,
    Failed,
    Failure,
    Intended,
    JobState,
    Missed,
    Operation,
    Phase,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    Unanswered,
    VideoJob,
    advance,
)
from adapter.domain.media import MediaFormat, Ratio, RemoteVideo
from adapter.domain.orders import InlineSource, VideoDraft, VideoInput
from adapter.domain.pieces import find_whole
from adapter.domain.ports import Memory, Write
from adapter.errors import ContentRefused, JobFailed, NotFound, UpstreamSilent
from adapter.generation.liveness import Liveness
from adapter.generation.videos import Videos
from adapter.jobs.requests import SqlRequestStore
from tests.fakes import CLIP, FakeClock, png, video_order
from tests.generation.conftest import LEASE, PATIENCE, Inputs, identity


async def ended(task: asyncio.Task[VideoJob]) -> None:
    """Hang up, and wait until everything that was held is given back."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


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


async def start(
    videos: Videos,
    wish: VideoDraft,
    asked: RequestIdentity,
    *,
    within: float | None = None,
    delivered: bool | None = True,
) -> VideoJob:
    """Ask for a video as a route does; `delivered` None keeps the connection open."""
    waiting = videos.join(wish, asked)
    try:
        return await waiting.job(within)
    finally:
        if delivered is not None:
            waiting.close(delivered=delivered)
            await videos.finish()


def submitted(job: VideoJob) -> VideoJob:
    """Return a job that the provider took."""
    return advance(advance(job, Intended("first")), Submitted(Operation("op", job.mark), 1000.0))


async def test_a_video_is_started_once_the_provider_took_it(videos: Videos, memory: Memory) -> None:
    """Not before: a refusal is to be a plain error."""
    starting = asyncio.create_task(start(videos, VideoDraft(order=video_order()), identity()))
    job = await admitted(memory)
    assert not starting.done()

    await move(memory, submitted(job))

    assert (await starting).state is JobState.SUBMITTED


async def test_a_video_of_which_nobody_knows_goes_on_as_a_queued_one(videos: Videos, memory: Memory) -> None:
    """It takes minutes to find out; whoever asked is not kept waiting without a word."""
    starting = asyncio.create_task(start(videos, VideoDraft(order=video_order()), identity()))
    job = advance(await admitted(memory), Intended("first", 1000.0, 680))
    doubt = Ambiguity(failure=Failure.of(UpstreamSilent("silence")), sender_saw_end=True, at=1001.0)
    await move(memory, advance(job, Unanswered(doubt)))

    async with asyncio.timeout(5):
        started = await starting
    assert (started.state, started.phase) == (JobState.AMBIGUOUS, Phase.QUEUED)


async def test_a_refusal_is_raised_as_it_happened(videos: Videos, memory: Memory) -> None:
    """With its status and its words."""
    starting = asyncio.create_task(start(videos, VideoDraft(order=video_order()), identity()))
    job = await admitted(memory)
    await move(memory, advance(job, Failed(Failure.of(ContentRefused("unsafe")), 1001.0)))

    with pytest.raises(JobFailed, match="unsafe") as caught:
        await starting
    assert (caught.value.status, caught.value.code) == (400, "moderation_blocked")


async def test_a_seed_is_drawn_and_remembered(videos: Videos, memory: Memory) -> None:
    """The wish stays without one, so that the same wish is still the same."""
    starting = asyncio.create_task(start(videos, VideoDraft(order=video_order()), identity()))
    job = await admitted(memory)
    await move(memory, submitted(job))
    await starting

    assert job.order.seed is None
    assert job.seed >= 0


async def made(videos: Videos, memory: Memory, asked: RequestIdentity) -> VideoJob:
    """Have a video made whose client hangs up in the middle, and return its job."""
    waiting = videos.join(VideoDraft(order=video_order()), asked)
    job = await admitted(memory)
    waiting.close(delivered=False)
    media = StoredVideo(video="a.mp4", poster=None, size=1, sha256="00")
    await move(memory, advance(advance(submitted(job), Rendered(RemoteVideo("u"))), Stored(media, 1010.0)))
    return job


async def test_a_wish_right_after_a_delivery_is_a_new_one(videos: Videos, memory: Memory) -> None:
    """However soon it comes: the note of the delivery is waited for."""
    job = await made(videos, memory, identity())
    videos.note_delivery(job.id)
    starting = asyncio.create_task(start(videos, VideoDraft(order=video_order()), identity()))
    async with asyncio.timeout(5):
        while len(jobs := await memory.jobs.recent(2)) < 2:
            await asyncio.sleep(0)
    await ended(starting)

    assert job.id in {each.id for each in jobs}


@pytest.mark.parametrize(("typical", "expected"), [(0.0, 100.0), (16.0, 16.0)])
async def test_the_first_estimate_is_the_operators_or_the_cards(
    memory: Memory, clock: FakeClock, liveness: Liveness, typical: float, expected: float
) -> None:
    """Until a video was measured."""
    timeouts = msgspec.structs.replace(PATIENCE, typical=typical)
    videos = Videos(Inputs(), memory, clock, timeouts, liveness, wake=lambda: None)
    starting = asyncio.create_task(start(videos, VideoDraft(order=video_order()), identity()))
    job = await admitted(memory)
    await move(memory, submitted(job))
    await starting

    assert job.expected_seconds == expected


async def test_silence_is_told(videos: Videos, memory: Memory, clock: FakeClock) -> None:
    """After each spell of it, and beats that change nothing make none longer."""
    starting = asyncio.create_task(start(videos, VideoDraft(order=video_order()), identity()))
    job = await admitted(memory)
    await move(memory, submitted(job))
    await starting
    async with aclosing(videos.watch_video(submitted(job))) as states:
        assert await anext(states) == submitted(job)
        silence = asyncio.ensure_future(anext(states))
        for _ in range(int(PATIENCE.heartbeat)):
            await asyncio.sleep(0)
            assert not silence.done()
            memory.feed.publish(advance(submitted(job), Missed()))
            await clock.advance(1.0)
        assert await silence is None

        finished = advance(submitted(job), Failed(Failure.of(ContentRefused("unsafe")), 1001.0))
        await move(memory, finished)
        assert [state async for state in states] == [finished]


async def test_an_unknown_video_is_not_found(videos: Videos) -> None:
    """Nothing to watch."""
    with pytest.raises(NotFound):
        await videos.get_video("video_unknown")


async def test_a_client_that_comes_back_gets_the_video_once(videos: Videos, memory: Memory) -> None:
    """Until it was handed over; then the same wish is a new one."""
    job = await made(videos, memory, identity())
    again = await start(videos, VideoDraft(order=video_order()), identity(), delivered=False)
    assert again.id == job.id

    videos.note_delivery(job.id)
    await videos.finish_notes()
    waiting = videos.join(VideoDraft(order=video_order()), identity())
    async with asyncio.timeout(5):
        while len(await memory.jobs.recent(2)) < 2:
            await asyncio.sleep(0)
    waiting.close(delivered=False)
    await videos.finish()


async def jobs_of(memory: Memory, count: int) -> None:
    """Wait until there are so many jobs, and no more."""
    async with asyncio.timeout(5):
        while len(await memory.jobs.recent(count + 1)) < count:
            await asyncio.sleep(0)
    assert len(await memory.jobs.recent(count + 1)) == count


async def test_equal_requests_side_by_side_are_a_job_each(videos: Videos, memory: Memory) -> None:
    """Their connections are all alive: whoever sends three wants three."""
    open_ones = [videos.join(VideoDraft(order=video_order()), identity()) for _ in range(3)]
    await jobs_of(memory, 3)

    assert len({job.id for job in await memory.jobs.recent(10)}) == 3
    for one in open_ones:
        one.close(delivered=False)
    await videos.finish()


async def test_retries_of_two_equal_requests_get_a_job_each(videos: Videos, memory: Memory) -> None:
    """Both clients were cut off; each retry finds what the other one did not take."""
    for _ in range(2):
        videos.join(VideoDraft(order=video_order()), identity())
    await jobs_of(memory, 2)
    claims = await memory.jobs.claim(now=1e6, lease=0.0, limit=2)
    await memory.jobs.save([Write(claim, submitted(claim.job), 0.0) for claim in claims])
    found = [await start(videos, VideoDraft(order=video_order()), identity(count=1)) for _ in range(2)]

    assert len({job.id for job in found}) == 2
    assert len(await memory.jobs.recent(10)) == 2


async def test_a_request_that_is_not_remembered_yet_is_joined_by_its_retry(videos: Videos, memory: Memory) -> None:
    """Its pictures are still being fetched; nothing is bought twice."""
    first = videos.join(VideoDraft(order=video_order()), identity())
    first.close(delivered=False)
    second = videos.join(VideoDraft(order=video_order()), identity())
    third = videos.join(VideoDraft(order=video_order()), identity(count=1))
    await jobs_of(memory, 1)
    await videos.finish()

    assert len(await memory.jobs.recent(10)) == 1
    for one in (second, third):
        one.close(delivered=False)
    await videos.finish()


async def test_the_connections_of_a_dead_process_are_not_waited_for(
    videos: Videos, memory: Memory, clock: FakeClock, requests: SqlRequestStore
) -> None:
    """Its lease runs out: the client that comes back to another process gets its job."""
    await clock.advance(1_795_898_339.123)  # a time of today, for which no sum is exact
    videos.join(VideoDraft(order=video_order()), identity())
    await jobs_of(memory, 1)
    other = Videos(Inputs(), memory, clock, PATIENCE, Liveness(requests, clock, LEASE), wake=lambda: None)
    back = other.join(VideoDraft(order=video_order()), identity())
    ending = asyncio.create_task(other.finish())
    while not ending.done():
        if clock.alarms:
            await clock.advance(0.41)  # by a rounding error the lease seems longer at the third look
        await asyncio.sleep(0.001)

    assert len(await memory.jobs.recent(10)) == 1
    back.close(delivered=False)
    await other.finish()


async def test_the_connections_of_another_living_process_are_wishes_of_their_own(
    videos: Videos, memory: Memory, clock: FakeClock, liveness: Liveness, requests: SqlRequestStore
) -> None:
    """It renews its lease meanwhile."""
    videos.join(VideoDraft(order=video_order()), identity())
    await jobs_of(memory, 1)
    other = Videos(Inputs(), memory, clock, PATIENCE, Liveness(requests, clock, LEASE), wake=lambda: None)
    second = other.join(VideoDraft(order=video_order()), identity())
    running = asyncio.create_task(liveness.run())
    for _ in range(4):
        await asyncio.sleep(0.01)
        await clock.advance(liveness.beat_seconds)
    await jobs_of(memory, 2)
    running.cancel()
    await asyncio.wait([running])
    second.close(delivered=False)
    await other.finish()


async def test_pictures_of_a_request_are_not_stored_while_it_waits_for_the_lease_of_another_process(
    videos: Videos, memory: Memory, clock: FakeClock, requests: SqlRequestStore
) -> None:
    """A process that is killed meanwhile leaves no file. The request joins the video and needs no pictures."""
    first = videos.join(wish_from(png(), png()), identity())
    await jobs_of(memory, 1)
    stored = await file_names(memory)
    other = Videos(Inputs(), memory, clock, PATIENCE, Liveness(requests, clock, LEASE), wake=lambda: None)
    back = other.join(wish_from(png(), png()), identity())
    ending = asyncio.create_task(other.finish())
    seen = []
    while not ending.done():
        seen.append(await file_names(memory))
        await clock.advance(0.5)
        await asyncio.sleep(0.001)

    assert len(stored) == 2
    assert seen == [stored] * len(seen)
    assert len(await memory.jobs.recent(10)) == 1
    for waiting in (first, back):
        waiting.close(delivered=False)
    await other.finish()


async def file_names(memory: Memory) -> list[str]:
    """Return the names of everything that is stored."""
    return sorted([file.name async for page in memory.media.list() for file in page])


def wish_from(*files: bytes) -> VideoDraft:
    """Return a wish for a video from pictures, of whatever shape suits them."""
    order = msgspec.structs.replace(video_order(), input=VideoInput.FRAMES)
    return VideoDraft(
        order=order,
        sources=tuple(InlineSource(file, "image") for file in files),
        input_formats=(MediaFormat.PNG,),
        shapes={Ratio.LANDSCAPE: "landscape-key", Ratio.PORTRAIT: "portrait-key"},
    )


async def test_a_videos_pictures_are_kept_before_its_job_is_known(videos: Videos, memory: Memory) -> None:
    """Whoever moves the job finds them, after a restart as well; an open shape is the first picture's."""
    starting = asyncio.create_task(start(videos, wish_from(png(90, 160), png(160, 90)), identity()))
    order = (await admitted(memory)).order
    await ended(starting)

    assert (order.ratio, order.upstream) == (Ratio.PORTRAIT, "portrait-key")
    for picture, file in zip(order.pictures, (png(90, 160), png(160, 90)), strict=True):
        assert await find_whole(memory.media, picture.name) == file
        assert picture.sha256 == hashlib.sha256(file).hexdigest()


async def test_a_video_to_work_on_is_kept_before_its_job_is_known(videos: Videos, memory: Memory) -> None:
    """As pictures are. It is deleted with its job."""
    order = msgspec.structs.replace(video_order(), input=VideoInput.EDIT)
    draft = VideoDraft(order=order, video=InlineSource(CLIP, "video"))
    starting = asyncio.create_task(start(videos, draft, identity()))
    job = await admitted(memory)
    await ended(starting)

    assert job.order.video is not None
    assert await find_whole(memory.media, job.order.video.name) == CLIP
    assert job.order.video.sha256 == hashlib.sha256(CLIP).hexdigest()
    assert job.order.video.name in job.files


async def test_a_client_that_comes_back_with_the_same_pictures_leaves_no_second_copy(
    videos: Videos, memory: Memory
) -> None:
    """It gets the running job."""
    videos.join(wish_from(png()), identity()).close(delivered=False)
    first = await admitted(memory)
    back = videos.join(wish_from(png()), identity())
    await videos.finish()

    assert len(await memory.jobs.recent(10)) == 1
    files = [file.name async for page in memory.media.list() for file in page]
    assert files == [picture.name for picture in first.order.pictures]
    back.close(delivered=False)
    await videos.finish()
