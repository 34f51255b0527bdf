"""The database: opened, set up and migrated in one place."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeAlias

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapter.errors import StorageFailed, WrongConfiguration

log = structlog.get_logger()

#: What everything that is remembered is kept in.
Database: TypeAlias = AsyncEngine

#: Milliseconds to wait for another process's write.
BUSY_MILLISECONDS = 10_000


async def open_database(url: str) -> Database:
    """Open `sqlite:///path` and bring its tables up to date.

    Raises:
        WrongConfiguration: another kind of address, or a file that cannot be opened.
    """
    kind, _, path = url.partition(":///")
    if kind != "sqlite" or not path:
        raise WrongConfiguration(f"storage.database is '{url}'; it has to be sqlite:///FILE.")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongConfiguration(f"storage.database: the folder of {path} cannot be made: {error.strerror}.") from error
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    except DBAPIError as error:
        await engine.dispose()
        raise WrongConfiguration(f"storage.database: {path} cannot be used: {error.orig}") from error
    return engine


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that writes: all of it is kept, or nothing.

    Raises:
        StorageFailed: the database is locked, full or gone.
    """
    with _mapped_errors():
        async with database.begin() as connection:
            yield connection


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[AsyncConnection]:
    """Open a connection that only reads, and waits for no writer.

    Raises:
        StorageFailed: the database cannot be read.
    """
    with _mapped_errors():
        async with database.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # a rule of a table was broken: whoever wrote knows what it means
    except (DBAPIError, PoolTimeout) as error:
        log.error("database.failed", error=str(getattr(error, "orig", error)))  # noqa: TRY400 - the text is enough
        raise StorageFailed("The server cannot reach its memory at the moment. Ask again shortly.") from error


def migrate(connection: Connection) -> None:
    """Apply the migrations that are missing."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    # Autocommit in the driver, so that `_begin` alone decides how a transaction starts.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: what was confirmed survives a power cut; it costs 0.2 ms a commit (`reliability.md` section 2.2).
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    # IMMEDIATE: two writers queue here instead of failing when the second one upgrades its read.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
