"""The janitor asks by stems, which rows of older versions lack."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import adapter.database
from adapter.database.engine import migrate, open_database
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job
from tests.postgres import BOTH_ENGINES
from tests.transactions import execute

pytestmark = BOTH_ENGINES


def undo(connection: Connection) -> None:
    """Go back to before there were stems."""
    config = Config()
    config.set_main_option("script_location", str(Path(adapter.database.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.downgrade(config, "0006")


async def test_the_migration_finds_the_stems_of_what_is_there(database_url: str) -> None:
    """Of all that can be read."""
    database = await open_database(database_url)
    store = SqlJobStore(database)
    try:
        for number in range(3):
            await store.admit(video_job(number), now=1000.0)
        await execute(database, text("UPDATE jobs SET document = :none WHERE id = :id"), broken(2))
        await database.write(undo)
        await database.write(migrate)
        stems = text("SELECT stem FROM jobs ORDER BY id")
        found = await database.read(lambda connection: connection.execute(stems).scalars().all())
    finally:
        await database.dispose()

    assert found == [video_job(0).stem, video_job(1).stem, None]


def broken(number: int) -> dict[str, object]:
    """Return what makes a job's row unreadable."""
    return {"id": video_job(number).id, "none": b"{"}


async def test_a_process_of_an_older_version_loses_no_file(database_url: str) -> None:
    """It writes no stem while both run; its jobs are read instead."""
    database = await open_database(database_url)
    store = SqlJobStore(database)
    try:
        await store.admit(video_job(1), now=1000.0)
        await store.admit(video_job(2), now=1000.0)
        await execute(database, text("UPDATE jobs SET stem = NULL WHERE id = :id"), {"id": video_job(1).id})
        stems = {video_job(1).stem, video_job(2).stem}
        needed = await store.needed(stems, fresh_since=0.0, waiting_since=0.0, given_since=0.0)
    finally:
        await database.dispose()

    assert needed == stems
