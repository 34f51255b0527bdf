"""What tests of several rooms begin with."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapter.database.engine import Database, open_database
from tests.buckets import S3Server


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new database."""
    database = await open_database(f"sqlite:///{tmp_path}/adapter.db")
    yield database
    await database.dispose()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One S3 server for all tests, which take a bucket each."""
    server = S3Server()
    yield server
    server.stop()
