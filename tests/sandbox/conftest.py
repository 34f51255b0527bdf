"""The sandbox in process with a clock that stands still, and on loopback for real clients."""

from collections.abc import AsyncIterator, Iterator

import pytest
from litestar.testing import AsyncTestClient

from adapter.sandbox.app import create_sandbox
from adapter.sandbox.server import RunningSandbox, running_sandbox
from tests.sandbox.helpers import RULES, Client, Clock


@pytest.fixture
def clock() -> Clock:
    """The sandbox's clock."""
    return Clock()


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    """A fresh sandbox in this process."""
    async with AsyncTestClient(create_sandbox(RULES, clock=clock)) as client:
        yield client


@pytest.fixture(scope="session")
def loopback() -> Iterator[RunningSandbox]:
    """One sandbox on loopback for all tests that need a wire."""
    with running_sandbox(RULES) as sandbox:
        yield sandbox
