"""Videos of keys with limits: what is refused leaves nothing."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from adapter.access.quotas import SqlQuotas
from adapter.database.engine import Database
from adapter.domain.allowance import Allowance
from adapter.domain.media import MediaFormat
from adapter.domain.orders import InlineSource, VideoDraft
from adapter.domain.ports import Memory
from adapter.errors import LimitReached
from adapter.generation.liveness import Liveness
from adapter.generation.videos import Videos
from adapter.jobs.feed import LocalFeed
from adapter.jobs.store import SqlJobStore
from adapter.media.store import open_media
from tests.fakes import FakeClock, png, video_order
from tests.generation.conftest import PATIENCE, Inputs, identity


@pytest.fixture
def limited(database: Database, clock: FakeClock) -> Memory:
    """The three memories, where limits are counted."""
    return Memory(
        SqlJobStore(database, quotas=SqlQuotas(database, clock.now)), LocalFeed(clock), open_media("memory://")
    )


@pytest.fixture
async def videos(limited: Memory, clock: FakeClock, liveness: Liveness) -> AsyncIterator[Videos]:
    """The use cases."""
    videos = Videos(Inputs(), limited, clock, PATIENCE, liveness, wake=lambda: None)
    yield videos
    await videos.finish()


async def test_the_files_of_a_video_that_a_limit_refuses_are_deleted(videos: Videos, limited: Memory) -> None:
    """They were stored before the decision, because a job may be claimed as soon as it is stored."""
    asked = msgspec.structs.replace(identity(), key="ada", allowance=Allowance(videos_per_day=0))
    draft = VideoDraft(order=video_order(), sources=(InlineSource(png(), "image"),), input_formats=(MediaFormat.PNG,))
    waiting = videos.join(draft, asked, None)
    with pytest.raises(LimitReached):
        await waiting.job()
    waiting.close(delivered=True)

    assert [file.name async for page in limited.media.list() for file in page] == []
    assert await limited.jobs.recent(10) == []
