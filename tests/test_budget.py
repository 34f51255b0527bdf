"""Memory for large work: who may begin, who waits, who is asked to come back."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from adapter.budget import MemoryBudget
from adapter.errors import ServerBusy
from tests.fakes import FakeClock, let_others_run


async def is_free(budget: MemoryBudget, size: int) -> bool:
    """Return whether so much can be reserved at once."""
    worker = Worker(budget, size)
    await let_others_run()
    begun = worker.begun
    worker.task.cancel()
    await let_others_run()
    return begun


class Worker:
    """A piece of work that takes room and keeps it until it is told to end."""

    def __init__(self, budget: MemoryBudget, size: int, owner: str = "") -> None:
        self.begun = False
        self.over = asyncio.Event()
        self.task = asyncio.ensure_future(self._work(budget, size, owner))

    async def _work(self, budget: MemoryBudget, size: int, owner: str) -> None:
        async with budget.reserve(size, owner):
            self.begun = True
            await self.over.wait()

    async def end(self) -> None:
        """Finish."""
        self.over.set()
        await self.task


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
    await let_others_run()

    assert [worker.begun for worker in workers] == [True, True]
    for worker in workers:
        await worker.end()


async def test_work_that_does_not_fit_waits_for_its_turn(budget: MemoryBudget) -> None:
    """In the order of asking: small work does not overtake large work, which would otherwise wait for ever."""
    first, large, small = Worker(budget, 80), Worker(budget, 90), Worker(budget, 10)
    await let_others_run()
    assert [worker.begun for worker in (first, large, small)] == [True, False, False]

    await first.end()
    await let_others_run()
    assert [large.begun, small.begun] == [True, True]
    await large.end()
    await small.end()


async def test_who_waits_too_long_is_asked_to_come_back(budget: MemoryBudget, clock: FakeClock) -> None:
    """503 with a time, and the SDK may try again: nothing was begun."""
    first, second = Worker(budget, 80), Worker(budget, 80)
    await let_others_run()
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
    await let_others_run()
    assert not last.begun  # it stands behind the one that does not fit

    gone.task.cancel()
    await let_others_run()
    assert last.begun
    await first.end()
    await last.end()
    async with budget.reserve(100):
        pass


async def test_who_gives_up_at_the_moment_of_getting_room_gives_it_back(budget: MemoryBudget) -> None:
    """Both may happen in one turn of the loop."""
    first, gone = Worker(budget, 80), Worker(budget, 80)
    await let_others_run()
    first.over.set()
    await asyncio.sleep(0)
    gone.task.cancel()
    await let_others_run()

    assert await is_free(budget, 100)


async def test_work_that_is_larger_than_everything_runs_alone(budget: MemoryBudget) -> None:
    """It is not refused for ever."""
    huge, other = Worker(budget, 1000), Worker(budget, 1)
    await let_others_run()

    assert (huge.begun, other.begun) == (True, False)
    await huge.end()
    await let_others_run()
    assert other.begun
    await other.end()


async def test_work_may_need_more_on_its_way(budget: MemoryBudget, clock: FakeClock) -> None:
    """It waits for it as for the first part, and gives all of it back."""
    async with AsyncExitStack() as held:
        reservation = await held.enter_async_context(budget.reserve(40))
        other = Worker(budget, 50)
        await let_others_run()
        wider = asyncio.ensure_future(reservation.wait_for_more(30))
        await let_others_run()
        assert not wider.done()

        await other.end()
        await wider
        waiting = Worker(budget, 40)
        await let_others_run()
        assert not waiting.begun
    await let_others_run()
    assert waiting.begun
    await waiting.end()


async def test_what_one_has_counts_when_one_needs_more_than_there_is(budget: MemoryBudget) -> None:
    """Who holds a part of everything gets the rest, and does not wait for its own part."""
    async with asyncio.timeout(1), budget.reserve(40) as reservation:
        await reservation.wait_for_more(1000)
        assert not await is_free(budget, 1)
    assert await is_free(budget, 100)


async def test_work_may_need_more_for_a_while(budget: MemoryBudget) -> None:
    """It keeps the rest."""
    async with budget.reserve(40) as reservation:
        async with reservation.part(60):
            assert not await is_free(budget, 1)
        assert await is_free(budget, 60)
        assert not await is_free(budget, 61)


class Body:
    """A body that arrives, as the routes take one."""

    def __init__(self, budget: MemoryBudget, owner: str = "") -> None:
        self.size = 0
        self.interrupted = 0
        self.over = asyncio.Event()
        self._wanted = asyncio.Semaphore(0)
        self._steps: list[tuple[int, int]] = []
        self.task = asyncio.ensure_future(self._arrive(budget, owner))

    async def _arrive(self, budget: MemoryBudget, owner: str) -> None:
        async with budget.reserve(0, owner) as reservation:
            with reservation.interruptible(self._interrupt):
                while not self.over.is_set():
                    await self._wanted.acquire()
                    reservation.check()
                    for size, room in self._steps:
                        await reservation.wait_for_more(size, room=room)
                        self.size += size
                    self._steps.clear()

    def _interrupt(self) -> None:
        self.interrupted += 1
        self._wanted.release()

    async def bring(self, size: int, room: int = 0) -> None:
        """Let more of it arrive."""
        self._steps.append((size, room))
        self._wanted.release()
        await let_others_run()

    @property
    def is_refused(self) -> bool:
        """Whether it was asked to come back."""
        return self.task.done() and isinstance(self.task.exception(), ServerBusy)

    async def end(self) -> None:
        """Let it be over."""
        self.over.set()
        self._wanted.release()
        await asyncio.wait([self.task])


async def test_what_is_announced_and_does_not_come_keeps_nothing_from_others(budget: MemoryBudget) -> None:
    """A body begins when all of it would fit; what counts then is what has come."""
    bodies = [Body(budget) for _ in range(4)]
    for body in bodies:
        await body.bring(5, room=100 - 5 * 4)

    assert [body.size for body in bodies] == [5, 5, 5, 5]
    assert await is_free(budget, 80)
    for body in bodies:
        await body.end()


async def test_a_body_that_does_not_fit_waits_before_it_begins(budget: MemoryBudget, clock: FakeClock) -> None:
    """And is refused while nothing of it has come."""
    first, late = Worker(budget, 50), Body(budget)
    await late.bring(5, room=51)
    assert late.size == 0

    await clock.advance(31)
    assert late.is_refused
    await first.end()


async def test_of_bodies_that_hold_everything_and_want_more_the_last_gives_way(budget: MemoryBudget) -> None:
    """At once: none of them could go on."""
    bodies = [Body(budget) for _ in range(3)]
    for body, size in zip(bodies, (30, 30, 40), strict=True):
        await body.bring(size)
    await bodies[1].bring(20)
    await bodies[2].bring(20)
    assert not any(body.task.done() for body in bodies)  # the first may end, and then they go on

    await bodies[0].bring(20)
    assert [body.is_refused for body in bodies] == [False, False, True]
    assert [body.size for body in bodies[:2]] == [50, 50]
    for body in bodies:
        await body.end()
    assert await is_free(budget, 100)


async def test_a_body_is_not_stuck_behind_one_that_waits_for_it(budget: MemoryBudget) -> None:
    """What is there goes to the one that can end."""
    body = Body(budget, "ada")
    await body.bring(40)
    large = Worker(budget, 100, "bob")
    await body.bring(30)

    assert (body.size, large.begun) == (70, False)
    await body.end()
    await let_others_run()
    assert large.begun
    await large.end()


async def test_what_is_free_goes_to_the_owner_that_has_the_least(budget: MemoryBudget) -> None:
    """Whoever asked first."""
    first, second = Worker(budget, 50, "ada"), Worker(budget, 50, "ada")
    third, other = Worker(budget, 50, "ada"), Worker(budget, 50, "bob")
    await let_others_run()
    await first.end()
    await let_others_run()

    assert (third.begun, other.begun) == (False, True)
    await second.end()
    await let_others_run()
    assert third.begun
    for worker in (third, other):
        await worker.end()


async def test_an_owner_gets_no_more_than_its_share_while_others_wait(budget: MemoryBudget) -> None:
    """Not even where it has nothing yet."""
    first, rest = Worker(budget, 50, "ada"), Worker(budget, 50, "ada")
    await let_others_run()
    huge, small = Worker(budget, 90, "bob"), Worker(budget, 20, "cleo")
    await let_others_run()
    await first.end()
    await let_others_run()

    assert (huge.begun, small.begun) == (False, True)
    for worker in (rest, small):
        await worker.end()
    await let_others_run()
    assert huge.begun
    await huge.end()


async def test_a_lone_owner_may_have_everything(budget: MemoryBudget) -> None:
    """In pieces too."""
    workers = [Worker(budget, 25, "ada") for _ in range(4)]
    await let_others_run()

    assert all(worker.begun for worker in workers)
    for worker in workers:
        await worker.end()


async def test_bodies_on_their_way_give_way_to_owners_with_a_right_to_their_memory(
    budget: MemoryBudget, clock: FakeClock
) -> None:
    """After a while, as many as it takes, the last first: nothing was begun for them."""
    bodies = [Body(budget, "ada") for _ in range(4)]
    for body in bodies:
        await body.bring(25)
    other = Worker(budget, 30, "bob")
    await let_others_run()
    assert [body.is_refused for body in bodies] == [False] * 4

    await clock.advance(4)
    await let_others_run()
    assert [body.is_refused for body in bodies] == [False, False, True, True]
    assert other.begun
    await other.end()
    for body in bodies:
        await body.end()


async def test_bodies_of_owners_within_their_share_do_not_give_way(budget: MemoryBudget, clock: FakeClock) -> None:
    """Nor does anything for what is more than a share."""
    ada, bob = Body(budget, "ada"), Body(budget, "bob")
    await ada.bring(50)
    await bob.bring(50)
    third = Worker(budget, 40, "cleo")
    await clock.advance(4)
    assert (ada.interrupted, bob.interrupted) == (0, 0) if third.begun else not third.begun

    third.task.cancel()
    await ada.end()
    await bob.end()


async def test_an_answer_that_is_paid_for_is_never_refused(budget: MemoryBudget, clock: FakeClock) -> None:
    """It waits for memory, and then takes it: later work waits until that is given back."""
    other = Worker(budget, 60)
    async with budget.reserve(30) as reservation:
        adding = asyncio.ensure_future(reservation.add_paid(50))
        await let_others_run()
        assert not adding.done()

        await clock.advance(241)
        await adding
        assert not await is_free(budget, 1)
        await other.end()
        assert await is_free(budget, 20)
        assert not await is_free(budget, 21)
    assert await is_free(budget, 100)


async def test_answers_that_are_paid_for_may_take_a_quarter_more_than_there_is(budget: MemoryBudget) -> None:
    """No more than that while others may end, and no work that was not begun meanwhile."""
    async with asyncio.timeout(1), budget.reserve(50) as first, budget.reserve(50) as second:
        waiting = Worker(budget, 10)
        await first.add_paid(25)
        adding = asyncio.ensure_future(second.add_paid(10))
        await let_others_run()
        assert (adding.done(), waiting.begun) == (False, False)
        adding.cancel()
        waiting.task.cancel()


async def test_of_paid_answers_that_hold_everything_and_want_more_one_after_the_other_goes_on(
    budget: MemoryBudget,
) -> None:
    """None is refused, and none waits for the others' patience."""
    ends = [asyncio.Event() for _ in range(3)]
    done: list[int] = []

    async def answer(number: int) -> None:
        async with budget.reserve(33) as reservation:
            await asyncio.sleep(0)
            await reservation.add_paid(60)
            done.append(number)
            await ends[number].wait()

    tasks = [asyncio.ensure_future(answer(number)) for number in range(3)]
    await let_others_run()
    assert done == [0]
    ends[0].set()
    await let_others_run()
    assert done == [0, 1]
    for end in ends:
        end.set()
    await asyncio.gather(*tasks)
    assert await is_free(budget, 100)


async def test_a_body_on_its_way_gives_way_to_what_is_paid_for(budget: MemoryBudget, clock: FakeClock) -> None:
    """Of any owner, its own too: nothing was begun for it."""
    body = Body(budget, "ada")
    await body.bring(70)
    async with budget.reserve(30, "ada") as reservation:
        adding = asyncio.ensure_future(reservation.add_paid(60))
        await let_others_run()
        await clock.advance(25)
        await let_others_run()

        assert body.is_refused
        assert adding.done()


async def test_room_that_comes_while_its_holder_waits_for_more_is_counted(budget: MemoryBudget) -> None:
    """All of it is given back."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(budget.reserve(60))
        async with budget.reserve(10) as reservation:
            waiting = [asyncio.create_task(reservation.wait_for_more(size)) for size in (50, 20)]
            await let_others_run()
            await stack.aclose()
            await asyncio.gather(*waiting)

    assert await is_free(budget, 100)
