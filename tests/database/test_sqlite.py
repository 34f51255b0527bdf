"""What is particular to a file."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import literal, select

from adapter.database.engine import Database, open_database, writing
from adapter.errors import StorageFailed, WrongConfiguration
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new file."""
    database = await open_database(f"sqlite:///{tmp_path}/adapter.db")
    yield database
    await database.dispose()


async def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    """The error names the file."""
    file = tmp_path / "jobs.db"
    file.write_bytes(b"not a database, certainly not one" * 100)

    with pytest.raises(WrongConfiguration, match=r"jobs\.db cannot be used"):
        await open_database(f"sqlite:///{file}")


async def test_a_new_database_is_for_its_user_alone(tmp_path: Path) -> None:
    """Its folder, and the log that SQLite writes beside it, too. What exists keeps its rights."""
    database = await open_database(f"sqlite:///{tmp_path}/var/adapter.db")
    await SqlJobStore(database).admit(video_job(), now=1000.0)
    modes = {path.name: path.stat().st_mode & 0o777 for path in [tmp_path / "var", *(tmp_path / "var").iterdir()]}
    await database.dispose()
    (tmp_path / "var" / "adapter.db").chmod(0o640)
    await (await open_database(f"sqlite:///{tmp_path}/var/adapter.db")).dispose()

    assert modes == {"var": 0o700, "adapter.db": 0o600, "adapter.db-wal": 0o600, "adapter.db-shm": 0o600}
    assert (tmp_path / "var" / "adapter.db").stat().st_mode & 0o777 == 0o640


async def test_a_database_that_is_locked_is_said_to_be(database: Database, tmp_path: Path) -> None:
    """A 503 that invites to ask again; readers need no lock."""
    store = SqlJobStore(database)
    await store.admit(video_job(), now=1000.0)
    with closing(sqlite3.connect(tmp_path / "adapter.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(await store.recent(1)) == 1
        async with database.writer.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        with pytest.raises(StorageFailed) as caught:
            await store.admit(video_job(2), now=1000.0)

    assert (caught.value.status, caught.value.should_retry) == (503, True)


async def test_a_new_file_that_another_process_is_setting_up_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself refuses at once to begin the log of a file that somebody writes to."""
    with closing(sqlite3.connect(tmp_path / "adapter.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(open_database(f"sqlite:///{tmp_path}/adapter.db"))
        await asyncio.wait([opening], timeout=0.3)
        was_waiting = not opening.done()
        other.execute("COMMIT")
        database = await opening
    jobs = await SqlJobStore(database).recent(1)
    await database.dispose()

    assert was_waiting
    assert jobs == []


async def test_writers_that_are_given_up_do_not_keep_the_file_from_the_others(database: Database) -> None:
    """Clients hang up at any moment, and all that is written goes through one connection."""
    store = SqlJobStore(database)
    for turns in range(0, 60, 3):
        tasks = [asyncio.create_task(store.admit(video_job(100 * turns + number), now=1000.0)) for number in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0.0001)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        async with asyncio.timeout(5):
            job = video_job(100 * turns + 50)
            assert await store.admit(job, now=1000.0) == job


async def test_those_who_write_have_their_turn_in_the_order_in_which_they_came(database: Database) -> None:
    """By itself SQLite has them look again after ever longer naps, and whoever is unlucky waits for seconds."""
    had: list[int] = []

    async def write(number: int) -> None:
        async with writing(database) as connection:
            await connection.execute(select(literal(number)))
            had.append(number)

    await asyncio.gather(*(write(number) for number in range(40)))

    assert had == [*range(40)]
