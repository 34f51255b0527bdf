"""Files behind links: a damaged one is never sent."""

from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from adapter.domain.pieces import write_whole
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

    async def size_of(self, name: str) -> int | None:
        self.asked.append(name)
        if self.is_away:
            raise StorageFailed("away")
        return self.sizes.get(name)


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
