"""The memory budget for large requests. A request waits for free memory, and is refused after a while.

Owners share it: what is free goes to the owner that holds the least. While others wait, an owner gets no more than its
share, which is the budget divided by the owners that hold or want some. An owner that is alone may have all of it.
"""

from asyncio import Event
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from itertools import count

from adapter.domain.ports import Clock, Portion, Reservation
from adapter.errors import ServerBusy

#: `Retry-After` of a refused request, in seconds.
COME_BACK_SECONDS = 10.0
#: After this part of its waiting time a request takes memory from bodies on their way, of owners above their share.
PATIENCE = 0.1
#: Answers that are paid for may take so much of the budget more than there is, and wait for so many seconds at most:
#: readers that take nothing are disconnected before, and providers have more patience.
PAID_EXTRA = 0.25
PAID_SECONDS = 240.0


class MemoryBudget:
    """Grants reservations (the port `Budget`).

    It adds up estimates of the largest need; it does not measure. Work that needs more than the whole budget gets the
    whole budget, alone.
    """

    def __init__(self, clock: Clock, *, capacity: int, wait_seconds: float) -> None:
        """Take the size of the budget in bytes, and how long a request waits, in seconds."""
        self._clock = clock
        self._capacity = capacity
        self._wait_seconds = wait_seconds
        self._extra = int(capacity * PAID_EXTRA)
        #: Of reservations, in their order.
        self.numbers = count()
        #: How often memory was granted so far.
        self.grants = 0
        #: Negative while paid answers hold more than there is.
        self._free = capacity
        self._held: Counter[str] = Counter()
        #: Bodies on their way, the oldest first, and how each is interrupted.
        self._arriving: dict[_Reservation, Callable[[], None]] = {}
        self._waiting: list[_Waiting] = []

    @property
    def capacity(self) -> int:
        """Its size in bytes."""
        return self._capacity

    @property
    def used(self) -> int:
        """How many bytes are reserved. Answers that are paid for may take it beyond its size."""
        return self._capacity - self._free

    @property
    def waiting(self) -> Sequence[int]:
        """How many bytes each request waits for that waits."""
        return [one.size for one in self._waiting]

    def empty(self, owner: str = "") -> Reservation:
        """Return a reservation without memory (the port of that name)."""
        return _Reservation(self, owner)

    def reserve(self, size: int, owner: str = "") -> AbstractAsyncContextManager[Reservation]:
        """Reserve memory for as long as the context is open (the port of that name)."""
        return _Reserved(_Reservation(self, owner), size)

    async def take(self, reservation: "_Reservation", size: int, room: int, *, is_paid: bool = False) -> int:
        """Wait until `room` bytes are free, take `size` of them for a reservation, and return how many were taken.

        Together with what the reservation has they are never more than the budget.

        Raises:
            ServerBusy: they did not become free in time, or others need the memory that it holds.
        """
        seconds = PAID_SECONDS if is_paid else self._wait_seconds
        most = max(0, self._capacity - reservation.size)
        taken, room = min(size, most), min(max(size, room), most)
        if not self._waiting and self._has_room(room, is_paid=is_paid):
            self.add(reservation, taken)
            return taken
        waiting = _Waiting(reservation, taken, room, is_paid=is_paid)
        self._waiting.append(waiting)
        self._grant()
        end = self._clock.now() + seconds
        try:
            if not await self._clock.wait(waiting.decided, seconds * PATIENCE):
                self._interrupt_for(waiting)
                await self._wait_until(end, waiting)
        finally:
            if not waiting.decided.is_set():
                self._waiting.remove(waiting)
                self._grant()
        if not waiting.is_granted:
            raise _busy()
        return waiting.size

    async def _wait_until(self, end: float, waiting: "_Waiting") -> None:
        left = end - self._clock.now()
        if left > 0:
            await self._clock.wait(waiting.decided, left)

    def add(self, reservation: "_Reservation", size: int) -> None:
        """Take memory, whether there is as much or not."""
        self.grants += 1
        self._free -= size
        self._held[reservation.owner] += size
        reservation.size += size

    def give_back(self, reservation: "_Reservation", size: int) -> None:
        """Give memory back, and grant it to those who wait."""
        self._free += size
        reservation.size -= size
        self._held[reservation.owner] -= size
        if not self._held[reservation.owner]:
            self._held.pop(reservation.owner)  # `del` of a Counter is a function in Python
        if self._waiting:
            self._grant()

    @contextmanager
    def may_interrupt(self, reservation: "_Reservation", interrupt: Callable[[], None]) -> Iterator[None]:
        """Call a function meanwhile if others need what a reservation holds."""
        self._arriving[reservation] = interrupt
        try:
            yield
        finally:
            del self._arriving[reservation]

    def _grant(self) -> None:
        while self._waiting:
            chosen = self._next()
            if not self._fits(chosen):
                stuck = self._stuck()
                if not stuck:
                    return
                fits = next((one for one in stuck if self._fits(one) or one.is_paid), None)
                if fits is None:
                    # They hold all there is, and each waits for more. The last one gives way.
                    self._decide(max(stuck, key=lambda one: one.reservation.number), is_granted=False)
                    return
                chosen = fits
            self._decide(chosen, is_granted=True)

    def _fits(self, waiting: "_Waiting") -> bool:
        return self._has_room(waiting.room, is_paid=waiting.is_paid)

    def _has_room(self, room: int, *, is_paid: bool) -> bool:
        return room <= self._free + (self._extra if is_paid else 0)

    def _decide(self, waiting: "_Waiting", *, is_granted: bool) -> None:
        self._waiting.remove(waiting)
        waiting.is_granted = is_granted
        if is_granted:
            self.add(waiting.reservation, waiting.size)
        waiting.decided.set()

    def _next(self) -> "_Waiting":
        """Return who comes next: what is paid for, as its end gives memory back; else in turn between owners."""
        paid = next((one for one in self._waiting if one.is_paid), None)
        if paid is not None:
            return paid
        first = {one.owner: one for one in reversed(self._waiting)}
        heads = sorted(first.values(), key=self._waiting.index)
        share = self._share()
        fair = [one for one in heads if self._held[one.owner] + one.size <= share]
        return min(fair or heads, key=lambda one: self._held[one.owner])

    def _share(self) -> int:
        return self._capacity // len({*self._held, *(one.owner for one in self._waiting)})

    def _stuck(self) -> list["_Waiting"]:
        """Return those that hold memory and wait for more, if nothing is held by others."""
        holding = [one for one in self._waiting if one.reservation.size and (one.is_paid or not one.reservation.parts)]
        held = sum(reservation.size for reservation in {one.reservation for one in holding})
        return holding if held == self._capacity - self._free else []

    def _interrupt_for(self, waiting: "_Waiting") -> None:
        """Interrupt bodies on their way, the last first, of owners above their share; any for what is paid for."""
        share = -1 if waiting.is_paid else self._share()
        if not waiting.is_paid and self._held[waiting.owner] + waiting.size > share:
            return
        lacking = waiting.size - self._free
        left = Counter(self._held)
        for reservation in reversed([one for one in self._arriving if not one.is_interrupted]):
            if lacking <= 0:
                return
            if left[reservation.owner] > share:
                lacking -= reservation.size
                left[reservation.owner] -= reservation.size
                self._interrupt(reservation)

    def _interrupt(self, reservation: "_Reservation") -> None:
        reservation.is_interrupted = True
        self._arriving[reservation]()
        for waiting in [one for one in self._waiting if one.reservation is reservation]:
            self._decide(waiting, is_granted=False)


class _Waiting:
    """A request in the queue."""

    def __init__(self, reservation: "_Reservation", size: int, room: int, *, is_paid: bool) -> None:
        self.reservation = reservation
        self.owner = reservation.owner
        self.size = size
        self.room = room
        self.is_paid = is_paid
        self.decided = Event()
        self.is_granted = False


class _Reservation:
    """The memory that one piece of work has reserved (the port `Reservation`)."""

    def __init__(self, budget: MemoryBudget, owner: str) -> None:
        self._budget = budget
        self._holders = 0
        self.owner = owner
        self.number = next(budget.numbers)
        self.size = 0
        #: Parts of the work that hold some of it for a while.
        self.parts = 0
        self._at_end: list[Callable[[], None]] = []
        self.is_interrupted = False

    def keep(self) -> "_Kept":
        """Keep all of it until the context ends, also if other holders let go (the port of that name)."""
        return _Kept(self)

    def hold(self) -> None:
        """Begin to keep it (the port of that name)."""
        self._holders += 1

    def let_go(self) -> None:
        """End to keep it (the port of that name). The last holder gives it back."""
        self._holders -= 1
        if not self._holders:
            self._budget.give_back(self, self.size)
            callbacks, self._at_end = self._at_end, []
            for callback in callbacks:
                callback()

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Call a function when the last holder has let go (the port of that name)."""
        self._at_end.append(callback)

    async def wait_for_more(self, size: int, *, room: int = 0) -> None:
        """Reserve more, and wait for it if need be (the port of that name)."""
        await self._budget.take(self, size, room)

    @asynccontextmanager
    async def part(self, size: int) -> AsyncIterator[Portion]:
        """Reserve more for a while (the port of that name)."""
        with self.keep():
            part = _Portion(await self._budget.take(self, size, size))
            self.parts += 1
            try:
                yield part
            finally:
                self.parts -= 1
                self._budget.give_back(self, part.size)

    async def add_paid(self, size: int) -> None:
        """Reserve memory for what is paid for (the port of that name)."""
        try:
            await self._budget.take(self, size, size, is_paid=True)
        except ServerBusy:
            self._budget.add(self, size)

    @contextmanager
    def interruptible(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Give way to others meanwhile (the port of that name)."""
        with self._budget.may_interrupt(self, interrupt):
            yield

    def check(self) -> None:
        """Raise if it was interrupted (the port of that name)."""
        if self.is_interrupted:
            raise _busy()


class _Kept:
    """Keeps a reservation. A class, because each request has two, and a generator costs four times as much."""

    def __init__(self, reservation: _Reservation) -> None:
        self._reservation = reservation

    def __enter__(self) -> None:
        self._reservation.hold()

    def __exit__(self, *_: object) -> None:
        self._reservation.let_go()


class _Reserved:
    """A reservation that is made when the context begins, and kept until it ends."""

    def __init__(self, reservation: _Reservation, size: int) -> None:
        self._reservation = reservation
        self._size = size

    async def __aenter__(self) -> Reservation:
        with self._reservation.keep():
            if self._size:
                await self._reservation.wait_for_more(self._size)
            self._reservation.hold()
        return self._reservation

    async def __aexit__(self, *_: object) -> None:
        self._reservation.let_go()


class _Portion:
    """What is given back before the rest (the port `Portion`)."""

    def __init__(self, size: int) -> None:
        self.size = size

    def keep(self, size: int) -> None:
        """Keep some of it with the rest (the port of that name)."""
        self.size = max(0, self.size - size)


def _busy() -> ServerBusy:
    return ServerBusy(
        "The server has as much large work as it can hold. Ask again shortly.", retry_after=COME_BACK_SECONDS
    )
