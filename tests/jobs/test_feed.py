"""Progress to readers: the newest state, promptly, and nothing piled up."""

import asyncio

import msgspec
import pytest

from adapter.errors import Draining
from adapter.jobs.feed import LocalFeed
from tests.fakes import FakeClock, video_job


async def test_a_reader_gets_the_newest_state_only() -> None:
    """A slow reader skips what is outdated; it never queues."""
    feed = LocalFeed(FakeClock())
    with feed.subscribe(video_job().id) as changes:
        for progress in range(100):
            feed.publish(msgspec.structs.replace(video_job(), progress=progress))
        newest = await changes.next(10.0)

    assert newest is not None
    assert newest.progress == 99


async def test_silence_is_told() -> None:
    """After the time without news the reader gets None, and can send a comment."""
    clock = FakeClock()
    feed = LocalFeed(clock)
    with feed.subscribe("video_1") as changes:
        waiting = asyncio.ensure_future(changes.next(10.0))
        await asyncio.sleep(0)
        await clock.advance(10.0)

        assert await waiting is None


async def test_readers_of_other_jobs_hear_nothing() -> None:
    """A job's news goes to its own readers, all of them."""
    clock = FakeClock()
    feed = LocalFeed(clock)
    job = video_job(1)
    with feed.subscribe(job.id) as one, feed.subscribe(job.id) as two, feed.subscribe("video_2") as other:
        feed.publish(job)
        assert [await one.next(1.0), await two.next(1.0)] == [job, job]

        waiting = asyncio.ensure_future(other.next(1.0))
        await asyncio.sleep(0)
        await clock.advance(1.0)
        assert await waiting is None


async def test_shutting_down_lets_every_reader_go_now_and_later() -> None:
    """Streams end at once instead of holding the process."""
    feed = LocalFeed(FakeClock())
    feed.check_open()
    with feed.subscribe("video_1") as changes:
        waiting = asyncio.ensure_future(changes.next(10.0))
        await asyncio.sleep(0)
        feed.close()
        with pytest.raises(Draining):
            await waiting
    with feed.subscribe("video_2") as changes, pytest.raises(Draining):
        await changes.next(10.0)
    with pytest.raises(Draining):
        feed.check_open()
