"""Notifications between processes: which rows another process changed. They are a hint to read the rows again."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Protocol

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from adapter.database.file_transactions import FileTransactions
from adapter.database.postgres import Connect
from adapter.domain.ports import Clock
from adapter.errors import SecretUnreadable, WrongConfiguration

if TYPE_CHECKING:
    import asyncpg

log = structlog.get_logger()

#: How often a SQLite file is looked at while a row is watched, in seconds.
LOOK_SECONDS = 0.5
#: The channel of PostgreSQL's notifications. Another adapter in the same database names rows that are not watched here.
CHANNEL = "adapter_jobs"
#: A payload has to be shorter than 8,000 bytes (PostgreSQL's manual, NOTIFY); an id has up to 40.
IDS_AT_ONCE = 180
#: After so many seconds of silence the listening connection is tested: a cut connection shows itself in no other way.
PROBE_SECONDS = 15.0
#: Seconds between tries to listen again; the last one goes on.
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)
CLOSE_SECONDS = 1.0


class Changes(Protocol):
    """Notifies other processes of changed rows, and listens to their notifications."""

    def notify(self, connection: Connection, ids: Sequence[str]) -> None:
        """Notify of rows that the open transaction changes. Others hear it when the transaction is committed."""
        ...

    def listen(self, clock: Clock, watched: Collection[str]) -> AsyncGenerator[Collection[str] | None, None]:
        """Yield, without end, which watched rows another process changed. None means that it may be any of them.

        `watched` is read again for each notification, so it may change meanwhile.
        """
        ...


class FileChanges:
    """Changes of a SQLite file: its `data_version` changes for a connection when another connection commits.

    This process writes through one connection only. So every other connection belongs to another process.
    """

    def __init__(self, transactions: FileTransactions) -> None:
        self._transactions = transactions
        self._seen: object = None

    def notify(self, connection: Connection, ids: Sequence[str]) -> None:
        """Do nothing: the file shows the change (the port of that name)."""

    async def listen(self, clock: Clock, watched: Collection[str]) -> AsyncGenerator[Collection[str] | None, None]:
        """Look at the file every `LOOK_SECONDS` while a row is watched (the port of that name)."""
        while True:
            await clock.sleep(LOOK_SECONDS)
            if watched and await self._is_changed():
                yield None

    async def _is_changed(self) -> bool:
        try:
            seen = await self._transactions.ask_writer(_version)
        except (DBAPIError, PoolTimeout, OSError):  # the next query of the store reports it
            return False
        before, self._seen = self._seen, seen
        return seen != before


def _version(connection: Connection) -> tuple[object, int]:
    """Return the version that a connection sees, with the connection: those of two cannot be compared."""
    version: int = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
    return connection.connection.dbapi_connection, version


class Notifications:
    """Changes of a PostgreSQL database: NOTIFY inside the transaction. One connection of each process listens."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        #: The sender's name in each payload: a process ignores its own notifications.
        self._name = secrets.token_hex(8)

    def notify(self, connection: Connection, ids: Sequence[str]) -> None:
        """Name the rows in as few payloads as they fit in (the port of that name)."""
        for at in range(0, len(ids), IDS_AT_ONCE):
            payload = " ".join([self._name, *ids[at : at + IDS_AT_ONCE]])
            connection.execute(select(func.pg_notify(CHANNEL, payload)))

    async def listen(self, clock: Clock, watched: Collection[str]) -> AsyncGenerator[Collection[str] | None, None]:
        """Listen, and begin again whenever the connection is lost (the port of that name)."""
        failures = 0
        while True:
            try:
                async with self._listening(watched) as listener:
                    if failures:
                        log.info("database.listening_again", tries=failures)
                    failures = 0
                    yield None  # what was sent before was not heard
                    while True:
                        yield await listener.next(clock)
            except away() as error:
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
            with suppress(*away()):
                await connection.close(timeout=CLOSE_SECONDS)


@cache
def away() -> tuple[type[Exception], ...]:
    """Return the errors of a server that cannot be listened to. A time-out is an OSError."""
    import asyncpg  # noqa: PLC0415 - a server with SQLite needs none of its memory

    of_driver = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return (*of_driver, OSError, SecretUnreadable, WrongConfiguration)


class _Listener:
    """The notifications of one connection that were not read yet. It keeps ids of watched rows only."""

    def __init__(self, connection: "asyncpg.Connection", name: str, watched: Collection[str]) -> None:
        self._connection = connection
        self._name = name
        self._watched = watched
        self._ids: set[str] = set()
        self._news = asyncio.Event()

    def hear(self, _connection: object, _process: int, _channel: str, payload: str) -> None:
        """Keep the ids of watched rows."""
        name, *ids = payload.split(" ")
        if name != self._name:
            self._ids.update(each for each in ids if each in self._watched)
        if self._ids:
            self._news.set()

    def end(self, _connection: object) -> None:
        """Wake the reader: the connection has ended."""
        self._news.set()

    async def next(self, clock: Clock) -> Collection[str]:
        """Return the rows that were changed, all at once.

        Raises:
            OSError, asyncpg.InterfaceError: the connection is closed.
        """
        while not await clock.wait(self._news, PROBE_SECONDS):
            await self._connection.execute("SELECT 1")
        if self._connection.is_closed():
            raise ConnectionResetError("the connection was closed")
        self._news.clear()
        taken, self._ids = self._ids, set()
        return taken
