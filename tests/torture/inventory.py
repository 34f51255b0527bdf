"""What is left in the folders at the end of a trial, when two days have passed and leftovers were swept once."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import and_, not_, select

from adapter.clock import SystemClock
from adapter.database.engine import Database
from adapter.database.tables import EXECUTIONS, FILES, JOBS, RESPONSES
from adapter.media.leftovers import DAY_SECONDS, Leftovers, MediaReport
from adapter.media.store import open_media
from adapter.records.registry import SqlFileRegistry
from tests.torture.evidence import Inventory

TAKE_OVER_SECONDS = 2.0
LOOK_SECONDS = 0.03


async def take_inventory(folder: Path, database: Database, check: Callable[[], Awaitable[MediaReport]]) -> Inventory:
    """Sweep the media store, and return what stays and who owns it; `check` runs `adapter media check`."""
    clock = SystemClock()
    _age(folder / "media", clock.now() - 2 * DAY_SECONDS)
    leftovers = Leftovers(open_media(f"file://{folder}/media"), SqlFileRegistry(database), clock)
    swept = await leftovers.look()
    await leftovers.delete(swept)
    names = [path.name for path in (folder / "media").iterdir()]
    report = await check()
    return Inventory(
        media=names,
        owners=await _owners(database),
        swept=swept.deleted,
        spool=await _abandoned(folder / "spool"),
        missing=report.missing,
        without_owner=report.without_owner,
    )


def _age(folder: Path, at: float) -> None:
    for path in folder.iterdir():
        os.utime(path, (at, at))


async def _owners(database: Database) -> set[str]:
    """Return the stems that have a row. The files of a deleted job have none once they were deleted."""
    is_given_up = and_(JOBS.c.deleted_at.is_not(None), JOBS.c.due_at.is_(None))
    queries = (
        select(JOBS.c.stem).where(not_(is_given_up)),
        select(FILES.c.stem),
        select(RESPONSES.c.stem),
        select(EXECUTIONS.c.id),
    )
    return await database.read(
        lambda connection: {stem for query in queries for stem in connection.execute(query).scalars()}
    )


async def _abandoned(spool: Path) -> list[str]:
    """Return the files with answers that no living process takes over. A server that just started gets a moment."""
    until = time.monotonic() + TAKE_OVER_SECONDS
    while (names := _without_process(spool)) and time.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
    return names


def _without_process(spool: Path) -> list[str]:
    """Return the files with answers that no process has locked.

    The system is asked: a lock of ours would hide a file from a server that looks for it.
    """
    locked = {line.split()[5].rpartition(":")[2] for line in Path("/proc/locks").read_text().splitlines()}
    return [path.name for path in spool.glob("*.answers") if str(path.stat().st_ino) not in locked]
