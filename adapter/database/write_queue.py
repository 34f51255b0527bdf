"""The order in which this process writes to the database. A few write at once."""

import statistics
from asyncio import CancelledError, Event
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import Final

import structlog

from adapter.domain.ports import Clock
from adapter.errors import StorageBusy, StorageFailed, StorageReason

log = structlog.get_logger()

#: New work that would have to wait for longer is refused at once. In seconds, by what new work took lately. In a burst
#: the wait is about half of the estimate, because what is refused does not slow the process down any more.
EXPECTED_SECONDS = 15.0
#: The longest wait for a turn, in seconds.
MOST_SECONDS = 20.0
#: How many pieces of new work may wait in any case: a database that was slow a moment ago is tried again.
LEAST_WAITING = 10
#: What a piece of new work takes, in seconds, before any was measured.
FIRST_GUESS = 0.005
#: The estimate is the median of so many. In the first second of a burst the requests are still being read, and the few
#: turns in it take very long: a mean would refuse most of the burst.
MEASURED_LAST = 51


class WriteTurn(Enum):
    """What somebody writes for. Who waits for an earlier one here goes first."""

    #: A lease that is renewed late is lost, and another process takes the work over.
    LEASE = auto()
    #: It was accepted before, and may be paid for. It is never refused for the length of the queue.
    UNDER_WAY = auto()
    #: New work. Nothing is lost if it is refused.
    NEW = auto()
    #: What is due is taken. One that comes later takes more at once.
    CLAIM = auto()


#: After how many turns of others a kind has one, although an earlier kind waits: nothing is starved.
PATIENCE: Final = {WriteTurn.NEW: 4, WriteTurn.CLAIM: 20}


class _Waiter:
    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.called = Event()
        #: Seconds after which it should come again; None: it was not refused.
        self.refused_for: float | None = None


class _Line:
    """Those that wait for one kind of turn. Owners take turns, and an owner's writers come in the order of arrival."""

    def __init__(self) -> None:
        #: By owner. The owner that was called last stands at the end.
        self._owners: dict[str, deque[_Waiter]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, waiter: _Waiter) -> None:
        self._owners.setdefault(waiter.owner, deque()).append(waiter)
        self._count += 1

    def take_first(self) -> _Waiter:
        owner = next(iter(self._owners))
        first = self._owners[owner][0]
        self.remove(first)
        if owner in self._owners:
            self._owners[owner] = self._owners.pop(owner)
        return first

    def take_last(self) -> _Waiter:
        """Take the last writer of the owner that has the most."""
        last = max(self._owners.values(), key=len)[-1]
        self.remove(last)
        return last

    def remove(self, waiter: _Waiter) -> None:
        self._owners[waiter.owner].remove(waiter)
        self._count -= 1
        if not self._owners[waiter.owner]:
            del self._owners[waiter.owner]


class WriteQueue:
    """Gives turns by kind. Within a kind owners take turns, so that the burst of one does not hold up another."""

    def __init__(self, clock: Clock, places: int = 1) -> None:
        """Take how many may write at once."""
        self._clock = clock
        self._free = places
        self._waiting = {turn: _Line() for turn in WriteTurn}
        #: How many turns others had while a kind waited.
        self._passed_over = dict.fromkeys(PATIENCE, 0)
        #: How long each of the last pieces of new work took, in seconds: from the end of the one before it, or from its
        #: own beginning if none was before it. Pieces that are committed together end together, so it is the mean of as
        #: many as write at once.
        self._intervals = deque([FIRST_GUESS] * MEASURED_LAST, MEASURED_LAST)
        #: When new work last came forward, or began to wait: as often as many write at once.
        self._moved_at: deque[float] = deque([0.0], places)

    @property
    def waiting(self) -> Mapping[WriteTurn, int]:
        """How many wait for each kind of turn."""
        return {turn: len(line) for turn, line in self._waiting.items()}

    @asynccontextmanager
    async def turn(self, turn: WriteTurn, owner: str = "") -> AsyncIterator[None]:
        """Wait for a turn, and keep it while the context is open.

        When too much new work waits, the last piece of the owner that has the most is refused.

        Raises:
            StorageBusy: it is new work, and would have to wait for too long.
            StorageFailed: the turn did not come within `MOST_SECONDS`.
        """
        await self._enter(turn, owner)
        try:
            yield
        finally:
            self._leave(turn)

    async def _enter(self, turn: WriteTurn, owner: str) -> None:
        if turn is WriteTurn.NEW and not self._waiting[turn]:
            self._moved_at.clear()
            self._moved_at.append(self._clock.now())
        if self._free and not any(self._waiting.values()):
            self._free -= 1
            return
        await self._wait(turn, _Waiter(owner))

    async def _wait(self, turn: WriteTurn, waiter: _Waiter) -> None:
        self._waiting[turn].append(waiter)
        if turn is WriteTurn.NEW:
            self._refuse_the_last()
        try:
            await self._clock.wait(waiter.called, MOST_SECONDS)
        except CancelledError:
            if waiter.called.is_set() and waiter.refused_for is None:
                self._leave(turn)
            elif not waiter.called.is_set():
                self._waiting[turn].remove(waiter)
            raise
        if waiter.refused_for is not None:
            raise _busy(waiter.refused_for)
        if not waiter.called.is_set():
            self._waiting[turn].remove(waiter)
            raise _busy(self._seconds()) if turn is WriteTurn.NEW else _slow()

    def _leave(self, turn: WriteTurn) -> None:
        if turn is WriteTurn.NEW:
            self._measure()
            self._refuse_the_last()
        following = self._following()
        if following is None:
            self._free += 1
            return
        for kind in PATIENCE:
            self._passed_over[kind] += 1 if self._waiting[kind] else 0
        if following in PATIENCE:
            self._passed_over[following] = 0
        self._waiting[following].take_first().called.set()

    def _following(self) -> WriteTurn | None:
        """Return whose turn is next; None if no writer waits."""
        waiting = [turn for turn in WriteTurn if self._waiting[turn]]
        overdue = (turn for turn in waiting if self._passed_over.get(turn, 0) >= PATIENCE.get(turn, 1))
        return next(overdue, waiting[0] if waiting else None)

    def _measure(self) -> None:
        now = self._clock.now()
        mean = (now - self._moved_at[0]) / len(self._moved_at)
        self._intervals.append(max(mean, 0.0))  # the clock may be set back
        self._moved_at.append(now)

    def _refuse_the_last(self) -> None:
        """Tell those that would wait too long, now that more is known."""
        waiting, room = self._waiting[WriteTurn.NEW], self._room()
        while len(waiting) > room:
            last = waiting.take_last()
            last.refused_for = self._seconds()
            last.called.set()

    def _room(self) -> int:
        """Return how many pieces of new work may wait."""
        interval = statistics.median(self._intervals)
        return max(LEAST_WAITING, int(EXPECTED_SECONDS / max(interval, FIRST_GUESS)))

    def _seconds(self) -> float:
        """Return after how many seconds the new work that waits now will be done."""
        return max(1.0, len(self._waiting[WriteTurn.NEW]) * statistics.median(self._intervals))


def _busy(seconds: float) -> StorageBusy:
    return StorageBusy(
        "The server has more new work than its database can take at the moment. Nothing was begun. Ask again shortly.",
        retry_after=seconds,
    )


def _slow() -> StorageFailed:
    log.error("database.slow", seconds=MOST_SECONDS)
    message = "The server's database is too slow at the moment. Try again shortly."
    return StorageFailed(message, reason=StorageReason.SLOW)
