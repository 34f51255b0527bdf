"""Uploads: kept, shown to their owner, used by id, and gone when deleted."""

from collections.abc import AsyncIterator, Collection

import msgspec
import pytest
from obstore.store import MemoryStore

from adapter.database.engine import Database
from adapter.domain.media import Frame, MediaFormat
from adapter.domain.orders import FileIdSource, ImageOrder, LinkSource, Source, StoredSource
from adapter.domain.paging import Page
from adapter.domain.pieces import write_whole
from adapter.domain.records import Upload
from adapter.errors import FileDamaged, InvalidRequest, NotFound, StorageFailed
from adapter.generation.uploads import Uploads
from adapter.media.store import ObjectMediaStore
from adapter.records.files import SqlFileStore
from tests.fakes import FakeClock, png

GIVEN = Upload(data=png(), format=MediaFormat.PNG, filename="fox.png", purpose="vision")


class Stubborn(ObjectMediaStore):
    """A memory of bytes that can refuse to take or to forget some."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.works = True

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        self._check()
        await super().put(name, chunks)

    async def delete(self, names: Collection[str]) -> None:
        self._check()
        await super().delete(names)

    def _check(self) -> None:
        if not self.works:
            raise StorageFailed("no")


@pytest.fixture
def clock() -> FakeClock:
    """Time, from second 1000 on."""
    return FakeClock(at=1000.0)


@pytest.fixture
def media() -> Stubborn:
    """The memory of bytes, empty."""
    return Stubborn()


@pytest.fixture
def files(database: Database) -> SqlFileStore:
    """The memory of files, empty."""
    return SqlFileStore(database)


@pytest.fixture
def uploads(files: SqlFileStore, media: Stubborn, clock: FakeClock) -> Uploads:
    """The use cases."""
    return Uploads(files, media, clock)


def order(*sources: Source) -> ImageOrder:
    """Return an order that works from these."""
    return ImageOrder(model="m", provider="p", upstream="u", prompt="blue", n=1, frame=Frame(), sources=sources)


async def test_a_file_is_read_back_to_the_byte(uploads: Uploads) -> None:
    """By its owner."""
    file = await uploads.take(GIVEN, "ada")
    read = b"".join([piece async for piece in await uploads.open(await uploads.find(file.id, "ada"))])

    assert read == GIVEN.data


async def test_a_file_that_is_shorter_than_it_was_is_an_error(uploads: Uploads, media: Stubborn) -> None:
    """And a file whose bytes are gone is not found."""
    file = await uploads.take(GIVEN, "ada")
    await write_whole(media, file.name, GIVEN.data[:-1])
    with pytest.raises(FileDamaged):
        await uploads.open(file)
    await media.delete([file.name])
    with pytest.raises(NotFound):
        await uploads.open(file)


async def test_a_files_name_in_the_store_is_not_its_id(uploads: Uploads) -> None:
    """The store's names are public links, and ids stand in logs."""
    file = await uploads.take(GIVEN, "ada")

    assert file.name[:32] not in file.id
    assert file.name.endswith(".png")


async def test_an_uploaded_picture_is_found_among_its_owners(uploads: Uploads) -> None:
    """What came with the request or lies elsewhere stays as it is."""
    file = await uploads.take(GIVEN, "ada")
    link = LinkSource("https://a", "image")
    found = await uploads.resolved(order(link, FileIdSource(file.id, "images[1]")), "ada")

    assert found == order(link, StoredSource(file.name, "images[1]"))


@pytest.mark.parametrize("why", ["never", "another's", "deleted", "expired"])
async def test_a_picture_that_its_owner_does_not_have_is_refused_by_its_place(
    uploads: Uploads, clock: FakeClock, why: str
) -> None:
    """Whoever asks learns nothing of others' files."""
    file = await uploads.take(msgspec.structs.replace(GIVEN, lifetime=3600), "bob" if why == "another's" else "ada")
    if why == "deleted":
        await uploads.delete(file.id, "ada")
    if why == "expired":
        await clock.advance(3600)
    file_id = "file-1" if why == "never" else file.id

    with pytest.raises(InvalidRequest, match=f"There is no file '{file_id}' here") as caught:
        await uploads.resolved(order(FileIdSource(file_id, "images[0]")), "ada")
    assert caught.value.param == "images[0]"
    with pytest.raises(NotFound):
        await uploads.find(file_id, "ada")


async def test_what_could_not_be_stored_is_not_listed(uploads: Uploads, media: Stubborn) -> None:
    """An id without bytes would fail later, where nobody expects it."""
    media.works = False
    with pytest.raises(StorageFailed):
        await uploads.take(GIVEN, "ada")

    assert await uploads.list("ada", Page(limit=10)) == ([], False)


async def test_a_deleted_files_bytes_go_at_once(uploads: Uploads, media: Stubborn) -> None:
    """And it cannot be deleted twice."""
    file = await uploads.take(GIVEN, "ada")
    await uploads.delete(file.id, "ada")

    assert await media.find(file.name) is None
    with pytest.raises(NotFound):
        await uploads.delete(file.id, "ada")
    assert await uploads.list("ada", Page(after=file.id)) == ([], False)


async def test_a_page_says_whether_the_list_goes_on(uploads: Uploads, clock: FakeClock) -> None:
    """A page of nothing has no end to go on from."""
    files = []
    for _ in range(3):
        files.append(await uploads.take(GIVEN, "ada"))
        await clock.advance(1.0)
    oldest, middle, newest = files

    assert await uploads.list("ada", Page(limit=2)) == ([newest, middle], True)
    assert await uploads.list("ada", Page(limit=2, after=middle.id)) == ([oldest], False)
    assert await uploads.list("ada", Page(limit=2, newest_first=False, after=oldest.id)) == ([middle, newest], False)
    assert await uploads.list("ada", Page(limit=0)) == ([], False)


@pytest.mark.parametrize("owner", ["ada", "bob"])
async def test_a_page_behind_a_file_that_its_owner_never_had_is_refused(uploads: Uploads, owner: str) -> None:
    """As a list of videos does, by the name of the parameter."""
    file = await uploads.take(GIVEN, "eve")
    with pytest.raises(InvalidRequest, match=f"no file '{file.id}' to go on after") as caught:
        await uploads.list(owner, Page(after=file.id))

    assert caught.value.param == "after"


async def test_bytes_that_cannot_be_deleted_are_left_to_the_sweeper(
    uploads: Uploads, media: Stubborn, files: SqlFileStore
) -> None:
    """The owner's file is gone all the same."""
    file = await uploads.take(GIVEN, "ada")
    media.works = False
    await uploads.delete(file.id, "ada")

    with pytest.raises(NotFound):
        await uploads.find(file.id, "ada")
    assert [each.files for each in await files.deleted_entries(before=2000.0, limit=10)] == [(file.name,)]
