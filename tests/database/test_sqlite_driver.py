"""The driver of SQLite: when a transaction begins, what it leaves behind, and what a reader sees."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from adapter.database.engine import Database, open_database, reading, writing

ADD = "INSERT INTO processes (id, alive_until) VALUES ({}, 1.0)"
COUNT = text("SELECT count(*) FROM processes")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(f"sqlite:///{tmp_path}/adapter.db")
    yield opened
    await opened.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "adapter.db"


def can_write(file: Path) -> bool:
    """Say whether another process could write now."""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
        return True


async def test_a_transaction_takes_the_lock_with_its_first_statement(database: Database, file: Path) -> None:
    async with writing(database) as connection:
        before = can_write(file)
        await connection.execute(COUNT)
        after = can_write(file)

    assert (before, after, can_write(file)) == (True, False, True)


async def test_a_transaction_that_fails_leaves_nothing_and_no_lock(database: Database, file: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with writing(database) as connection:
            await connection.execute(text(ADD.format(1)))
            raise ZeroDivisionError
    async with reading(database) as connection:
        left = (await connection.execute(COUNT)).scalar_one()

    assert (left, can_write(file)) == (0, True)


async def test_a_transaction_that_asked_for_nothing_does_not_begin_the_next_one(database: Database, file: Path) -> None:
    async with writing(database):
        pass
    async with database.writer.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(COUNT)

        assert can_write(file)


async def test_a_transaction_is_kept_whole(database: Database) -> None:
    async with writing(database) as connection:
        await connection.execute(text("INSERT INTO processes (id, alive_until) VALUES (:id, 1.0)"), [{"id": "a"}])
        added = await connection.execute(text(ADD.format(2)))
        ids = (await connection.execute(text("SELECT id FROM processes ORDER BY id"))).scalars().all()
    async with reading(database) as connection:
        kept = (await connection.execute(COUNT)).scalar_one()

    assert (added.rowcount, ids, kept) == (1, ["2", "a"], 2)


async def test_each_look_of_a_reader_sees_what_was_committed_before_it(database: Database) -> None:
    async with reading(database) as reader:
        before = (await reader.execute(COUNT)).scalar_one()
        async with writing(database) as connection:
            await connection.execute(text(ADD.format(1)))
        after = (await reader.execute(COUNT)).scalar_one()

    assert (before, after) == (0, 1)
