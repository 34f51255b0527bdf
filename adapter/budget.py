"""The memory budget for large requests. A request waits for free memory, and is refused after a while."""

from asyncio import Event
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from adapter.domain.ports import Clock, Reservation
from adapter.errors import ServerBusy

#: `Retry-After` of a refused request, in seconds.
COME_BACK_SECONDS = 10.0


class MemoryBudget:
    """Grants reservations in the order of the requests (the port `Budget`).

    It adds up estimates of the largest need; it does not measure. Work that needs more than the whole budget gets the
    whole budget, alone.
    """

    def __init__(self, clock: Clock, *, capacity: int, wait_seconds: float) -> None:
        """Take the size of the budget in bytes, and how long a request waits, in seconds."""
        self._clock = clock
        self._capacity = capacity
        self._wait_seconds = wait_seconds
        self._free = capacity
        self._waiting: deque[_Waiting] = deque()

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[Reservation]:
        """Reserve memory for as long as the context is open (the port of that name)."""
        reservation = _Reservation(self)
        with reservation.keep():
            if size:
                await reservation.wait_for_more(size)
            yield reservation

    async def take(self, size: int, *, held: int) -> int:
        """Wait for memory and return how much was reserved. Together with `held` it is never more than the budget.

        Raises:
            ServerBusy: it did not become free in time.
        """
        size = min(size, self._capacity - held)
        if not self._waiting and size <= self._free:
            self._free -= size
            return size
        waiting = _Waiting(size)
        self._waiting.append(waiting)
        granted = False
        try:
            granted = await self._clock.wait(waiting.granted, self._wait_seconds)
        finally:
            if not granted:
                self._leave(waiting)
        if not granted:
            raise _busy()
        return size

    def take_at_once(self, size: int) -> None:
        """Reserve more for work that has begun. It does not wait: holders that wait for each other would be a deadlock.

        Raises:
            ServerBusy: there is not as much free.
        """
        if size > self._free:
            raise _busy()
        self._free -= size

    def _leave(self, waiting: "_Waiting") -> None:
        if waiting.granted.is_set():
            self.give_back(waiting.size)
        else:
            self._waiting.remove(waiting)
            self.give_back(0)

    def give_back(self, size: int) -> None:
        """Give memory back, and grant it to those who wait."""
        self._free += size
        while self._waiting and self._waiting[0].size <= self._free:
            next_one = self._waiting.popleft()
            self._free -= next_one.size
            next_one.granted.set()


class _Waiting:
    """A request in the queue."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.granted = Event()


class _Reservation:
    """The memory that one piece of work has reserved (the port `Reservation`)."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._holders = 0
        self.size = 0

    @contextmanager
    def keep(self) -> Iterator[None]:
        """Keep all of it until the context ends, also if other holders let go (the port of that name)."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._budget.give_back(self.size)
                self.size = 0

    async def wait_for_more(self, size: int) -> None:
        """Reserve more, and wait for it if need be (the port of that name)."""
        taken = await self._budget.take(size, held=self.size)
        self.size += taken  # not in one line: `+=` would use the value from before the wait

    def take_now(self, size: int) -> None:
        """Reserve more at once (the port of that name)."""
        self._budget.take_at_once(size)
        self.size += size


def _busy() -> ServerBusy:
    return ServerBusy(
        "The server has as much large work as it can hold. Ask again shortly.", retry_after=COME_BACK_SECONDS
    )
