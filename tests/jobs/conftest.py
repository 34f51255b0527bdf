"""A real database, a memory for media, and time that stands still."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapter.domain.ports import Memory
from adapter.jobs.database import open_database
from adapter.jobs.feed import LocalFeed
from adapter.jobs.poller import Poller
from adapter.jobs.steps import Pace, Steps
from adapter.jobs.store import SqlJobStore
from adapter.media.store import open_media
from tests.fakes import FakeClock, FakeVideoProvider

PACE = Pace(poll_seconds=5.0, lease_seconds=10.0, deadline_seconds=3600.0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at=1000.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlJobStore]:
    engine = await open_database(f"sqlite:///{tmp_path}/jobs.db")
    yield SqlJobStore(engine)
    await engine.dispose()


@pytest.fixture
def provider() -> FakeVideoProvider:
    return FakeVideoProvider()


@pytest.fixture
def memory(store: SqlJobStore, clock: FakeClock) -> Memory:
    return Memory(store, LocalFeed(clock), open_media("memory://"))


@pytest.fixture
def poller(memory: Memory, provider: FakeVideoProvider, clock: FakeClock) -> Poller:
    return Poller(memory.jobs, Steps({"fake": provider}, memory, clock=clock, pace=PACE), clock=clock, pace=PACE)
