"""The connections of the HTTP client: how many there are, and which are kept for the next request."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from typing import Final

from adapter.providers.connection import HttpConnection, shared_room
from adapter.providers.dialer import Dialer, Origin
from adapter.providers.reply import unreachable

#: Requests under way at once.
MAX_CONNECTIONS: Final = 512


class Pool:
    """Opens connections and keeps those that can be used again."""

    def __init__(self, dialer: Dialer, *, connect_seconds: float, idle_seconds: float) -> None:
        """Take what opens connections, and two times.

        Args:
            dialer: opens connections.
            connect_seconds: until a place among the connections is free.
            idle_seconds: for which an idle connection is kept.
        """
        self._dialer = dialer
        self._seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)
        #: By origin, the longest idle first.
        self._idle: dict[Origin, deque[HttpConnection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._shared = shared_room()

    async def lend(
        self, origin: Origin, *, is_fresh: bool, look_up: Callable[[], Awaitable[Sequence[str]]] | None = None
    ) -> HttpConnection:
        """Lend a connection: a kept one if there is one, unless it has to be fresh. It has to come back.

        `look_up` finds the IP addresses that a new one may lead to; None: those of its host.

        Raises:
            UpstreamUnreachable: none stands in time.
        """
        if self._places.locked():
            await self._wait_for_place(origin)
        else:
            await self._places.acquire()
        if not is_fresh and (kept := self._newest(origin)) is not None:
            return kept
        with ExitStack() as undo:
            undo.callback(self._places.release)
            addresses = await look_up() if look_up else ()
            opened = await self._dialer.open(origin, lambda: HttpConnection(self._shared), addresses=addresses)
            undo.pop_all()
        return opened

    def take_back(self, origin: Origin, lent: HttpConnection, *, is_fresh: bool) -> None:
        """Keep a connection that was lent, if it can be used again and was not to be fresh."""
        if lent.is_kept and not is_fresh:
            self._keep(origin, lent)
        else:
            lent.close()
        self._places.release()

    def close(self) -> None:
        """Close all idle connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        if self._sweep is not None:
            self._sweep.cancel()

    async def _wait_for_place(self, origin: Origin) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        except TimeoutError as error:
            fault = unreachable("full")
            self._dialer.log(fault, origin.host)
            raise fault from error

    def _newest(self, origin: Origin) -> HttpConnection | None:
        """Return the connection that was used last: it is the least likely to be closed soon."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_open and self._age(connection) < self._idle_seconds:
                return connection
            connection.close()
        return None

    def _keep(self, origin: Origin, connection: HttpConnection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(origin, deque()).append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(self._idle_seconds, self._close_old)

    def _close_old(self) -> None:
        self._sweep = None
        for origin, idle in list(self._idle.items()):
            while idle and self._age(idle[0]) >= self._idle_seconds:
                idle.popleft().close()
            if not idle:
                del self._idle[origin]
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(self._idle_seconds, self._close_old)

    def _age(self, connection: HttpConnection) -> float:
        return asyncio.get_running_loop().time() - connection.idle_since
