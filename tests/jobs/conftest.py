"""A real database, a memory for media, and time that stands still."""

import pytest

from adapter.database.engine import Database
from adapter.domain.ports import Memory
from adapter.jobs.feed import LocalFeed
from adapter.jobs.poll_schedule import PollSchedule
from adapter.jobs.poller import Poller
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from adapter.jobs.store import SqlJobStore
from adapter.media.store import open_media
from tests.fakes import FakeClock, FakeVideoProvider

PACE = PollSchedule(poll_seconds=5.0, lease_seconds=10.0, deadline_seconds=3600.0)


@pytest.fixture
def clock() -> FakeClock:
    """Time, from second 1000 on."""
    return FakeClock(at=1000.0)


@pytest.fixture
def store(database: Database) -> SqlJobStore:
    """The memory of work, empty."""
    return SqlJobStore(database)


@pytest.fixture
def provider() -> FakeVideoProvider:
    """A maker of videos that does as it is told."""
    return FakeVideoProvider()


@pytest.fixture
def memory(store: SqlJobStore, clock: FakeClock) -> Memory:
    """The three memories, real but for the media's disk."""
    return Memory(store, LocalFeed(clock), open_media("memory://"))


@pytest.fixture
def poller(memory: Memory, provider: FakeVideoProvider, clock: FakeClock) -> Poller:
    """The loop, to be driven beat by beat."""
    steps = VideoSteps(StepContext(providers={"fake": provider.at(clock)}, memory=memory, clock=clock, schedule=PACE))
    return Poller(memory.jobs, steps, clock=clock, schedule=PACE)
