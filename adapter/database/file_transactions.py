"""Transactions of a SQLite file: readers side by side, and one writer that commits together what has gathered.

A function visits a thread once. A statement is faster than a change of threads, so the event loop does not follow it.
"""

import asyncio
import errno
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context, copy_context
from types import TracebackType
from typing import Any, Generic, Self, cast

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from adapter.database.file import DatabaseFile
from adapter.database.prepared import SqliteErrors
from adapter.database.reasons import reason_of
from adapter.database.sqlite import READERS
from adapter.database.transactions import T, Work
from adapter.errors import StorageReason

#: Takes the lock of the file at once: another process waits here instead of failing when it upgrades its read.
BEGIN = "BEGIN IMMEDIATE"


class FileTransactions:
    """Transactions of a file (the port `Transactions`).

    A file has one writing transaction at a time, and its commit waits for the disk. While one is on its way, the next
    functions gather, and are one transaction. Each has a savepoint, so that one that fails leaves nothing and keeps no
    other one from being written. Callers hear of the result after the commit.
    """

    def __init__(self, readers: Engine, writer: Engine, hasty: Engine, file: DatabaseFile) -> None:
        """Take engines and the file that they open.

        Args:
            readers: an engine of up to `READERS` connections.
            writer: one of a single connection.
            hasty: one of a single connection that waits for no lock. It is used in the event loop.
            file: what they open.
        """
        self._readers = readers
        self._writer = _OneConnection(writer)
        self._hasty = _OneConnection(hasty)
        self._file = file
        self._reading = ThreadPoolExecutor(READERS, "database.reader")
        self._writing = ThreadPoolExecutor(1, "database.writer")
        self._gathered: list[_Gathered[Any]] = []
        self._is_committing = self._is_closed = False

    @property
    def engines(self) -> Sequence[Engine]:
        """Those of the readers and of the writer (the port of that name)."""
        return self._readers, self._writer.engine, self._hasty.engine

    async def write(self, work: Work[T]) -> T:
        """Run a function and commit what it wrote (the port of that name).

        If its caller is cancelled before it begins, it is not run.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        gathered = _Gathered(work, copy_context(), loop.create_future())
        self._gathered.append(gathered)
        if not self._is_committing:
            self._is_committing = True
            loop.call_soon(self._commit_gathered, loop)
        return cast("T", await gathered.done)

    def _commit_gathered(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = [each for each in self._gathered if not each.done.done()]
        self._gathered.clear()
        self._is_committing = bool(batch)
        if batch:
            committing = self._writing.submit(self._commit, batch)
            committing.add_done_callback(lambda done: loop.call_soon_threadsafe(self._tell, loop, batch, done))

    def _commit(self, batch: "Sequence[_Gathered[Any]]") -> "Sequence[_Outcome]":
        """Run functions in one transaction. What this raises has left nothing of any of them."""
        self._file.check_not_replaced()
        alone = len(batch) == 1
        with _transaction(connection := self._writer.open()):
            return [_Outcome(each.run(connection)) if alone else each.run_apart(connection) for each in batch]

    def _tell(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: "Sequence[_Gathered[Any]]",
        committed: "Future[Sequence[_Outcome]]",
    ) -> None:
        fault = committed.exception()
        outcomes = [_Outcome(error=fault)] * len(batch) if fault is not None else committed.result()
        for gathered, outcome in zip(batch, outcomes, strict=True):
            gathered.tell(outcome)
        self._commit_gathered(loop)

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads (the port of that name)."""
        self._check_open()
        context = copy_context()
        return await _in_thread(self._reading, lambda: context.run(_connected, self._readers, work))

    async def look_up(self, work: Work[T]) -> T:
        """Run a function that reads a few rows by their keys (the port of that name).

        It is run in the event loop: the pages of such rows are in memory as a rule, and to change threads costs six
        times as much. A write-ahead log has no locks that readers wait for, as a rule. If there is one, a thread waits.
        """
        self._check_open()
        try:
            return self._hasty.lend(work)
        except OperationalError as error:
            if reason_of(error) is not StorageReason.LOCKED:
                raise
        return await self.read(work)

    async def ask_writer(self, work: Work[T]) -> T:
        """Run a function on the connection of the writer, between its transactions."""
        self._check_open()
        return await _in_thread(self._writing, lambda: self._writer.lend(work))

    async def disconnect(self) -> None:
        """Close all connections that are not in use (the port of that name)."""
        await _in_thread(self._reading, self._readers.dispose)
        await _in_thread(self._writing, self._writer.close)
        self._hasty.close()

    async def dispose(self) -> None:
        """Close all connections for good, after what was asked for before (the port of that name)."""
        self._is_closed = True
        while self._is_committing:
            await _in_thread(self._writing, lambda: None)
        for threads in (self._reading, self._writing):
            await asyncio.to_thread(threads.shutdown)
        self._readers.dispose()
        self._writer.close()
        self._hasty.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise OSError(errno.EBADF, "the database is closed")


class _OneConnection:
    """An engine of a single connection, which is kept: to lend it costs more than a short statement."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._opened: Connection | None = None

    def open(self) -> Connection:
        """Return the connection."""
        self._opened = self._opened or self.engine.connect()
        return self._opened

    def lend(self, work: Work[T]) -> T:
        """Run a function on it that writes nothing."""
        connection = self.open()
        try:
            return work(connection)
        finally:
            connection.rollback()  # SQLAlchemy begins by itself; an open transaction would see old rows

    def close(self) -> None:
        """Close it. It is opened again at its next use."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        self.engine.dispose()


class _Outcome(msgspec.Struct, frozen=True):
    """What a function returned or raised."""

    result: Any = None
    error: BaseException | None = None


class _Gathered(Generic[T]):
    """A function that waits for its transaction, and its caller."""

    def __init__(self, work: Work[T], context: Context, done: "asyncio.Future[T]") -> None:
        self._work = work
        #: Of the caller: log lines name its request.
        self._context = context
        self.done = done

    def run(self, connection: Connection) -> T:
        """Run it in the transaction of a connection."""
        return self._context.run(self._work, connection)

    def run_apart(self, connection: Connection) -> _Outcome:
        """Run it so that its failure leaves nothing, and the transaction goes on.

        Raises:
            Exception: it failed, and SQLite has undone the whole transaction.
        """
        with _Savepoint(connection) as savepoint:
            return _Outcome(self.run(connection))
        return _Outcome(error=savepoint.error)

    def tell(self, outcome: _Outcome) -> None:
        """Let the caller go on, unless it was cancelled."""
        if self.done.done():
            return
        if outcome.error is not None:
            self.done.set_exception(outcome.error)
        else:
            self.done.set_result(outcome.result)


class _Savepoint:
    """A part of a transaction. An error in it undoes the part and is kept here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        self._execute("SAVEPOINT part")
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: TracebackType | None) -> bool:
        if error is not None:
            # A full disk, for example, makes SQLite undo all (sqlite.org/lang_transaction.html, section 3).
            if not isinstance(error, Exception) or not _opened(self._connection).in_transaction:
                return False
            self._execute("ROLLBACK TO part")
            self.error = error
        self._execute("RELEASE part")
        return True

    def _execute(self, statement: str) -> None:
        """Execute a statement without SQLAlchemy, which would take most of its time."""
        with SqliteErrors():
            _opened(self._connection).execute(statement)


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    opened = _opened(connection)
    try:
        with connection.begin():  # which executes nothing
            with SqliteErrors():
                opened.execute(BEGIN)
            yield
    finally:
        if opened.in_transaction:
            opened.rollback()  # SQLAlchemy takes a commit that failed for an end


def _opened(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def _connected(engine: Engine, work: Work[T]) -> T:
    with engine.connect() as connection:
        return work(connection)


async def _in_thread(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)
