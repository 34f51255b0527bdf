"""Opening a database: whose address it is, and who gets to set it up."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from adapter.database.engine import open_database
from adapter.errors import WrongConfiguration
from tests.postgres import PostgresServer
from tests.support import ROOT
from tests.transactions import execute

#: Opens each database as soon as it is told to.
OPENER = """
import asyncio, sys
from adapter.database.engine import open_database

async def opened(url):
    await (await open_database(url)).dispose()

for url in sys.argv[1:]:
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(opened(url))
print("done", flush=True)
"""
PROCESSES, ROUNDS = 2, 10


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int], str]:
    """Makes addresses of databases that are still empty."""
    if request.param == "sqlite":
        return lambda number: f"sqlite:///{tmp_path}/deep/down/{number}.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda _: server.url(server.new_database())


@pytest.mark.parametrize(
    "url",
    [
        *("mysql://ada:se-cret@host/db", "sqlite://", "jobs.db", "postgresql://", "postgres:x"),
        *("postgresql://ada:se-cret/@db/x", "postgresql://ada:se-cret@x@db/y", "postgres://ada:[se-cret@db/x"),
    ],
)
async def test_another_kind_of_database_is_a_clear_error(url: str) -> None:
    """The error says what it has to be, and does not repeat what may be a password."""
    with pytest.raises(WrongConfiguration, match="sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE") as caught:
        await open_database(url)

    assert "se-cret" not in str(caught.value)


def openers(urls: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start processes that open the same databases."""
    for _ in range(PROCESSES):
        yield subprocess.Popen(
            [sys.executable, "-c", OPENER, *urls],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


async def test_processes_that_start_at_the_same_moment_set_a_database_up_once(new_url: Callable[[int], str]) -> None:
    """Each finds it complete, whoever was first."""
    urls = [new_url(number) for number in range(ROUNDS)]
    with ExitStack() as stack:
        processes = [stack.enter_context(process) for process in openers(urls)]
        for _ in urls:
            for process in processes:
                assert process.stdout
                assert process.stdout.readline() == "ready\n", process.communicate()[1][-2000:]
            for process in processes:
                assert process.stdin
                process.stdin.write("now\n")
                process.stdin.flush()
        ends = [process.communicate() for process in processes]

    assert [said for said, _ in ends] == ["done\n"] * PROCESSES, ends
    asked = "SELECT version_num FROM alembic_version"
    for url in urls:
        database = await open_database(url)
        versions = await database.read(lambda connection: connection.exec_driver_sql(asked).all())
        await database.dispose()
        assert len(versions) == 1


async def test_a_database_of_a_newer_version_is_left_alone(new_url: Callable[[int], str]) -> None:
    """As during an update, when an older process starts once more."""
    url = new_url(0)
    database = await open_database(url)
    await execute(database, text("UPDATE alembic_version SET version_num = '9999'"))
    await database.dispose()

    with pytest.raises(WrongConfiguration, match="by a newer version"):
        await open_database(url)
