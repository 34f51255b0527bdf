"""Use cases with a real memory and providers that do as they are told."""

from collections.abc import Sequence

import pytest

from adapter.database.engine import Database
from adapter.domain.media import Image, MediaFormat, image_from_bytes
from adapter.domain.orders import Source, Upload
from adapter.domain.ports import ImageMaker, Memory, Workshop
from adapter.generation.patience import Patience
from adapter.generation.pictures import Pictures
from adapter.generation.videos import Videos
from adapter.jobs.feed import LocalFeed
from adapter.jobs.store import SqlJobStore
from adapter.media.store import open_media
from tests.fakes import FakeClock, FakeImageMaker

PATIENCE = Patience(heartbeat=10.0, replay=60.0)


@pytest.fixture
def clock() -> FakeClock:
    """Time, from second 1000 on."""
    return FakeClock()


@pytest.fixture
def memory(database: Database, clock: FakeClock) -> Memory:
    """The three memories."""
    return Memory(SqlJobStore(database), LocalFeed(clock), open_media("memory://"))


@pytest.fixture
def videos(memory: Memory, clock: FakeClock) -> Videos:
    """The use cases; nobody moves the jobs but the test."""
    return Videos(Inputs(), memory, clock, PATIENCE, lambda: None)


@pytest.fixture
def pictures(memory: Memory, clock: FakeClock) -> Pictures:
    """The use cases of pictures."""
    return Pictures(workshop(FakeImageMaker()), memory, clock, PATIENCE)


class Inputs:
    """Brings what came with the request."""

    async def gather(self, sources: Sequence[Source], formats: Sequence[MediaFormat]) -> Sequence[Image]:
        assert formats or not sources
        found = [image_from_bytes(source.data) for source in sources if isinstance(source, Upload)]
        return [image for image in found if image]


def workshop(maker: ImageMaker) -> Workshop:
    """Return what media are made with."""
    return Workshop({"fake": maker}, Inputs())
