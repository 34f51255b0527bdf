"""The database: opened, set up and migrated in one place."""

import sqlite3
from pathlib import Path
from typing import TypeAlias

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapter.errors import WrongConfiguration

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
    # IMMEDIATE: two writers queue here instead of failing when the second one upgrades its read.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
