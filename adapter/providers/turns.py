"""Turns: how many answers of an upstream are read at once.

When many pictures come in the same moment, the first are passed on before the others are begun. Side by side all of
them would be as late as the last, and all in memory.
"""

import asyncio
from collections import deque

from adapter.domain.answer_memory import call_when_sent


class Turns:
    """Gives so many turns at once, in the order in which they were asked for.

    A turn ends when the answer has gone out to the client, at the latest some seconds after the answer was read: one
    slow client holds up no other for longer. If no answer goes out for so many seconds, those that wait begin without
    a turn: answers that come or go slowly keep no other waiting.
    """

    def __init__(self, places: int, seconds: float) -> None:
        self._free = places
        self._seconds = seconds
        self._waiting: deque[asyncio.Future[bool]] = deque()
        #: How many answers have gone out.
        self._sent = 0
        self._watch: asyncio.TimerHandle | None = None

    def turn(self) -> "_Turn":
        """Wait for a turn. What is read meanwhile has it until it has gone out."""
        return _Turn(self, self._seconds)

    async def take(self) -> bool:
        """Wait for a turn, and return whether there is one."""
        if self._free:
            self._free -= 1
            return True
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._start_watch()
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.result():
                self.give_back()
            raise

    def give_back(self, *, is_sent: bool = False) -> None:
        """End a turn. `is_sent` says that its answer has gone out."""
        self._sent += is_sent
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(True)
                return
        self._free += 1

    def _start_watch(self) -> None:
        if self._watch is None and self._waiting:
            self._watch = asyncio.get_running_loop().call_later(self._seconds, self._look, self._sent)

    def _look(self, sent: int) -> None:
        self._watch = None
        if self._sent == sent:
            while self._waiting:
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_result(False)
        self._start_watch()


class _Turn:
    """A turn. A class, because each large picture has one, and a generator costs four times as much."""

    def __init__(self, turns: Turns, seconds: float) -> None:
        self._turns = turns
        self._seconds = seconds

    async def __aenter__(self) -> None:
        self._is_held = await self._turns.take()

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self._end(is_sent=False)
        elif self._is_held:
            self._limit = asyncio.get_running_loop().call_later(self._seconds, self._end, False)
            if not call_when_sent(self._end_as_sent):
                self._end_as_sent()

    def _end_as_sent(self) -> None:
        self._limit.cancel()
        self._end(is_sent=True)

    def _end(self, is_sent: bool) -> None:
        if self._is_held:
            self._is_held = False
            self._turns.give_back(is_sent=is_sent)
