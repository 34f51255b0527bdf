"""SQLite: one file. A confirmed transaction is on the disk."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine, create_engine, event

from adapter.database.file import DatabaseFile
from adapter.errors import WrongConfiguration

#: Milliseconds to wait for another process's write.
BUSY_MILLISECONDS = 10_000
#: Readers at once; each connection has a thread.
READERS = 10
#: Tries to switch a new file to a write-ahead log while other processes do the same.
LOG_TRIES = 100
#: The rights of a new file and of a new folder. SQLite gives its log the rights of the file.
FILE_MODE = 0o600
FOLDER_MODE = 0o700


def sqlite_readers(path: str, file: DatabaseFile) -> Engine:
    """Return an engine for readers of a file. The file and its folder are made, for this user alone.

    Raises:
        WrongConfiguration: the folder cannot be made.
    """
    return _engine(path, file, READERS)


def sqlite_writer(path: str, file: DatabaseFile) -> Engine:
    """Return an engine of one connection, as `sqlite_readers`.

    A SQLite file has one writer at a time. A change that this connection sees was made by another process.
    """
    return _engine(path, file, 1)


def sqlite_hasty_reader(path: str, file: DatabaseFile) -> Engine:
    """Return an engine of one connection that waits for no lock, as `sqlite_readers`."""
    return _engine(path, file, 1, patience=0)


def _engine(path: str, file: DatabaseFile, connections: int, *, patience: int = BUSY_MILLISECONDS) -> Engine:
    _make(Path(path))
    engine = create_engine(
        f"sqlite:///{path}",
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=BUSY_MILLISECONDS / 1000,
    )
    event.listen(engine, "do_connect", lambda *_: file.check_same())
    event.listen(engine, "connect", lambda connection, _: _set_up(connection, patience))
    return engine


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongConfiguration(f"storage.database: the folder of {path} cannot be made: {error.strerror}.") from error
    # A file that exists is never opened here: the close would take away the locks that SQLite has on it in this process
    # (sqlite.org, "How To Corrupt An SQLite Database File", section 2.2). SQLite says what is wrong with other paths.
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))


def _set_up(connection: sqlite3.Connection, patience: int) -> None:
    # Autocommit in the driver: a reader has no transactions, and the writer says itself how one begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {patience}")
    _begin_the_log(cursor)
    # FULL: what was confirmed survives a power cut; it costs 0.2 ms a commit (`reliability.md` section 2.2).
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_the_log(cursor: sqlite3.Cursor) -> None:
    """Switch the file to a write-ahead log.

    When two processes create the file at once, SQLite refuses one of them, because waiting could deadlock. That one
    waits for the other's lock and looks again.
    """
    for left in reversed(range(LOG_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not left:
                raise
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        else:
            return
