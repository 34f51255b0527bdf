"""The contract of the memory of files, on both engines."""

import msgspec
import pytest

from adapter.database.engine import Database
from adapter.domain.paging import Page
from adapter.domain.records import DeletedEntry, UploadedFile
from adapter.records.files import SqlFileStore
from tests.fakes import given_file
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES


@pytest.fixture
def store(database: Database) -> SqlFileStore:
    """The memory of files, empty."""
    return SqlFileStore(database)


async def fill(store: SqlFileStore, *files: UploadedFile) -> None:
    """Remember files."""
    for file in files:
        await store.add(file)


async def listed(
    store: SqlFileStore, *, owner: str = "ada", now: float = 2000.0, purpose: str | None = None, **page: object
) -> list[str]:
    """Return the ids of a page."""
    asked = msgspec.convert(page, Page[UploadedFile])
    return [file.id for file in await store.list(owner, asked, purpose=purpose, now=now)]


async def test_a_file_comes_back_as_it_was_given(store: SqlFileStore) -> None:
    """Every field survives the database."""
    file = given_file(1, filename="füchse 🦊.png", expires_at=9000.0, size=5_000_000_000)
    await fill(store, file)

    assert await store.find(file.id, "ada", now=2000.0) == file


async def test_a_file_is_its_owners_alone(store: SqlFileStore) -> None:
    """Others neither see, list, delete nor pass it."""
    file = given_file(1)
    await fill(store, file)

    assert await store.find(file.id, "bob", now=2000.0) is None
    assert await store.place(file.id, "bob") is None
    assert await store.delete(file.id, "bob", now=2000.0) is None
    assert await listed(store, owner="bob") == []
    assert await listed(store) == [file.id]


async def test_a_list_goes_by_time_then_by_name_either_way(store: SqlFileStore) -> None:
    """Files of the same moment are in some order, and always in the same."""
    files = [given_file(number, at=at) for number, at in ((1, 1000.0), (2, 1001.0), (3, 1001.0), (4, 1002.0))]
    await fill(store, *files)
    ids = [file.id for file in files]

    assert await listed(store) == ids[::-1]
    assert await listed(store, newest_first=False) == ids
    assert await listed(store, after=files[2]) == [ids[1], ids[0]]
    assert await listed(store, newest_first=False, after=files[1], limit=1) == [ids[2]]
    assert await listed(store, limit=0) == []


async def test_a_list_can_be_of_one_purpose(store: SqlFileStore) -> None:
    """As OpenAI's can."""
    await fill(store, given_file(1), given_file(2, purpose="assistants"))

    assert await listed(store, purpose="assistants") == [given_file(2).id]


async def test_a_deleted_file_is_gone_and_still_ends_its_page(store: SqlFileStore) -> None:
    """Whoever deletes what is listed asks for what comes after it."""
    files = [given_file(number, at=1000.0 + number) for number in (1, 2, 3)]
    await fill(store, *files)

    assert await store.delete(files[1].id, "ada", now=2000.0) == files[1]
    assert await store.find(files[1].id, "ada", now=2000.0) is None
    assert await store.delete(files[1].id, "ada", now=2000.0) is None
    assert await listed(store) == [files[2].id, files[0].id]
    assert await listed(store, after=await store.place(files[1].id, "ada")) == [files[0].id]


async def test_a_file_is_gone_from_its_last_moment_on(store: SqlFileStore) -> None:
    """To the second that its owner was told."""
    file = given_file(1, expires_at=3000.0)
    await fill(store, file)

    assert await store.find(file.id, "ada", now=2999.9) == file
    assert await store.find(file.id, "ada", now=3000.0) is None
    assert await listed(store, now=3000.0) == []
    assert await store.delete(file.id, "ada", now=3000.0) is None


async def test_what_is_left_of_files_is_told_until_it_is_forgotten(store: SqlFileStore) -> None:
    """Deleted or expired, not before the time, and so many at once."""
    gone, expired, lasting = given_file(1), given_file(2, expires_at=2500.0), given_file(3)
    await fill(store, gone, expired, lasting)
    await store.delete(gone.id, "ada", now=2400.0)

    assert await store.deleted_entries(before=2400.0, limit=10) == []
    assert await store.deleted_entries(before=2401.0, limit=10) == [DeletedEntry(gone.id, (gone.name,))]
    assert len(await store.deleted_entries(before=2501.0, limit=10)) == 2
    assert len(await store.deleted_entries(before=2501.0, limit=1)) == 1
    await store.forget([gone.id, expired.id])
    assert await store.deleted_entries(before=9999.0, limit=10) == []
    assert await store.place(gone.id, "ada") is None
    assert await listed(store) == [lasting.id]


async def test_a_stem_is_kept_until_the_file_is_forgotten(store: SqlFileStore) -> None:
    """The janitor leaves to the sweeper what is the sweeper's."""
    file = given_file(1)
    await fill(store, file)
    await store.delete(file.id, "ada", now=2000.0)

    assert await store.keeps([file.name[:32], "f" * 32]) == {file.name[:32]}
    await store.forget([file.id])
    assert await store.keeps([file.name[:32]]) == set()
