"""A nursery for all trials, and a stage for each test."""

from collections.abc import Callable, Iterator

import pytest

from tests.postgres import PostgresServer
from tests.torture.nursery import Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """One process for all servers to come from."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def new_url(request: pytest.FixtureRequest) -> Callable[[], str] | None:
    """What gives each trial a database on the server; None for a file of its own."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_url
