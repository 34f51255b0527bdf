"""Who writes next, and who hears that it would take too long."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from adapter.database.write_queue import (
    EXPECTED_SECONDS,
    FIRST_GUESS,
    LEAST_WAITING,
    MEASURED_LAST,
    MOST_SECONDS,
    WriteQueue,
    WriteTurn,
)
from adapter.errors import StorageBusy, StorageFailed
from tests.fakes import FakeClock, let_others_run


class Writers:
    """Writers at one queue, and the order in which they had their turns."""

    def __init__(self, queue: WriteQueue) -> None:
        self.had: list[str] = []
        self._queue = queue
        self._over = asyncio.Semaphore(0)
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, turn: WriteTurn, *names: str, owner: str = "ada") -> Sequence[asyncio.Task[None]]:
        """Let writers of an owner come, one after the other."""
        coming = [asyncio.ensure_future(self._write(turn, name, owner)) for name in names]
        self.tasks += coming
        await let_others_run()
        return coming

    async def _write(self, turn: WriteTurn, name: str, owner: str) -> None:
        async with self._queue.turn(turn, owner):
            self.had.append(name)
            await self._over.acquire()

    async def end(self, count: int = 1) -> None:
        """Let so many turns end, one after the other."""
        for _ in range(count):
            self._over.release()
            await let_others_run()

    async def end_and_cancel(self, task: asyncio.Task[None]) -> None:
        """Let a turn end, and cancel the next writer before it hears that it has one."""
        self.tasks[0].add_done_callback(lambda _: task.cancel())
        await self.end()


@pytest.fixture
def clock() -> FakeClock:
    """Time, from second 1000 on."""
    return FakeClock()


@pytest.fixture
async def writers(clock: FakeClock) -> AsyncIterator[Writers]:
    """Writers of one file: one at a time."""
    writers = Writers(WriteQueue(clock))
    yield writers
    for task in writers.tasks:
        task.cancel()
    await asyncio.gather(*writers.tasks, return_exceptions=True)


async def slow_down(writers: Writers, clock: FakeClock, seconds: float) -> None:
    """Let new work take so long, for as many turns as the estimate looks at."""
    for _ in range(MEASURED_LAST):
        await writers.come(WriteTurn.NEW, "slow")
        await clock.advance(seconds)
        await writers.end()
    writers.had.clear()


async def test_leases_are_renewed_first_and_new_work_waits_for_work_under_way(writers: Writers) -> None:
    """Within a kind the first comes first."""
    await writers.come(WriteTurn.NEW, "first")
    await writers.come(WriteTurn.CLAIM, "claim")
    await writers.come(WriteTurn.NEW, "new 1", "new 2")
    await writers.come(WriteTurn.UNDER_WAY, "save")
    await writers.come(WriteTurn.LEASE, "renewal")
    await writers.end(6)

    assert writers.had == ["first", "renewal", "save", "new 1", "new 2", "claim"]


async def test_work_under_way_does_not_starve_new_work(writers: Writers) -> None:
    """New work has every fifth turn."""
    await writers.come(WriteTurn.UNDER_WAY, "first", *"abcdefgh")
    await writers.come(WriteTurn.NEW, "new 1", "new 2")
    await writers.end(11)

    assert writers.had == ["first", *"abcd", "new 1", *"efgh", "new 2"]


async def test_a_burst_of_new_work_does_not_starve_the_poller(writers: Writers) -> None:
    """A claim has its turn after twenty others: it takes all that came meanwhile."""
    await writers.come(WriteTurn.NEW, "first")
    await writers.come(WriteTurn.CLAIM, "claim")
    await writers.come(WriteTurn.NEW, *map(str, range(30)))
    await writers.end(31)

    assert writers.had.index("claim") == 21


async def test_a_burst_of_one_owner_does_not_hold_up_the_new_work_of_another(writers: Writers) -> None:
    """Owners take turns."""
    await writers.come(WriteTurn.NEW, *map(str, range(1000)))
    await writers.come(WriteTurn.NEW, "bob 1", "bob 2", owner="bob")
    await writers.come(WriteTurn.NEW, "carl", owner="carl")
    await writers.end(6)

    assert writers.had == ["0", "1", "bob 1", "carl", "2", "bob 2", "3"]


async def test_the_owner_with_the_most_new_work_is_refused_when_too_much_waits(
    writers: Writers, clock: FakeClock
) -> None:
    """The queue stays as long as it may be, and another owner has a place in it."""
    await slow_down(writers, clock, 0.5)
    burst = await writers.come(WriteTurn.NEW, *map(str, range(1 + int(EXPECTED_SECONDS / 0.5))))
    before = [task.done() for task in burst]
    (other,) = await writers.come(WriteTurn.NEW, "bob", owner="bob")
    (late,) = await writers.come(WriteTurn.NEW, "late")

    assert True not in before
    assert [task.done() for task in burst] == [False] * (len(burst) - 1) + [True]
    assert isinstance(burst[-1].exception(), StorageBusy)
    assert (other.done(), late.done()) == (False, True)
    await writers.end(2)
    assert writers.had == ["0", "1", "bob"]


async def test_new_work_that_would_wait_too_long_is_refused_at_once(writers: Writers, clock: FakeClock) -> None:
    """It hears how long the others will take. Work under way waits."""
    await slow_down(writers, clock, 0.5)
    room = int(EXPECTED_SECONDS / 0.5)
    await writers.come(WriteTurn.NEW, *map(str, range(1 + room)))
    (late,) = await writers.come(WriteTurn.NEW, "late")
    (save,) = await writers.come(WriteTurn.UNDER_WAY, "save")

    assert late.done()
    with pytest.raises(StorageBusy) as caught:
        await late
    assert (caught.value.status, caught.value.should_retry, caught.value.retry_after) == (503, True, EXPECTED_SECONDS)
    assert not save.done()


async def test_new_work_is_refused_from_the_end_as_soon_as_the_database_is_known_to_be_slow(
    writers: Writers, clock: FakeClock
) -> None:
    """A few wait in any case, so that the pace is measured again."""
    waiting = await writers.come(WriteTurn.NEW, *map(str, range(200)))
    before = sum(task.done() for task in waiting)
    for _ in range(MEASURED_LAST):
        await clock.advance(EXPECTED_SECONDS / LEAST_WAITING)
        await writers.end()
    refused = [task for task in waiting if task.done() and isinstance(task.exception(), StorageBusy)]

    assert before == 0
    assert refused
    assert waiting[0] not in refused
    assert waiting[-1] in refused


async def test_the_slow_first_turns_of_a_burst_refuse_nothing(writers: Writers, clock: FakeClock) -> None:
    """The process is still reading the requests then."""
    waiting = await writers.come(WriteTurn.NEW, *map(str, range(int(EXPECTED_SECONDS / FIRST_GUESS))))
    for _ in range(MEASURED_LAST // 2):
        await clock.advance(0.1)
        await writers.end()

    assert [task for task in waiting if task.done() and task.exception()] == []


@pytest.mark.parametrize(("turn", "fault"), [(WriteTurn.LEASE, StorageFailed), (WriteTurn.NEW, StorageBusy)])
async def test_a_turn_that_does_not_come_is_a_clear_error(
    writers: Writers, clock: FakeClock, turn: WriteTurn, fault: type[StorageFailed]
) -> None:
    """Somebody writes and does not end. Who has given up is not called any more."""
    await writers.come(WriteTurn.UNDER_WAY, "stuck")
    (late,) = await writers.come(turn, "late")
    await clock.advance(MOST_SECONDS)
    await writers.come(turn, "next")
    await writers.end()

    with pytest.raises(fault) as caught:
        await late
    assert type(caught.value) is fault
    assert writers.had == ["stuck", "next"]


async def test_a_writer_that_is_cancelled_keeps_no_turn(writers: Writers) -> None:
    """Neither while it waits nor at the moment of its call."""
    await writers.come(WriteTurn.NEW, "first")
    waiting, called = await writers.come(WriteTurn.NEW, "waiting", "called")
    await writers.come(WriteTurn.NEW, "last")
    waiting.cancel()
    await let_others_run()
    await writers.end_and_cancel(called)
    await let_others_run()

    assert waiting.cancelled()
    assert called.cancelled()
    assert writers.had[-1] == "last"
