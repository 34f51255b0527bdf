"""What other processes changed in the database: a hint to look again, and never the change itself."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import asyncpg
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapter.database.postgres import Connect
from adapter.domain.ports import Clock
from adapter.errors import SecretUnreadable, WrongConfiguration

log = structlog.get_logger()

#: How often a file is looked at while somebody watches a row, in seconds.
LOOK_SECONDS = 0.5
#: Where PostgreSQL's notifications go. Another adapter in the same database names rows that nobody here watches.
CHANNEL = "adapter_jobs"
#: A payload has to be shorter than 8,000 bytes (PostgreSQL's manual, NOTIFY); an id has up to 40.
IDS_AT_ONCE = 180
#: After so many seconds of silence the listening connection is tried: nothing else would notice that its way was cut.
PROBE_SECONDS = 15.0
#: Seconds between tries to listen again; the last one goes on.
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)
CLOSE_SECONDS = 1.0
#: How a server that cannot be listened to shows; a time-out is an OSError.
AWAY = (
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    *(OSError, SecretUnreadable, WrongConfiguration),
)


class Changes(Protocol):
    """Tells other processes of rows, and hears from them."""

    async def notify(self, connection: AsyncConnection, ids: Sequence[str]) -> None:
        """Tell of rows that the open transaction changes: when it is committed, and only then."""
        ...

    def listen(self, clock: Clock, watched: Collection[str]) -> AsyncGenerator[Collection[str] | None, None]:
        """Yield without end which watched rows another process changed; None if it may have been any of them.

        `watched` is looked into whenever there is something to hear, and may change meanwhile.
        """
        ...


class FileChanges:
    """Of a SQLite file, whose `data_version` changes for a connection when another one has committed.

    All that this process writes goes through the connection that is asked, so another one is another process.
    """

    def __init__(self, writer: AsyncEngine) -> None:
        self._writer = writer
        self._seen: object = None

    async def notify(self, connection: AsyncConnection, ids: Sequence[str]) -> None:
        """Do nothing: the file tells (the port of that name)."""

    async def listen(self, clock: Clock, watched: Collection[str]) -> AsyncGenerator[Collection[str] | None, None]:
        """Look at the file every now and then, while somebody watches (the port of that name)."""
        while True:
            await clock.sleep(LOOK_SECONDS)
            if watched and await self._is_changed():
                yield None

    async def _is_changed(self) -> bool:
        try:
            async with self._writer.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                version = (await connection.exec_driver_sql("PRAGMA data_version")).scalar_one()
                # The numbers of two connections have nothing to do with each other.
                seen = (await connection.get_raw_connection()).driver_connection, version
        except (DBAPIError, PoolTimeout):  # whoever needs the file says so
            return False
        before, self._seen = self._seen, seen
        return seen != before


class Notifications:
    """Of a PostgreSQL server: NOTIFY inside the transaction, and one connection of each process that listens."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        #: Stands before the ids of each payload: a process knows what it wrote itself.
        self._name = secrets.token_hex(8)

    async def notify(self, connection: AsyncConnection, ids: Sequence[str]) -> None:
        """Name the rows in as few payloads as they fit in (the port of that name)."""
        for at in range(0, len(ids), IDS_AT_ONCE):
            payload = " ".join([self._name, *ids[at : at + IDS_AT_ONCE]])
            await connection.execute(select(func.pg_notify(CHANNEL, payload)))

    async def listen(self, clock: Clock, watched: Collection[str]) -> AsyncGenerator[Collection[str] | None, None]:
        """Listen, and begin again whenever the connection is lost (the port of that name)."""
        failures = 0
        while True:
            try:
                async with self._listening(watched) as listener:
                    if failures:
                        log.info("database.listening_again", tries=failures)
                    failures = 0
                    yield None  # nobody listened before
                    while True:
                        yield await listener.next(clock)
            except AWAY as error:
                if not failures:
                    log.warning("database.not_listening", error=str(error) or type(error).__name__)
                failures += 1
            await clock.sleep(PAUSES[min(failures, len(PAUSES)) - 1])

    @asynccontextmanager
    async def _listening(self, watched: Collection[str]) -> AsyncIterator["_Listener"]:
        connection = await self._connect()
        try:
            listener = _Listener(connection, self._name, watched)
            connection.add_termination_listener(listener.end)
            await connection.add_listener(CHANNEL, listener.hear)
            yield listener
        finally:
            with suppress(*AWAY):
                await connection.close(timeout=CLOSE_SECONDS)


class _Listener:
    """What one connection has heard and nobody has taken yet: no more than is watched."""

    def __init__(self, connection: asyncpg.Connection, name: str, watched: Collection[str]) -> None:
        self._connection = connection
        self._name = name
        self._watched = watched
        self._ids: set[str] = set()
        self._news = asyncio.Event()

    def hear(self, _connection: object, _process: int, _channel: str, payload: str) -> None:
        """Keep what is of interest."""
        name, *ids = payload.split(" ")
        if name != self._name:
            self._ids.update(each for each in ids if each in self._watched)
        if self._ids:
            self._news.set()

    def end(self, _connection: object) -> None:
        """Wake whoever waits: nothing more will come."""
        self._news.set()

    async def next(self, clock: Clock) -> Collection[str]:
        """Return the rows that were changed, all at once.

        Raises:
            OSError, asyncpg.InterfaceError: nobody can be heard any more.
        """
        while not await clock.wait(self._news, PROBE_SECONDS):
            await self._connection.execute("SELECT 1")
        if self._connection.is_closed():
            raise ConnectionResetError("the connection was closed")
        self._news.clear()
        taken, self._ids = self._ids, set()
        return taken
