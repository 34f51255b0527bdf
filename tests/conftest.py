"""What tests of several rooms begin with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapter.database.engine import Database, open_database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new database."""
    database = await open_database(f"sqlite:///{tmp_path}/adapter.db")
    yield database
    await database.dispose()
