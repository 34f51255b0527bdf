"""Memory for large work: who may begin, who waits, who is asked to come back."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from adapter.budget import MemoryBudget
from adapter.errors import ServerBusy
from tests.fakes import FakeClock


async def is_free(budget: MemoryBudget, size: int) -> bool:
    """Return whether so much can be reserved at once."""
    async with budget.reserve(0) as reservation:
        try:
            reservation.take_now(size)
        except ServerBusy:
            return False
    return True


class Worker:
    """A piece of work that takes room and keeps it until it is told to end."""

    def __init__(self, budget: MemoryBudget, size: int) -> None:
        self.begun = False
        self.over = asyncio.Event()
        self.task = asyncio.ensure_future(self._work(budget, size))

    async def _work(self, budget: MemoryBudget, size: int) -> None:
        async with budget.reserve(size):
            self.begun = True
            await self.over.wait()

    async def end(self) -> None:
        """Finish."""
        self.over.set()
        await self.task


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    """Time that passes when told to."""
    return FakeClock()


@pytest.fixture
def budget(clock: FakeClock) -> MemoryBudget:
    """A hundred bytes; thirty seconds."""
    return MemoryBudget(clock, capacity=100, wait_seconds=30)


async def test_work_that_fits_begins_at_once(budget: MemoryBudget) -> None:
    """Side by side, up to the last byte."""
    workers = [Worker(budget, 50), Worker(budget, 50)]
    await settle()

    assert [worker.begun for worker in workers] == [True, True]
    for worker in workers:
        await worker.end()


async def test_work_that_does_not_fit_waits_for_its_turn(budget: MemoryBudget) -> None:
    """In the order of asking: small work does not overtake large work, which would otherwise wait for ever."""
    first, large, small = Worker(budget, 80), Worker(budget, 90), Worker(budget, 10)
    await settle()
    assert [worker.begun for worker in (first, large, small)] == [True, False, False]

    await first.end()
    await settle()
    assert [large.begun, small.begun] == [True, True]
    await large.end()
    await small.end()


async def test_who_waits_too_long_is_asked_to_come_back(budget: MemoryBudget, clock: FakeClock) -> None:
    """503 with a time, and the SDK may try again: nothing was begun."""
    first, second = Worker(budget, 80), Worker(budget, 80)
    await settle()
    await clock.advance(31)

    with pytest.raises(ServerBusy) as caught:
        await second.task
    assert (caught.value.status, caught.value.should_retry, caught.value.retry_after) == (503, True, 10)
    await first.end()
    async with asyncio.timeout(1), budget.reserve(100):
        pass


async def test_who_gives_up_waiting_leaves_no_trace(budget: MemoryBudget) -> None:
    """A client that hangs up in the queue does not keep the others out."""
    first, gone, last = Worker(budget, 80), Worker(budget, 80), Worker(budget, 20)
    await settle()
    assert not last.begun  # it stands behind the one that does not fit

    gone.task.cancel()
    await settle()
    assert last.begun
    await first.end()
    await last.end()
    async with budget.reserve(100):
        pass


async def test_who_gives_up_at_the_moment_of_getting_room_gives_it_back(budget: MemoryBudget) -> None:
    """Both may happen in one turn of the loop."""
    first, gone = Worker(budget, 80), Worker(budget, 80)
    await settle()
    first.over.set()
    await asyncio.sleep(0)
    gone.task.cancel()
    await settle()

    assert await is_free(budget, 100)


async def test_work_that_is_larger_than_everything_runs_alone(budget: MemoryBudget) -> None:
    """It is not refused for ever."""
    huge, other = Worker(budget, 1000), Worker(budget, 1)
    await settle()

    assert (huge.begun, other.begun) == (True, False)
    await huge.end()
    await settle()
    assert other.begun
    await other.end()


async def test_work_may_need_more_on_its_way(budget: MemoryBudget, clock: FakeClock) -> None:
    """It waits for it as for the first part, and gives all of it back."""
    async with AsyncExitStack() as held:
        reservation = await held.enter_async_context(budget.reserve(40))
        other = Worker(budget, 50)
        await settle()
        wider = asyncio.ensure_future(reservation.wait_for_more(30))
        await settle()
        assert not wider.done()

        await other.end()
        await wider
        waiting = Worker(budget, 40)
        await settle()
        assert not waiting.begun
    await settle()
    assert waiting.begun
    await waiting.end()


async def test_what_one_has_counts_when_one_needs_more_than_there_is(budget: MemoryBudget) -> None:
    """Who holds a part of everything gets the rest, and does not wait for its own part."""
    async with asyncio.timeout(1), budget.reserve(40) as reservation:
        await reservation.wait_for_more(1000)
        with pytest.raises(ServerBusy):
            reservation.take_now(1)


async def test_a_body_that_grows_does_not_wait(budget: MemoryBudget) -> None:
    """Everybody could wait for everybody."""
    async with budget.reserve(40) as reservation, budget.reserve(50):
        reservation.take_now(10)
        with pytest.raises(ServerBusy):
            reservation.take_now(1)

    async with asyncio.timeout(1), budget.reserve(100):
        pass


async def test_room_that_comes_while_its_holder_waits_for_more_is_counted(budget: MemoryBudget) -> None:
    """All of it is given back."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(budget.reserve(60))
        async with budget.reserve(10) as reservation:
            waiting = asyncio.create_task(reservation.wait_for_more(50))
            await settle()
            reservation.take_now(20)
            await stack.aclose()
            await waiting

    worker = Worker(budget, 100)
    await settle()
    assert worker.begun
    await worker.end()
