"""Memory for large work: who finds none free waits a while, and is then asked to come back."""

from asyncio import Event
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from adapter.domain.ports import Clock, Reservation
from adapter.errors import ServerBusy

#: What a client is told to wait, in seconds.
COME_BACK_SECONDS = 10.0


class MemoryBudget:
    """Hands out room in the order of asking (the port `Budget`).

    It counts what work is expected to need at its widest, and measures nothing. Work that is expected to need more than
    there is gets all of it, alone.
    """

    def __init__(self, clock: Clock, *, capacity: int, wait_seconds: float) -> None:
        """Take the bytes that there are, and how many seconds one waits for some of them."""
        self._clock = clock
        self._capacity = capacity
        self._wait_seconds = wait_seconds
        self._free = capacity
        self._waiting: deque[_Waiting] = deque()

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[Reservation]:
        """Take room for as long as the context is open (the port of that name)."""
        reservation = _Reservation(self)
        with reservation.keep():
            if size:
                await reservation.wait_for_more(size)
            yield reservation

    async def take(self, size: int, *, held: int) -> int:
        """Wait for more, and return how much it is: with what is `held` already it is never more than there is.

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
        """Take more for work that is under way. It does not wait: all who hold some could wait for each other.

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
        """Let others have what was taken."""
        self._free += size
        while self._waiting and self._waiting[0].size <= self._free:
            next_one = self._waiting.popleft()
            self._free -= next_one.size
            next_one.granted.set()


class _Waiting:
    """Somebody in the queue."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.granted = Event()


class _Reservation:
    """What one piece of work has taken (the port `Reservation`)."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._holders = 0
        self.size = 0

    @contextmanager
    def keep(self) -> Iterator[None]:
        """Hold all of it, whoever else lets go meanwhile (the port of that name)."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._budget.give_back(self.size)
                self.size = 0

    async def wait_for_more(self, size: int) -> None:
        """Take more as soon as it is free (the port of that name)."""
        taken = await self._budget.take(size, held=self.size)
        self.size += taken  # apart: `+=` would add to what there was before the wait

    def take_now(self, size: int) -> None:
        """Take more (the port of that name)."""
        self._budget.take_at_once(size)
        self.size += size


def _busy() -> ServerBusy:
    return ServerBusy(
        "The server has as much large work as it can hold. Ask again shortly.", retry_after=COME_BACK_SECONDS
    )
