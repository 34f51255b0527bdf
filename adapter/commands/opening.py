"""What most commands begin with: the configuration, and the database that it names."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from adapter.commands.working_folder import working_folder
from adapter.database.engine import Database
from adapter.errors import WrongConfiguration
from adapter.settings import Settings, load_settings
from adapter.settings_database import build_database

_T = TypeVar("_T")


def open_settings(config: Path) -> Settings:
    """Read the configuration, and go to the folder in which its relative paths begin.

    Raises:
        WrongConfiguration: it is wrong, or the folder cannot be entered.
    """
    settings = load_settings(config, os.environ)
    folder = working_folder(config, settings, Path.cwd())
    try:
        os.chdir(folder)
    except OSError as error:
        raise WrongConfiguration(f"folder: {folder} cannot be entered: {error.strerror}.") from error
    return settings


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
