"""PostgreSQL: a bounded pool of connections with time limits, and error messages for the operator."""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

from adapter.database.address import without_password
from adapter.domain.ports import Secret
from adapter.errors import WrongConfiguration

if TYPE_CHECKING:
    import asyncpg
    from sqlalchemy.ext.asyncio import AsyncEngine

#: Connections of one process.
POOL = 10
#: Seconds to wait for one of them, and for a new one to be made.
POOL_SECONDS = 10.0
CONNECT_SECONDS = 10.0
#: Seconds after which a connection is replaced, so that a changed password or certificate is used.
RECYCLE_SECONDS = 1800
#: Seconds that we wait longer than the server's own time limit of a statement.
PATIENCE = 1.2
#: A clock difference up to this is ignored, in seconds. It is smaller than any lease.
SAME_TIME_SECONDS = 0.1

#: What a refusal means for the operator, by its SQLSTATE (PostgreSQL's manual, appendix A).
MEANINGS = {
    "28P01": "the password is wrong; see storage.database_password",
    "28000": "the server lets this user in neither so nor from here; look at the user's name and at pg_hba.conf",
    "3D000": "the server has no database of this name",
    "3F000": "the database has no schema to make tables in",
    "42501": "the user lacks a right; it has to own its schema: GRANT ALL ON SCHEMA public TO the user",
    "53300": "the server has no connection left; each process takes up to 11",
    "57P03": "the server is starting up or shutting down",
    "57014": "the server took too long",
}


class ClockOffset:
    """The difference of the database's clock to ours. It is measured for each new connection."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds = 0.0

    async def measure(self, connection: "asyncpg.Connection") -> None:
        """Ask the server for its time. The round trip limits the precision of the answer."""
        asked = self._clock()
        there = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        answered = self._clock()
        clock_offset = there - (asked + answered) / 2
        self.seconds = clock_offset if abs(clock_offset) > max(SAME_TIME_SECONDS, answered - asked) else 0.0


#: Makes a connection.
Connect = Callable[[], Awaitable["asyncpg.Connection"]]


def connector(url: str, password: Secret | None, *, seconds: float) -> Connect:
    """Return what makes connections whose statements take up to so many seconds.

    The address is read by asyncpg, in libpq's form: several hosts, `?host=/run/postgresql`, `sslmode` and what belongs
    to it; PGPASSWORD and PGPASSFILE count where no password is given.
    """
    import asyncpg  # noqa: PLC0415 - a server with SQLite needs none of its memory

    async def connected(*, renewed: bool = False) -> asyncpg.Connection:
        given = await (password.renew() if renewed else password.read()) if password else None
        try:
            return await asyncpg.connect(
                url,
                password=given,
                timeout=CONNECT_SECONDS,
                # The server ends what is too slow; a little later we no longer wait for a server that is gone.
                command_timeout=seconds * PATIENCE,
                server_settings={
                    "application_name": "adapter",
                    "statement_timeout": _milliseconds(seconds),
                    "idle_in_transaction_session_timeout": _milliseconds(seconds * PATIENCE),
                },
            )
        except asyncpg.InvalidPasswordError:
            if password is None or renewed:
                raise
            return await connected(renewed=True)
        except OSError:  # a certificate that fails is a ValueError too
            raise
        except asyncpg.ClientConfigurationError as error:  # a parameter is wrong; its text quotes no login
            raise WrongConfiguration(f"storage.database cannot be read: {error}.") from None
        except ValueError:  # a port that is none; its text quotes it, and it may be a password without its "@"
            raise WrongConfiguration(
                "storage.database cannot be read; it has to be postgresql://USER@HOST:PORT/DATABASE."
            ) from None

    return connected


def postgres_engine(connect: Connect, clock_offset: ClockOffset) -> "AsyncEngine":
    """Return an engine over such connections, which measures the server's clock with each new one."""
    # It loads SQLAlchemy's object mapper: 8 MB, and a server with SQLite needs none of them.
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    async def made() -> "asyncpg.Connection":
        connection = await connect()
        with ExitStack() as unless_done:  # a client may hang up here
            unless_done.callback(connection.terminate)
            await clock_offset.measure(connection)
            unless_done.pop_all()
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=made,
        hide_parameters=True,
        pool_size=POOL,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def lock_key(name: str) -> int:
    """Return the number by which PostgreSQL knows an advisory lock: 64 bits with a sign."""
    return int.from_bytes(hashlib.sha256(f"adapter {name}".encode()).digest()[:8], signed=True)


def what_is_wrong(error: DBAPIError | OSError, url: str) -> str:
    """Say in words why a server cannot be used."""
    said = getattr(error, "orig", error)
    meaning = MEANINGS.get(getattr(said, "sqlstate", None) or "")
    if meaning:
        return f"{meaning} ({without_password(url)})"
    if isinstance(said, TimeoutError):
        return f"the server did not answer in time ({without_password(url)})"
    if isinstance(said, OSError):
        return f"the server cannot be reached ({without_password(url)}): {said}"
    return f"{without_password(url)} cannot be used: {said}"


def _refuse_closed(connection: AdaptedConnection, _record: object, _proxy: object) -> None:
    """Let the pool replace a connection that the server has closed, and those that were made before it."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
