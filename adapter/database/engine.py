"""Opens and migrates the database, SQLite or PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from pathlib import Path

import structlog
from sqlalchemy import BigInteger, Connection, func, inspect, literal, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from adapter.database.address import POSTGRESQL, kind_of
from adapter.database.changes import Changes, FileChanges, Notifications
from adapter.database.file import DatabaseFile
from adapter.database.file_transactions import FileTransactions
from adapter.database.postgres import POOL, ClockOffset, connector, lock_key, postgres_engine, what_is_wrong
from adapter.database.reasons import is_of_the_text, reason_of
from adapter.database.sqlite import sqlite_hasty_reader, sqlite_readers, sqlite_writer
from adapter.database.transactions import ServerTransactions, T, Transactions, Work
from adapter.database.write_queue import WriteQueue, WriteTurn
from adapter.domain.ports import Clock, Secret
from adapter.errors import InvalidRequest, SecretUnreadable, StorageFailed, WrongConfiguration

log = structlog.get_logger()

MIGRATIONS = Path(__file__).parent / "migrations"
#: Time limit of a statement on a server, in seconds. Our slowest one takes milliseconds.
STATEMENT_SECONDS = 10.0
#: How many may write at once: in a file these are committed together. On a server the others of the pool are left to
#: readers.
WRITERS_OF_A_FILE = 16
WRITERS_ON_A_SERVER = POOL - 2
#: Time limit of a migration there, in seconds. It includes the wait for another process's migration.
MIGRATION_SECONDS = 600.0


class Database:
    """An open database: its transactions, and the changes of other processes."""

    def __init__(
        self,
        transactions: Transactions,
        changes: Changes,
        clock_offset: ClockOffset | None = None,
        file: DatabaseFile | None = None,
    ) -> None:
        #: Without turns and checks.
        self.transactions = transactions
        #: The order of the writers; None: as they come. A server sets it.
        self.queue: WriteQueue | None = None
        #: The file of SQLite; None: a server.
        self.file = file
        #: Notifications of other processes.
        self.changes = changes
        self._clock_offset = clock_offset

    @property
    def clock_offset(self) -> float:
        """Seconds by which the database's clock is ahead of this machine's."""
        return self._clock_offset.seconds if self._clock_offset else 0.0

    def order_writers(self, clock: Clock) -> None:
        """Let leases and work under way be written before new work, which is refused early if there is too much."""
        self.queue = WriteQueue(clock, WRITERS_OF_A_FILE if self.file else WRITERS_ON_A_SERVER)

    async def write(self, work: Work[T], turn: WriteTurn = WriteTurn.UNDER_WAY, owner: str = "") -> T:
        """Run a function in a transaction: all that it writes is kept, or nothing. Owners take turns.

        Raises:
            StorageFailed: the database is locked, full or gone.
            StorageBusy: too many others write before, so that this turn does not come in time.
            InvalidRequest: a text has a character that a server cannot store.
        """
        async with self.queue.turn(turn, owner) if self.queue else nullcontext():
            with _mapped_errors():
                return await self.transactions.write(work)

    async def accept(self, work: Work[T], turn: WriteTurn = WriteTurn.NEW, owner: str = "") -> T:
        """Run a function that takes on paid work, as `write`.

        Raises:
            StorageFailed: as `write`; or the file of the database was replaced, or has no room to grow.
        """
        if self.file is not None:
            with _mapped_errors():
                self.file.check_same()
                self.file.check_room()
        return await self.write(work, turn, owner)

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads, and waits for no writer.

        Raises:
            StorageFailed: the database cannot be read.
            InvalidRequest: as `write`.
        """
        with _mapped_errors():
            return await self.transactions.read(work)

    async def look_up(self, work: Work[T]) -> T:
        """Run a function that reads a few rows by their keys, as `read`. With a file it may not take long.

        Raises:
            StorageFailed: the database cannot be read.
        """
        with _mapped_errors():
            return await self.transactions.look_up(work)

    async def dispose(self) -> None:
        """Close every connection."""
        await self.transactions.dispose()


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
        return await _open_postgres(url, password, seconds, ClockOffset(clock))
    path = url.removeprefix("sqlite:///")
    file = DatabaseFile(Path(path))
    engines = sqlite_readers(path, file), sqlite_writer(path, file), sqlite_hasty_reader(path, file)
    transactions = FileTransactions(*engines, file)
    async with AsyncExitStack() as unless_done:
        unless_done.push_async_callback(transactions.dispose)
        try:
            await transactions.write(_bring_up_to_date)
            # A file that has lost its name takes no new connection, and its jobs are moved all the same.
            await transactions.look_up(lambda _: None)
        except DBAPIError as error:
            raise WrongConfiguration(f"storage.database: {path} cannot be used: {error.orig}") from error
        unless_done.pop_all()
    return Database(transactions, FileChanges(transactions), file=file)


async def _open_postgres(url: str, password: Secret | None, seconds: float, clock_offset: ClockOffset) -> Database:
    migrating = ServerTransactions(postgres_engine(connector(url, password, seconds=MIGRATION_SECONDS), clock_offset))
    try:
        await migrating.write(_bring_up_to_date)
    except (DBAPIError, OSError) as error:
        raise WrongConfiguration(f"storage.database: {what_is_wrong(error, url)}.") from error
    finally:
        await migrating.dispose()
    connect = connector(url, password, seconds=seconds)
    transactions = ServerTransactions(postgres_engine(connect, clock_offset))
    return Database(transactions, Notifications(connect), clock_offset)


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # a constraint of a table: the caller knows what it means
    except (DBAPIError, PoolTimeout, OSError, SecretUnreadable) as error:  # OSError: the server cannot be reached
        if is_of_the_text(error):
            raise InvalidRequest("A text of the request has the character U+0000 in it, which no id has.") from error
        reason = reason_of(error)
        log.error("database.failed", error=str(getattr(error, "orig", error)), reason=reason)  # noqa: TRY400 - the text is enough
        raise StorageFailed(
            "The server cannot reach its database at the moment. Try again shortly.", reason=reason
        ) from error


def advisory_lock(connection: Connection, name: str) -> None:
    """Lock a name until the transaction ends; wait while another transaction holds it.

    SQLite needs no lock: it has one writing transaction at a time.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(select(func.pg_advisory_xact_lock(literal(lock_key(name), BigInteger))))


def _bring_up_to_date(connection: Connection) -> None:
    advisory_lock(connection, "migration")
    migrate(connection)


def migrate(connection: Connection) -> None:
    """Apply the migrations that are missing.

    Raises:
        WrongConfiguration: a newer version of this program has been here.
    """
    if _revision(connection) == newest_revision():
        return
    # Alembic and the dialects that it loads take 10 MB. A start on a database that is up to date needs none of them.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise WrongConfiguration(
            "storage.database was set up by a newer version of this program; an older one does not start on it."
        ) from error


def newest_revision() -> str:
    """Return the revision of a database that has every migration. A migration's file begins with its revision."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    """Return the revision of a database, from Alembic's own table. None if it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
