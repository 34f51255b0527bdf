"""Progress to readers: the newest state, promptly, and nothing piled up."""

import asyncio

import pytest

from adapter.domain.job import Intended, Missed, Operation, Progressed, Submitted, VideoJob, advance
from adapter.errors import Draining
from adapter.jobs.feed import LocalFeed
from tests.fakes import FakeClock, video_job


def running(progress: int) -> VideoJob:
    """Return a job that has come so far, by single steps."""
    job = advance(advance(video_job(), Intended("main")), Submitted(Operation("op", "mark"), 1000.0))
    for step in range(1, progress + 1):
        job = advance(job, Progressed(step))
    return job


async def test_a_reader_gets_the_newest_state_only() -> None:
    """A slow reader skips what is outdated; it never queues."""
    feed = LocalFeed(FakeClock())
    with feed.subscribe(video_job().id) as changes:
        for progress in range(1, 100):
            feed.publish(running(progress))
        newest = await changes.next(video_job(), 10.0)

    assert newest == running(99)


async def test_silence_is_told() -> None:
    """After the time without news the reader gets None, and can send a comment."""
    clock = FakeClock()
    feed = LocalFeed(clock)
    with feed.subscribe("video_1") as changes:
        waiting = asyncio.ensure_future(changes.next(video_job(), 10.0))
        await asyncio.sleep(0)
        await clock.advance(10.0)

        assert await waiting is None


async def test_readers_of_other_jobs_hear_nothing() -> None:
    """A job's news goes to its own readers, all of them."""
    clock = FakeClock()
    feed = LocalFeed(clock)
    job, moved = video_job(), running(5)
    with feed.subscribe(job.id) as one, feed.subscribe(job.id) as two, feed.subscribe("video_2") as other:
        feed.publish(moved)
        assert [await one.next(job, 1.0), await two.next(job, 1.0)] == [moved, moved]

        waiting = asyncio.ensure_future(other.next(job, 1.0))
        await asyncio.sleep(0)
        await clock.advance(1.0)
        assert await waiting is None


async def test_shutting_down_lets_every_reader_go_now_and_later() -> None:
    """Streams end at once instead of holding the process."""
    feed = LocalFeed(FakeClock())
    feed.check_open()
    with feed.subscribe("video_1") as changes:
        waiting = asyncio.ensure_future(changes.next(video_job(), 10.0))
        await asyncio.sleep(0)
        feed.close()
        with pytest.raises(Draining):
            await waiting
    with feed.subscribe("video_2") as changes, pytest.raises(Draining):
        await changes.next(video_job(), 10.0)
    with pytest.raises(Draining):
        feed.check_open()


async def test_only_what_a_reader_could_see_is_told() -> None:
    """A beat that changed nothing wakes nobody, and makes no silence longer."""
    clock = FakeClock()
    feed = LocalFeed(clock)
    job = running(5)
    with feed.subscribe(job.id) as changes:
        waiting = asyncio.ensure_future(changes.next(job, 10.0))
        for _ in range(9):
            await asyncio.sleep(0)
            feed.publish(advance(job, Missed()))
            await clock.advance(1.0)
            assert not waiting.done()
        await clock.advance(1.0)
        assert await waiting is None

        feed.publish(running(5))
        feed.publish(running(6))
        assert await changes.next(job, 10.0) == running(6)


async def test_what_was_told_is_not_told_again() -> None:
    """It may come by two ways: from the step that wrote it, and from a look at the store."""
    clock = FakeClock()
    feed = LocalFeed(clock)
    with feed.subscribe(video_job().id) as changes:
        feed.publish(running(5))
        assert await changes.next(video_job(), 10.0) == running(5)
        feed.publish(running(5))
        waiting = asyncio.ensure_future(changes.next(running(5), 10.0))
        await asyncio.sleep(0)
        await clock.advance(10.0)

        assert await waiting is None


async def test_a_job_is_wanted_once_for_all_its_readers() -> None:
    """And only while somebody watches it."""
    feed = LocalFeed(FakeClock())
    with feed.subscribe("video_1"), feed.subscribe("video_1"), feed.subscribe("video_2"):
        with feed.subscribe("video_3"):
            assert await feed.wanted(1) == ["video_1"]
        assert await feed.wanted(10) == ["video_2"]


async def test_silence_of_a_job_makes_it_wanted() -> None:
    """One that was heard of meanwhile is left alone."""
    feed = LocalFeed(FakeClock())
    loud, silent = video_job(1), video_job(2)
    with feed.subscribe(loud.id), feed.subscribe(silent.id):
        await feed.wanted(10)
        feed.want_unheard()
        feed.publish(loud)
        feed.want_unheard()

        assert await feed.wanted(10) == [silent.id]


async def test_readers_of_one_state_share_one_object() -> None:
    """Each came with a copy of its own from the database. One that knows more, or less, keeps what it has."""
    feed = LocalFeed(FakeClock())
    older, job, copy, newer = running(1), running(2), running(2), running(3)
    with feed.subscribe(job.id) as one, feed.subscribe(job.id) as two:
        assert one.shared(job) is job
        feed.publish(running(2))
        assert two.shared(copy) is job
        assert two.shared(older) is older
        assert two.shared(newer) is newer
        assert await two.next(older, 1.0) is job
