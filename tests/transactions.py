"""Transactions of tests: one statement, or one that stays open."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapter.database.engine import Database


async def execute(database: Database, statement: Executable, values: Mapping[str, object] | None = None) -> None:
    """Execute one statement in a transaction of its own."""
    await database.write(lambda connection: connection.execute(statement, values))


@asynccontextmanager
async def open_transaction(database: Database) -> AsyncIterator[AsyncConnection]:
    """Hold a transaction of a server open."""
    [engine] = database.transactions.engines
    async with AsyncEngine(engine).begin() as connection:
        yield connection
