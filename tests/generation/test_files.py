"""Files behind links: a damaged one is never sent."""

import asyncio
from collections.abc import Mapping

import pytest
from obstore.store import MemoryStore
from structlog.testing import capture_logs

from adapter.domain.pieces import write_whole
from adapter.domain.stored_files import StoredFile
from adapter.errors import FileDamaged, NotFound, StorageFailed
from adapter.generation.files import MOST_SIZES, Files
from adapter.media.store import ObjectMediaStore, open_media

NAME = f"{7:032x}.mp4"


class FakeSizes:
    """Sizes as they are told; counts the questions."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        self.asked: list[str] = []
        self.is_away = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def size_of(self, name: str) -> int | None:
        self.asked.append(name)
        await self.may_answer.wait()
        if self.is_away:
            raise StorageFailed("away")
        return self.sizes.get(name)


class FoundAtOnce(ObjectMediaStore):
    """A store that needs no time to find a file."""

    async def find(self, name: str) -> StoredFile | None:
        return StoredFile(name=name, size=4, etag="", modified_at=0.0)


@pytest.fixture
async def media() -> ObjectMediaStore:
    """A store with a file of four bytes."""
    media = open_media("memory://")
    await write_whole(media, NAME, b"film")
    return media


async def test_a_file_of_its_size_is_found(media: ObjectMediaStore) -> None:
    """A file whose size was not remembered is taken as it is."""
    for sizes in ({NAME: 4}, {}):
        found = await Files(media, FakeSizes(sizes)).find(NAME)
        assert (found.name, found.size) == (NAME, 4)


async def test_a_file_that_is_shorter_than_it_was_is_an_error_and_a_line(media: ObjectMediaStore) -> None:
    """The line does not have the name, which opens the link."""
    with capture_logs() as logs, pytest.raises(FileDamaged) as caught:
        await Files(media, FakeSizes({NAME: 5})).find(NAME)

    assert (caught.value.status, caught.value.code, caught.value.should_retry) == (500, "stored_file_damaged", False)
    assert [(line["event"], line["stored_bytes"], line["known_bytes"]) for line in logs] == [("media.damaged", 4, 5)]
    assert NAME not in str(logs)


async def test_the_size_of_a_file_is_asked_for_once(media: ObjectMediaStore) -> None:
    """A player asks for one file many times. A file that is gone is not asked about."""
    sizes = FakeSizes({NAME: 4})
    files = Files(media, sizes)
    for _ in range(3):
        await files.find(NAME)
    with pytest.raises(NotFound):
        await files.find(f"{8:032x}.mp4")

    assert sizes.asked == [NAME]


async def test_players_that_come_at_once_ask_the_database_once() -> None:
    """Also while it is away: then each of them gets the file, and the next one asks again."""
    sizes = FakeSizes({NAME: 4})
    files = Files(FoundAtOnce(MemoryStore()), sizes)
    for is_away, asked in ((True, 1), (False, 2)):  # how many questions there were
        sizes.is_away = is_away
        sizes.may_answer.clear()
        finding = [asyncio.create_task(files.find(NAME)) for _ in range(50)]
        for _ in range(5):
            await asyncio.sleep(0)
        sizes.may_answer.set()

        assert [file.size for file in await asyncio.gather(*finding)] == [4] * 50
        assert len(sizes.asked) == asked


async def test_only_so_many_sizes_are_remembered(media: ObjectMediaStore) -> None:
    """The one that was not asked for longest is forgotten."""
    sizes = FakeSizes({})
    files = Files(media, sizes)
    names = [f"{number:032x}.png" for number in range(MOST_SIZES)]
    for name in names:
        await write_whole(media, name, b"x")
        await files.find(name)
    await files.find(names[0])
    await files.find(NAME)
    before = len(sizes.asked)
    await files.find(names[0])
    await files.find(names[1])

    assert sizes.asked[before:] == [names[1]]


async def test_links_do_not_need_the_database(media: ObjectMediaStore) -> None:
    """A look that failed is not remembered."""
    sizes = FakeSizes({NAME: 5})
    files = Files(media, sizes)
    sizes.is_away = True
    found = await files.find(NAME)
    sizes.is_away = False

    assert found.size == 4
    with pytest.raises(FileDamaged):
        await files.find(NAME)
