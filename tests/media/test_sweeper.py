"""The sweeper: what was deleted or has expired goes for good."""

import asyncio
from collections.abc import AsyncIterator, Collection

import pytest
from structlog.testing import capture_logs

from adapter.database.engine import Database
from adapter.errors import StorageFailed
from adapter.media.periodic import ROUND_SECONDS
from adapter.media.store import ObjectMediaStore, open_media
from adapter.media.sweeper import BATCH, FIRST_SECONDS, GRACE_SECONDS, Sweeper
from adapter.records.files import SqlFileStore
from tests.fakes import FakeClock, given_file

NOW = 100_000.0
LONG_AGO = NOW - GRACE_SECONDS - 1


@pytest.fixture
def files(database: Database) -> SqlFileStore:
    """The memory of files, empty."""
    return SqlFileStore(database)


@pytest.fixture
def media() -> ObjectMediaStore:
    """The memory of bytes, empty."""
    return open_media("memory://")


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield it."""
    yield data


async def test_bytes_go_before_the_row_and_only_an_hour_after_the_end(
    files: SqlFileStore, media: ObjectMediaStore
) -> None:
    """Until then it may be where somebody's list goes on."""
    old, young, lasting = given_file(1, expires_at=LONG_AGO), given_file(2, expires_at=NOW - 1), given_file(3)
    for file in (old, young, lasting):
        await media.put(file.name, once(b"bytes"))
        await files.add(file)
    await Sweeper(media, [files], FakeClock(at=NOW)).run_once()

    assert await media.find(old.name) is None
    assert await files.place(old.id, "ada") is None
    for file in (young, lasting):
        assert await media.find(file.name) is not None
        assert await files.place(file.id, "ada") == file


async def test_all_of_them_go_in_one_round(files: SqlFileStore, media: ObjectMediaStore) -> None:
    """However many; one whose bytes are gone already is no fault."""
    for number in range(BATCH + 1):
        await files.add(given_file(number, expires_at=LONG_AGO))
    with capture_logs() as logs:
        await Sweeper(media, [files], FakeClock(at=NOW)).run_once()

    assert await files.deleted_entries(before=NOW, limit=1) == []
    assert logs == [{"event": "sweeper.round", "log_level": "info", "removed": BATCH + 1}]


class Broken(ObjectMediaStore):
    """Files that nobody can delete."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def delete(self, names: Collection[str]) -> None:
        self.asked.set()
        raise StorageFailed(f"{len(names)} are not deleted")


async def test_what_cannot_be_removed_waits_for_the_next_round(files: SqlFileStore) -> None:
    """A row outlives its bytes and never the other way round."""
    clock, media = FakeClock(at=NOW), Broken()
    file = given_file(1, expires_at=LONG_AGO)
    await files.add(file)
    running = asyncio.create_task(Sweeper(media, [files], clock).run())
    try:
        for seconds in (FIRST_SECONDS, ROUND_SECONDS):
            media.asked.clear()
            while not clock.alarms:
                await asyncio.sleep(0)
            await clock.advance(seconds)
            async with asyncio.timeout(10):
                await media.asked.wait()
    finally:
        running.cancel()

    assert await files.place(file.id, "ada") == file
