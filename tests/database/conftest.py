"""A PostgreSQL database of a test's own."""

from collections.abc import AsyncIterator

import pytest

from adapter.database.engine import Database, open_database
from tests.postgres import PostgresServer


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    """The address of a database that is still empty."""
    return postgres.new_url()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """A new database, whose statements have a quarter of a second."""
    database = await open_database(url, seconds=0.25)
    yield database
    await database.dispose()
