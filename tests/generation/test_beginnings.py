"""Videos that are being asked for, by people who do not wait for ever."""

import asyncio
from contextlib import aclosing

import pytest

from adapter.domain.job import VideoJob
from adapter.errors import ContentRefused, Draining
from adapter.generation.beginnings import Beginnings
from adapter.generation.patience import Patience
from tests.fakes import FakeClock, video_job

PATIENCE = Patience(heartbeat=10.0, replay=60.0, opening=2.0)


class Desk:
    """Somewhere a video is asked for; the answer comes when the test says so."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[VideoJob] = asyncio.get_running_loop().create_future()
        self.asked = 0
        self.done = 0

    async def begin(self) -> VideoJob:
        self.asked += 1
        job = await self.answer
        self.done += 1
        return job


@pytest.fixture
def clock() -> FakeClock:
    """Time, from second 1000 on."""
    return FakeClock()


async def test_what_is_known_in_the_first_moment_is_the_first_word(clock: FakeClock) -> None:
    """So a refusal can still have an HTTP status."""
    desk, job = Desk(), video_job()
    desk.answer.set_result(job)
    assert await anext(Beginnings(clock, PATIENCE).watch(desk.begin)) == job

    refused = Desk()
    refused.answer.set_exception(ContentRefused("unsafe"))
    with pytest.raises(ContentRefused, match="unsafe"):
        await anext(Beginnings(clock, PATIENCE).watch(refused.begin))


async def test_after_the_first_moment_silence_is_told_at_every_beat(clock: FakeClock) -> None:
    """And at the end the job, or the refusal."""
    desk, job = Desk(), video_job()
    async with aclosing(Beginnings(clock, PATIENCE).watch(desk.begin)) as states:
        for seconds in (2.0, 10.0, 10.0):
            word = asyncio.ensure_future(anext(states))
            await clock.advance(0)
            await clock.advance(seconds - 1)
            assert not word.done()
            await clock.advance(1)
            assert await word is None
        desk.answer.set_result(job)
        assert await anext(states) == job

    assert desk.asked == 1


async def test_who_hangs_up_does_not_call_the_video_off(clock: FakeClock) -> None:
    """It may be sent already."""
    desk, beginnings = Desk(), Beginnings(clock, PATIENCE)
    states = beginnings.watch(desk.begin)
    word = asyncio.ensure_future(anext(states))
    await clock.advance(0)
    await clock.advance(2.0)
    assert await word is None
    await states.aclose()

    desk.answer.set_result(video_job())
    async with asyncio.timeout(5):
        while not desk.done:
            await asyncio.sleep(0)


async def test_a_process_that_stops_lets_go_of_what_nobody_took(clock: FakeClock) -> None:
    """Its jobs, as far as there are any, go on without it."""
    desk, beginnings = Desk(), Beginnings(clock, PATIENCE)
    word = asyncio.ensure_future(anext(beginnings.watch(desk.begin)))
    await clock.advance(0)
    async with asyncio.timeout(5):
        await beginnings.end()

    assert desk.answer.cancelled()
    with pytest.raises(Draining):
        await word
