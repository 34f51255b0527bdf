"""How a command uses the database. Commands without it do not load its library."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapter.database.engine import Database
from adapter.settings import Settings
from adapter.settings_database import build_database

_T = TypeVar("_T")


def use_database(settings: Settings, use: Callable[[Database], Awaitable[_T]]) -> _T:
    """Open the database for one use, and return what comes of it.

    Raises:
        WrongConfiguration: it cannot be opened.
        StorageFailed: it does not answer.
    """
    return asyncio.run(with_database(settings, use))


async def with_database(settings: Settings, use: Callable[[Database], Awaitable[_T]]) -> _T:
    """Do the same in an event loop that runs."""
    database = await build_database(settings)
    try:
        return await use(database)
    finally:
        await database.dispose()
