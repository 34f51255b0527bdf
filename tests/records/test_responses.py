"""The contract of the memory of answers, on both engines."""

from contextlib import suppress

import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.database.engine import Database
from adapter.database.tables import RESPONSES
from adapter.domain.image_job import LOST
from adapter.domain.job import Failure
from adapter.domain.media import Pixels
from adapter.domain.records import DeletedEntry
from adapter.domain.stored_files import StoredImage
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.domain.usage import Usage
from adapter.errors import ContentRefused, InvalidRequest
from adapter.records.responses import SqlResponseStore
from tests.fakes import made_image, stored
from tests.postgres import BOTH_ENGINES
from tests.transactions import execute

pytestmark = BOTH_ENGINES


@pytest.fixture
def store(database: Database) -> SqlResponseStore:
    """The memory of answers, empty."""
    return SqlResponseStore(database)


def drawn(number: int = 1, **changes: object) -> StoredResponse:
    """Return a reply with its picture."""
    return stored(number, **changes).completed(made_image(), 1010.0)


@pytest.mark.parametrize(
    "kept",
    [
        drawn(prompt="füchse 🦊", edits=True, sight=("https://a/b", "file-1"), background=True),
        stored().failed(Failure.of(ContentRefused("no")), 1010.0),
        stored().answered(1010.0),
        stored().completed(msgspec.structs.replace(made_image(), text="A fox."), 1010.0),
        stored(video="video_1", alive_until=2000.0),
    ],
)
async def test_a_reply_comes_back_as_it_was_given(store: SqlResponseStore, kept: StoredResponse) -> None:
    """Every field survives the database."""
    await store.add(kept)
    found = await store.find(kept.key, "ada", now=1100.0)

    assert found is not None
    assert msgspec.json.encode(found) == msgspec.json.encode(kept)


async def test_a_response_of_an_earlier_version_has_its_picture(store: SqlResponseStore, database: Database) -> None:
    """The document is one that such a version wrote."""
    document = (
        b'{"key":"00000000000000000000000000000007","owner":"ada","stem":"00000000000000000000000000000007",'
        b'"created_at":1000.0,"expires_at":2000.0,"model":"m","prompt":"","edits":false,"said":{},"items":[],'
        b'"background":false,"status":"completed","sight":[],"video":null,"drawn":'
        b'{"name":"00000000000000000000000000000007.png","pixels":{"width":16,"height":9},"usage":{"input_text":1,'
        b'"input_image":0,"output_text":0,"output_image":2},"text":"A fox."},"failure":null,"finished_at":1500.0,'
        b'"alive_until":null}'
    )
    await store.add(stored(7))
    await execute(database, RESPONSES.update().values(document=document))
    found = await store.find(stored(7).key, "ada", now=1100.0)

    assert found is not None
    assert found.drawn == StoredImage(
        name=f"{7:032x}.png", pixels=Pixels(16, 9), usage=Usage(input_text=1, output_image=2), text="A fox."
    )
    assert msgspec.json.encode(found) == document


async def test_a_reply_is_its_owners_alone(store: SqlResponseStore) -> None:
    """Others neither see, delete nor work from it."""
    kept = drawn()
    await store.add(kept)

    assert await store.find(kept.key, "bob", now=1100.0) is None
    assert await store.delete(kept.key, "bob", now=1100.0) is None
    assert await store.locate(f"ig_{kept.key}", "bob", now=1100.0) is None
    assert await store.locate(f"ig_{kept.key}", "ada", now=1100.0) == f"{kept.stem}_response.png"


async def test_a_picture_is_found_by_its_own_id_only(store: SqlResponseStore) -> None:
    """And only if there is one."""
    await store.add(drawn(1))
    await store.add(stored(2))

    for wrong in (drawn(1).key, f"resp_{drawn(1).key}", f"ig_{stored(2).key}", "ig_", ""):
        assert await store.locate(wrong, "ada", now=1100.0) is None


async def test_a_live_reply_moves_and_one_that_is_over_does_not(store: SqlResponseStore) -> None:
    """Whoever comes first decides: a picture that came too late for a cancelled reply is told so."""
    await store.add(stored(status=ResponseStatus.QUEUED))

    assert await store.save(stored(status=ResponseStatus.IN_PROGRESS))
    assert await store.save(stored(status=ResponseStatus.CANCELLED))
    assert not await store.save(drawn())
    found = await store.find(stored().key, "ada", now=1100.0)
    assert found is not None
    assert (found.status, found.drawn) == (ResponseStatus.CANCELLED, None)


async def test_of_two_replies_with_one_key_the_first_is_remembered(store: SqlResponseStore) -> None:
    """Attempts of one request have the same."""
    assert await store.add(drawn(prompt="first"))
    assert not await store.add(drawn(prompt="second"))

    found = await store.find(drawn().key, "ada", now=1100.0)
    assert found is not None
    assert found.prompt == "first"


async def test_a_deleted_reply_is_gone_and_takes_no_picture_any_more(store: SqlResponseStore) -> None:
    """Nor can it be deleted twice."""
    await store.add(stored())

    gone = await store.delete(stored().key, "ada", now=1100.0)
    assert gone is not None
    assert gone.key == stored().key
    assert not await store.save(drawn())
    assert await store.find(stored().key, "ada", now=1100.0) is None
    assert await store.delete(stored().key, "ada", now=1100.0) is None


async def test_a_reply_is_gone_from_its_last_moment_on(store: SqlResponseStore) -> None:
    """With its picture."""
    kept = drawn(expires_at=3000.0)
    await store.add(kept)

    assert await store.find(kept.key, "ada", now=2999.9) is not None
    assert await store.find(kept.key, "ada", now=3000.0) is None
    assert await store.locate(f"ig_{kept.key}", "ada", now=3000.0) is None


async def test_a_live_reply_that_shows_no_sign_of_life_has_failed(store: SqlResponseStore) -> None:
    """Its process is gone; nobody else may make it again, because it may have been paid for."""
    await store.add(stored(alive_until=1060.0, background=True))
    alive = await store.find(stored().key, "ada", now=1059.9)
    lost = await store.find(stored().key, "ada", now=1060.0)

    assert alive is not None
    assert alive.status is ResponseStatus.IN_PROGRESS
    assert lost is not None
    assert (lost.status, lost.failure, lost.finished_at) == (ResponseStatus.FAILED, LOST, 1060.0)


async def test_what_is_left_of_replies_is_told_until_it_is_forgotten(store: SqlResponseStore) -> None:
    """With the picture's file, where there is one."""
    await store.add(drawn(1, expires_at=2000.0))
    await store.add(stored(2))
    await store.add(stored(3))
    await store.delete(stored(2).key, "ada", now=1500.0)
    expected = {DeletedEntry(drawn(1).key, (f"{drawn(1).stem}_response.png",)), DeletedEntry(stored(2).key, ())}

    assert await store.deleted_entries(before=1500.0, limit=10) == []
    assert set(await store.deleted_entries(before=2001.0, limit=10)) == expected
    assert len(await store.deleted_entries(before=2001.0, limit=1)) == 1
    assert await store.keeps([drawn(1).stem, stored(2).stem, "f" * 32]) == {drawn(1).stem, stored(2).stem}
    await store.forget([drawn(1).key, stored(2).key])
    assert await store.deleted_entries(before=9000.0, limit=10) == []
    assert await store.keeps([drawn(1).stem]) == set()


async def test_a_row_that_cannot_be_read_is_not_there_and_is_swept_all_the_same(
    store: SqlResponseStore, database: Database
) -> None:
    """Of a newer version, say."""
    await store.add(drawn(1, expires_at=2000.0))
    await execute(database, RESPONSES.update().values(document=b"{}"))
    with capture_logs() as logs:
        assert await store.find(drawn(1).key, "ada", now=1100.0) is None
        assert await store.deleted_entries(before=2001.0, limit=10) == [DeletedEntry(drawn(1).key, ())]

    assert [line["event"] for line in logs] == ["responses.unreadable"] * 2


async def test_an_id_with_a_nul_is_no_failure_of_the_database(store: SqlResponseStore) -> None:
    """PostgreSQL refuses such a text. Its client is not told to come back, and the operator is not woken."""
    with capture_logs() as logs, suppress(InvalidRequest):
        assert await store.find("resp_\x00", "ada", now=1.0) is None

    assert logs == []
