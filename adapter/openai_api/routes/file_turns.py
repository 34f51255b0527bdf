"""Lets requests for stored files begin a few at a time, so that a thousand of them do not hold up other requests.

The beginning of such a request is a fraction of a millisecond of the event loop. The rest is waiting: for the disk, and
for the reader. Links are public, so a thousand may come in one moment, and all would begin in one turn of the loop.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable

from litestar.types import ASGIApp, Receive, Scope, Send

#: Where stored files are. Their links need no key.
PREFIX = "/media/"
#: Requests for files that begin in one turn of the loop: about 1 ms.
AT_ONCE = 2


class FileTurns:
    """Wraps the application: of the requests for stored files a few begin in each turn of the event loop.

    A request waits for its turn only, and never for the end of another one. So a slow disk or bucket delays no other
    request, and a reader that does not read holds no place.
    """

    def __init__(self, app: ASGIApp, *, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._turns = _Turns(at_once)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on, at its turn."""
        if scope.get("path", "").startswith(PREFIX):
            return self._in_turn(scope, receive, send)
        return self._app(scope, receive, send)

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._turns.wait()
        await self._app(scope, receive, send)


class _Turns:
    """Admits so many callers in each turn of the event loop, in the order in which they came."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._left = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Return at once if this turn has a place, else in a later turn."""
        if self._left == self._at_once:
            asyncio.get_running_loop().call_soon(self._begin_turn)
        if self._left:
            self._left -= 1
            return
        admitted = asyncio.get_running_loop().create_future()
        self._waiting.append(admitted)
        await admitted

    def _begin_turn(self) -> None:
        self._left = self._at_once
        while self._waiting and self._left:
            admitted = self._waiting.popleft()
            if not admitted.done():  # its request was cancelled
                admitted.set_result(None)
                self._left -= 1
        if self._left < self._at_once:
            asyncio.get_running_loop().call_soon(self._begin_turn)
