"""The driver of SQLite under SQLAlchemy: aiosqlite with one visit to its thread for each statement.

A visit costs two changes of threads, which is more than most statements cost. SQLAlchemy's own cursor for aiosqlite
makes four for each statement: it opens, executes, reads and closes. Here one visit does all of that, and BEGIN with it.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import aiosqlite
from sqlalchemy.dialects.sqlite import aiosqlite as dialect
from sqlalchemy.util.concurrency import await_

if TYPE_CHECKING:
    from sqlalchemy.connectors.asyncio import AsyncIODBAPIConnection, AsyncIODBAPICursor

#: Takes the lock of the file at once: two writers queue here instead of failing when the second one upgrades its read.
BEGIN = "BEGIN IMMEDIATE"


class StatementCursor:
    """A cursor that is read to its end when it is executed. Rows wait here until SQLAlchemy takes them."""

    def __init__(self, connection: aiosqlite.Connection, begin: Callable[[], bool]) -> None:
        """Take a connection, and what says whether a transaction begins with the next statement."""
        self._connection = connection
        self._begin = begin
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement and read what it returns."""
        await self._visit(lambda cursor: cursor.execute(operation, parameters))

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Execute a statement for each of many parameters."""
        await self._visit(lambda cursor: cursor.executemany(operation, parameters))

    async def fetchall(self) -> Sequence[Any]:
        """Return the rows."""
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """Do nothing: the cursor of SQLite was closed by the visit."""

    async def _visit(self, statement: Callable[[sqlite3.Cursor], sqlite3.Cursor]) -> None:
        begins = self._begin()

        def run(connection: sqlite3.Connection) -> None:
            cursor = connection.cursor()
            try:
                if begins:
                    cursor.execute(BEGIN)
                statement(cursor)
                self._rows = cursor.fetchall()
                self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        # aiosqlite has no public call that runs a function in its thread.
        await self._connection._execute(lambda: run(self._connection._conn))  # type: ignore[no-untyped-call]  # noqa: SLF001


class AdaptedCursor(dialect.AsyncAdapt_aiosqlite_cursor):
    """SQLAlchemy's side of a cursor."""

    __slots__ = ()

    _adapt_connection: "AdaptedConnection"

    def _make_new_cursor(self, connection: "AsyncIODBAPIConnection") -> "AsyncIODBAPICursor":
        opened = cast("aiosqlite.Connection", connection)
        return cast("AsyncIODBAPICursor", StatementCursor(opened, self._adapt_connection.takes_begin))

    def _aenter_cursor(self, cursor: "AsyncIODBAPICursor") -> "AsyncIODBAPICursor":
        return cursor


class AdaptedConnection(dialect.AsyncAdapt_aiosqlite_connection):
    """SQLAlchemy's side of a connection. It knows whether a transaction is open, and visits no thread if none is."""

    __slots__ = ("_begins", "_is_open")

    _cursor_cls = AdaptedCursor

    def __init__(self, dbapi: "Driver", connection: "AsyncIODBAPIConnection") -> None:
        super().__init__(dbapi, connection)
        self._begins = self._is_open = False

    def begin(self) -> None:
        """Let a transaction begin with the next statement."""
        self._begins = True

    def takes_begin(self) -> bool:
        """Return whether a transaction begins now. From here on one is open."""
        begins, self._begins = self._begins, False
        self._is_open = self._is_open or begins
        return begins

    def commit(self) -> None:
        """Commit what is open."""
        self._begins = False
        if self._is_open:
            super().commit()
            self._is_open = False

    def rollback(self) -> None:
        """Undo what is open."""
        self._begins = False
        if self._is_open:
            super().rollback()
            self._is_open = False


class Driver(dialect.AsyncAdapt_aiosqlite_dbapi):
    """The module that SQLAlchemy takes for the driver."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arguments: Any, **options: Any) -> AdaptedConnection:  # noqa: ANN401 - SQLAlchemy's signature
        """Open a connection with a thread of its own."""
        connection = aiosqlite.connect(*arguments, **options)
        connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy's own
        return AdaptedConnection(self, cast("AsyncIODBAPIConnection", await_(connection)))
