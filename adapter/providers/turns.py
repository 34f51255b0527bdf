"""Turns: how many answers of an upstream are read at once.

When many pictures come in the same moment, the first are passed on before the others are begun. Side by side all of
them would be as late as the last, and all in memory.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

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

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn. What is read meanwhile has it until it has gone out."""
        if not await self._take():
            yield
            return
        with ExitStack() as undo:
            undo.callback(self._give_back)
            yield
            undo.pop_all()
        held = _Held(self, self._seconds)
        if not call_when_sent(held.end):
            held.end()

    async def _take(self) -> bool:
        """Return whether there is a turn."""
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
                self._give_back()
            raise

    def end(self, *, is_sent: bool) -> None:
        """End a turn, whose answer has gone out or takes long."""
        self._sent += is_sent
        self._give_back()

    def _give_back(self) -> None:
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


class _Held:
    """A turn whose answer was read and has not gone out."""

    def __init__(self, turns: Turns, seconds: float) -> None:
        self._turns: Turns | None = turns
        self._limit = asyncio.get_running_loop().call_later(seconds, self._end, False)

    def end(self) -> None:
        """End it: the answer has gone out."""
        self._limit.cancel()
        self._end(is_sent=True)

    def _end(self, is_sent: bool) -> None:
        turns, self._turns = self._turns, None
        if turns is not None:
            turns.end(is_sent=is_sent)
