"""The database: opened, set up and migrated in one place, on either engine."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import BigInteger, Connection, func, literal, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapter.database.address import POSTGRESQL, kind_of
from adapter.database.postgres import Lead, lock_key, postgres_engine, what_is_wrong
from adapter.database.sqlite import BUSY_MILLISECONDS, sqlite_engine
from adapter.domain.ports import Secret
from adapter.errors import SecretUnreadable, StorageFailed, WrongConfiguration

log = structlog.get_logger()

#: What a statement may take on a server, in seconds. The slowest of ours takes milliseconds.
STATEMENT_SECONDS = 10.0
#: What a migration may take there, another process's before it included.
MIGRATION_SECONDS = 600.0


class Database:
    """What everything that is remembered is kept in."""

    def __init__(self, engine: AsyncEngine, lead: Lead | None = None) -> None:
        self.engine = engine
        self._lead = lead
        #: SQLite has one writer at a time, and lets the others look again and again for as long as they are unlucky:
        #: seconds, when many jobs move. Those of one process queue here instead.
        self._turn = asyncio.Lock() if lead is None else None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn to write, where only one can.

        Raises:
            TimeoutError: it did not come for as long as another process is waited for.
        """
        if self._turn is None:
            yield
            return
        async with asyncio.timeout(BUSY_MILLISECONDS / 1000):
            await self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()

    @property
    def lead(self) -> float:
        """How many seconds its clock is ahead of this machine's, as far as that matters."""
        return self._lead.seconds if self._lead else 0.0

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def open_database(
    url: str,
    password: Secret | None = None,
    *,
    seconds: float = STATEMENT_SECONDS,
    clock: Callable[[], float] = time.time,
) -> Database:
    """Open `sqlite:///path` or `postgresql://user@host:port/name` and bring its tables up to date.

    The password, the seconds of a statement and the clock are for a server only.

    Raises:
        WrongConfiguration: another kind of address, a file that cannot be opened, or a server that cannot be used.
        SecretUnreadable: the password cannot be read.
    """
    if kind_of(url) == POSTGRESQL:
        return await _open_postgres(url, password, seconds, Lead(clock))
    path = url.removeprefix("sqlite:///")
    engine = sqlite_engine(path)
    try:
        await _bring_up_to_date(engine)
    except DBAPIError as error:
        await engine.dispose()
        raise WrongConfiguration(f"storage.database: {path} cannot be used: {error.orig}") from error
    return Database(engine)


async def _open_postgres(url: str, password: Secret | None, seconds: float, lead: Lead) -> Database:
    migrating = postgres_engine(url, password, seconds=MIGRATION_SECONDS, lead=lead)
    try:
        await _bring_up_to_date(migrating)
    except (DBAPIError, OSError) as error:
        raise WrongConfiguration(f"storage.database: {what_is_wrong(error, url)}.") from error
    finally:
        await migrating.dispose()
    return Database(postgres_engine(url, password, seconds=seconds, lead=lead), lead)


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that writes: all of it is kept, or nothing.

    Raises:
        StorageFailed: the database is locked, full or gone.
    """
    with _mapped_errors():
        async with database.turn(), database.engine.begin() as connection:
            yield connection


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[AsyncConnection]:
    """Open a connection that only reads, and waits for no writer.

    Raises:
        StorageFailed: the database cannot be read.
    """
    with _mapped_errors():
        async with database.engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # a rule of a table was broken: whoever wrote knows what it means
    except (DBAPIError, PoolTimeout, OSError, SecretUnreadable) as error:  # OSError: a server that cannot be reached
        log.error("database.failed", error=str(getattr(error, "orig", error)))  # noqa: TRY400 - the text is enough
        raise StorageFailed("The server cannot reach its memory at the moment. Ask again shortly.") from error


async def pass_alone(connection: AsyncConnection, name: str) -> None:
    """Wait until no other open transaction has passed here under the same name.

    A transaction that writes to SQLite is alone anyway.
    """
    if connection.dialect.name == POSTGRESQL:
        await connection.execute(select(func.pg_advisory_xact_lock(literal(lock_key(name), BigInteger))))


async def _bring_up_to_date(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await pass_alone(connection, "migration")
        await connection.run_sync(migrate)


def migrate(connection: Connection) -> None:
    """Apply the migrations that are missing."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
