"""Transactions: functions that get a connection. A server runs them in the event loop, a file in threads."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

#: What is done in a transaction. It may run in another thread.
Work: TypeAlias = Callable[[Connection], T]


class Transactions(Protocol):
    """Runs functions in transactions of a database."""

    @property
    def engines(self) -> Sequence[Engine]:
        """The engines under it: their statements can be listened to."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run a function and commit what it wrote. If it raises an error, nothing of it is kept.

        A caller that is cancelled does not know whether it was committed.

        Raises:
            DBAPIError, PoolTimeout, OSError: the database does not take it.
        """
        ...

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads. Each of its statements sees what was committed before it.

        Raises:
            DBAPIError, PoolTimeout, OSError: the database cannot be read.
        """
        ...

    async def look_up(self, work: Work[T]) -> T:
        """Run a function that reads a few rows by their keys, as `read`."""
        ...

    async def disconnect(self) -> None:
        """Close all connections. The next function opens one."""
        ...

    async def dispose(self) -> None:
        """Close all connections for good."""
        ...


class ServerTransactions:
    """Transactions of a server (the port `Transactions`). They run side by side."""

    def __init__(self, engine: "AsyncEngine") -> None:
        self._engine = engine

    @property
    def engines(self) -> Sequence[Engine]:
        """The engine of all connections (the port of that name)."""
        return (self._engine.sync_engine,)

    async def write(self, work: Work[T]) -> T:
        """Run a function and commit what it wrote (the port of that name)."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads (the port of that name)."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            return await connection.run_sync(work)

    async def look_up(self, work: Work[T]) -> T:
        """Run a function that reads a few rows (the port of that name)."""
        return await self.read(work)

    async def disconnect(self) -> None:
        """Close all connections (the port of that name)."""
        await self._engine.dispose()

    async def dispose(self) -> None:
        """Close all connections for good (the port of that name)."""
        await self._engine.dispose()
