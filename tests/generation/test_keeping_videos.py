"""Videos as their owners see them: found, listed, deleted, followed."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from adapter.domain.job import (
    Intended,
    JobState,
    Operation,
    Progressed,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    VideoJob,
    advance,
)
from adapter.domain.media import RemoteVideo
from adapter.domain.orders import VideoDraft
from adapter.domain.paging import Page
from adapter.domain.ports import Memory, Write
from adapter.errors import Draining, InvalidRequest, NotFound
from adapter.generation.liveness import Liveness
from adapter.generation.videos import Videos
from adapter.jobs.feed import LocalFeed
from tests.fakes import FakeClock, video_job, video_order
from tests.generation.conftest import PATIENCE, Inputs, identity


async def admit(memory: Memory, *numbers: int) -> list[VideoJob]:
    """Remember jobs of ada, one a second, and return them."""
    jobs = [video_job(number, at=1000.0 + number) for number in numbers]
    for job in jobs:
        await memory.jobs.admit(job, now=job.created_at)
    return jobs


async def move(memory: Memory, job: VideoJob, *, tell: bool = True) -> None:
    """Write the next state of a job, and tell its readers or not."""
    [claim] = await memory.jobs.claim(now=1e6, lease=0.0, limit=1)
    await memory.jobs.save([Write(claim, job, 0.0)])
    if tell:
        memory.feed.publish(job)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something, not for ever."""
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0)


async def test_a_video_is_found_by_its_owner_only(videos: Videos, memory: Memory) -> None:
    """To everybody else it is not there."""
    [job] = await admit(memory, 1)

    assert await videos.find_video(job.id, "ada") == job
    for job_id, owner in ((job.id, "bob"), ("video_unknown", "ada")):
        with pytest.raises(NotFound, match=f"no video '{job_id}'"):
            await videos.find_video(job_id, owner)


async def test_pages_join_without_gap_or_overlap(videos: Videos, memory: Memory) -> None:
    """In either direction."""
    jobs = await admit(memory, *range(1, 6))
    for newest_first in (True, False):
        found: list[VideoJob] = []
        has_more, after = True, None
        while has_more:
            page, has_more = await videos.list_videos("ada", Page(limit=2, newest_first=newest_first, after=after))
            found += page
            after = page[-1].id

        assert found == (jobs[::-1] if newest_first else jobs)


@pytest.mark.parametrize(("limit", "has_more"), [(0, False), (4, True), (5, False), (6, False)])
async def test_a_page_says_whether_there_are_more(
    videos: Videos, memory: Memory, limit: int, *, has_more: bool
) -> None:
    """An empty one never does: clients would ask for it for ever."""
    await admit(memory, *range(1, 6))
    page, more = await videos.list_videos("ada", Page(limit=limit))

    assert (len(page), more) == (min(limit, 5), has_more)


async def test_a_page_begins_after_a_job_of_its_owner(videos: Videos, memory: Memory) -> None:
    """A deleted one still has its place, one of others is none."""
    first, second, third = await admit(memory, 1, 2, 3)
    await videos.delete_video(second.id, "ada")

    assert await videos.list_videos("ada", Page(after=second.id)) == ([first], False)
    assert await videos.list_videos("ada", Page()) == ([third, first], False)
    for owner, after in (("bob", first.id), ("ada", "video_unknown")):
        with pytest.raises(InvalidRequest) as caught:
            await videos.list_videos(owner, Page(after=after))
        assert caught.value.param == "after"


async def test_a_deleted_video_is_gone_and_somebody_is_told(
    memory: Memory, clock: FakeClock, liveness: Liveness
) -> None:
    """Its files go with it, soon; others cannot delete it, and nobody twice."""
    nudges: list[str] = []
    videos = Videos(Inputs(), memory, clock, PATIENCE, liveness, wake=lambda: nudges.append("now"))
    [job] = await admit(memory, 1)
    with pytest.raises(NotFound):
        await videos.delete_video(job.id, "bob")
    assert nudges == []

    await videos.delete_video(job.id, "ada")

    assert nudges == ["now"]
    with pytest.raises(NotFound):
        await videos.find_video(job.id, "ada")
    with pytest.raises(NotFound):
        await videos.delete_video(job.id, "ada")


async def test_nobody_waits_for_a_provider_for_ever(videos: Videos, memory: Memory, clock: FakeClock) -> None:
    """The job is safe, so it is returned as it stands."""
    starting = asyncio.create_task(videos.join(VideoDraft(order=video_order()), identity()).job(20.0))
    await until(lambda: 1020.0 in clock.alarms)
    await clock.advance(19.0)
    assert not starting.done()
    await clock.advance(1.0)
    job = await starting

    assert job.state is JobState.ACCEPTED
    assert await videos.find_video(job.id, "ada") == job
    await clock.advance(100.0)


async def test_a_video_that_is_taken_in_time_is_not_waited_for_longer(
    videos: Videos, memory: Memory, clock: FakeClock
) -> None:
    """No time passes."""
    starting = asyncio.create_task(videos.join(VideoDraft(order=video_order()), identity()).job(20.0))
    await until(lambda: 1020.0 in clock.alarms)
    [job] = await memory.jobs.recent(1)
    taken = advance(advance(job, Intended("first")), Submitted(Operation("op", job.mark), 1000.0))
    await move(memory, taken)

    assert await starting == taken


def grown(job: VideoJob) -> list[VideoJob]:
    """Return the states that a job goes through."""
    states = [job]
    media = StoredVideo(video="a.mp4", poster=None, size=1, sha256="00")
    for event in (
        Intended("first"),
        Submitted(Operation("op", job.mark), 1000.0),
        Progressed(10),
        Progressed(10),
        Progressed(50),
        Rendered(RemoteVideo("u")),
        Stored(media, 1010.0),
    ):
        states.append(advance(states[-1], event))
    return states


async def test_every_change_is_told_even_to_who_is_slow(videos: Videos, memory: Memory) -> None:
    """Of several that came while nobody looked none is missing, and none comes twice."""
    [job] = await admit(memory, 1)
    states = grown(job)
    numbers: list[int] = []
    async with aclosing(videos.watch_history(job, after=0)) as changes:
        seen = await anext(changes)
        assert seen == (job, 1)
        for state in states[1:]:
            await move(memory, state)
        async for change in changes:
            assert change is not None
            numbers.append(change[1])

    assert numbers == [2, 3, 4, 5, 6]
    assert [progress_event.progress for progress_event in states[-1].history] == [0, 0, 10, 50, 99, 100]


@pytest.mark.parametrize("known", range(7))
async def test_who_comes_back_is_told_what_is_new(videos: Videos, memory: Memory, known: int) -> None:
    """From anywhere in the history."""
    job = grown(video_job(1))[-1]
    await memory.jobs.admit(job, now=1000.0)
    async with aclosing(videos.watch_history(job, after=known)) as changes:
        told = [change async for change in changes if change is not None]

    assert told == [(job, number) for number in range(known + 1, 7)]


async def test_silence_is_passed_on(videos: Videos, memory: Memory, clock: FakeClock) -> None:
    """Proxies close what says nothing."""
    [job] = await admit(memory, 1)
    async with aclosing(videos.watch_history(job, after=1)) as changes:
        async with asyncio.timeout(5):
            assert (
                await anext(changes) is None
            )  # a reader who knows everything is told at once that the stream is there
        silence = asyncio.ensure_future(anext(changes))
        await until(lambda: bool(clock.alarms))
        await clock.advance(PATIENCE.heartbeat)

        assert await silence is None


async def test_a_change_that_has_no_number_breaks_the_silence_too(videos: Videos, memory: Memory) -> None:
    """Who sends something each time is never silent for longer than a heartbeat."""
    [job] = await admit(memory, 1)
    async with aclosing(videos.watch_history(job, after=0)) as changes:
        assert await anext(changes) == (job, 1)
        told = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        await move(memory, advance(job, Intended("first")))

        async with asyncio.timeout(5):
            assert await told is None


async def test_a_follower_is_let_go_when_the_process_stops(videos: Videos, memory: Memory) -> None:
    """Whoever answers decides how to say it."""
    [job] = await admit(memory, 1)
    assert isinstance(memory.feed, LocalFeed)
    async with aclosing(videos.watch_history(job, after=0)) as changes:
        await anext(changes)
        memory.feed.close()
        with pytest.raises(Draining):
            await anext(changes)
