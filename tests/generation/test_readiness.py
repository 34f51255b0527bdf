"""Whether new work should be sent to this process."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from adapter.errors import Draining, NotReady, StorageFailed, StorageReason
from adapter.generation.readiness import PROBE_SECONDS, SHARED_SECONDS, Readiness
from adapter.jobs.feed import LocalFeed
from tests.fakes import FakeClock


class FakeStore:
    """A store that fails or stands still when told to, and counts its probes."""

    def __init__(self) -> None:
        self.probes = 0
        self.fails: StorageReason | None = None
        self.crashes = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def probe(self) -> None:
        self.probes += 1
        await self.goes_on.wait()
        if self.crashes:
            raise ZeroDivisionError
        if self.fails is not None:
            raise StorageFailed("no", reason=self.fails)


@pytest.fixture
def clock() -> FakeClock:
    """Time, from second 1000 on."""
    return FakeClock()


@pytest.fixture
def feed(clock: FakeClock) -> LocalFeed:
    """The readers, which are there."""
    return LocalFeed(clock)


@pytest.fixture
def database() -> FakeStore:
    """A store."""
    return FakeStore()


@pytest.fixture
def media() -> FakeStore:
    """Another store."""
    return FakeStore()


@pytest.fixture
async def readiness(
    database: FakeStore, media: FakeStore, feed: LocalFeed, clock: FakeClock
) -> AsyncIterator[Readiness]:
    """The use case on both stores."""
    readiness = Readiness({"database": database.probe, "media": media.probe}, feed, clock)
    yield readiness
    await readiness.close()


async def code(readiness: Readiness) -> str | None:
    """Return why a process is not ready; None if it is."""
    try:
        await readiness.check()
    except NotReady as fault:
        return fault.code
    return None


async def test_a_store_that_takes_nothing_is_named_with_its_reason(
    readiness: Readiness, database: FakeStore, media: FakeStore, clock: FakeClock
) -> None:
    """The database comes first; a store that is mended is ready again."""
    seen = [await code(readiness)]
    for database.fails, media.fails in [
        (None, StorageReason.FULL),
        (StorageReason.REPLACED, StorageReason.FULL),
        (None, None),
    ]:
        await clock.advance(SHARED_SECONDS)
        seen.append(await code(readiness))

    assert seen == [None, "media_full", "database_replaced", None]


async def test_all_who_ask_within_a_second_share_one_probe(
    readiness: Readiness, database: FakeStore, clock: FakeClock
) -> None:
    """Side by side, and one after the other."""
    database.fails = StorageReason.LOCKED
    first = await asyncio.gather(*(code(readiness) for _ in range(100)))
    await clock.advance(SHARED_SECONDS / 2)
    second = await code(readiness)
    probes = [database.probes]
    await clock.advance(SHARED_SECONDS / 2)
    await code(readiness)

    assert {*first, second} == {"database_locked"}
    assert [*probes, database.probes] == [1, 2]


async def test_a_store_that_stands_still_is_slow_and_is_not_tried_twice_at_once(
    readiness: Readiness, media: FakeStore, clock: FakeClock
) -> None:
    """Each caller is answered within the time limit; the probe that came through counts for the next one."""
    media.goes_on.clear()
    asking = asyncio.create_task(code(readiness))
    await clock.advance(0.0)
    was_waiting = not asking.done()
    await clock.advance(PROBE_SECONDS)
    seen = [await asking]
    await clock.advance(60.0)
    seen.append(await code(readiness))
    probes = media.probes
    media.goes_on.set()
    await clock.advance(0.0)
    seen.append(await code(readiness))

    assert was_waiting
    assert seen == ["media_slow", "media_slow", None]
    assert probes == 1


async def test_a_clock_that_is_set_back_does_not_keep_an_old_result(
    feed: LocalFeed, database: FakeStore, clock: FakeClock
) -> None:
    """A result is of the last second, whatever the clock says."""
    readiness = Readiness({"database": database.probe}, feed, clock)
    await code(readiness)
    database.fails = StorageReason.FULL
    await clock.advance(-3600.0)

    assert await code(readiness) == "database_full"


async def test_a_probe_that_crashes_is_no_success(readiness: Readiness, media: FakeStore) -> None:
    """The mistake is logged."""
    media.crashes = True
    with capture_logs() as logs:
        seen = await code(readiness)

    assert seen == "media_unavailable"
    assert "task.crashed" in [line["event"] for line in logs]


async def test_a_change_is_logged_once(readiness: Readiness, media: FakeStore, clock: FakeClock) -> None:
    """Probes come every second, and a disk may be full for hours."""
    with capture_logs() as logs:
        for media.fails in (None, StorageReason.FULL, StorageReason.FULL, None, None):
            await code(readiness)
            await clock.advance(SHARED_SECONDS)

    assert [(line["event"], line["reason"]) for line in logs] == [
        ("server.not_ready", "media_full"),
        ("server.ready_again", None),
    ]


async def test_a_process_that_is_shutting_down_is_not_ready(readiness: Readiness, feed: LocalFeed) -> None:
    """Nothing is tried out any more."""
    feed.close()

    with pytest.raises(Draining):
        await readiness.check()
