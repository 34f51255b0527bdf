"""The contract of the memory of answers, on both engines."""

import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.database.engine import Database, writing
from adapter.database.tables import REPLIES
from adapter.domain.job import Failure
from adapter.domain.records import Remains
from adapter.domain.replies import LOST, Reply, ReplyStatus
from adapter.errors import ContentRefused
from adapter.records.replies import SqlReplyStore
from tests.fakes import made_image, reply
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES


@pytest.fixture
def store(database: Database) -> SqlReplyStore:
    """The memory of answers, empty."""
    return SqlReplyStore(database)


def drawn(number: int = 1, **changes: object) -> Reply:
    """Return a reply with its picture."""
    return reply(number, **changes).completed(made_image(), 1010.0)


@pytest.mark.parametrize(
    "kept",
    [
        drawn(prompt="füchse 🦊", edits=True, sight=("https://a/b", "file-1"), background=True),
        reply().failed(Failure.of(ContentRefused("no")), 1010.0),
        reply().answered(1010.0),
        reply().completed(msgspec.structs.replace(made_image(), text="A fox."), 1010.0),
        reply(video="video_1", alive_until=2000.0),
    ],
)
async def test_a_reply_comes_back_as_it_was_given(store: SqlReplyStore, kept: Reply) -> None:
    """Every field survives the database."""
    await store.add(kept)
    found = await store.find(kept.key, "ada", now=1100.0)

    assert found is not None
    assert msgspec.json.encode(found) == msgspec.json.encode(kept)


async def test_a_reply_is_its_owners_alone(store: SqlReplyStore) -> None:
    """Others neither see, delete nor work from it."""
    kept = drawn()
    await store.add(kept)

    assert await store.find(kept.key, "bob", now=1100.0) is None
    assert await store.delete(kept.key, "bob", now=1100.0) is None
    assert await store.locate(f"ig_{kept.key}", "bob", now=1100.0) is None
    assert await store.locate(f"ig_{kept.key}", "ada", now=1100.0) == f"{kept.stem}.png"


async def test_a_picture_is_found_by_its_own_id_only(store: SqlReplyStore) -> None:
    """And only if there is one."""
    await store.add(drawn(1))
    await store.add(reply(2))

    for wrong in (drawn(1).key, f"resp_{drawn(1).key}", f"ig_{reply(2).key}", "ig_", ""):
        assert await store.locate(wrong, "ada", now=1100.0) is None


async def test_a_live_reply_moves_and_one_that_is_over_does_not(store: SqlReplyStore) -> None:
    """Whoever comes first decides: a picture that came too late for a cancelled reply is told so."""
    await store.add(reply(status=ReplyStatus.QUEUED))

    assert await store.save(reply(status=ReplyStatus.IN_PROGRESS))
    assert await store.save(reply(status=ReplyStatus.CANCELLED))
    assert not await store.save(drawn())
    found = await store.find(reply().key, "ada", now=1100.0)
    assert found is not None
    assert (found.status, found.drawn) == (ReplyStatus.CANCELLED, None)


async def test_of_two_replies_with_one_key_the_first_is_remembered(store: SqlReplyStore) -> None:
    """Attempts of one request have the same."""
    assert await store.add(drawn(prompt="first"))
    assert not await store.add(drawn(prompt="second"))

    found = await store.find(drawn().key, "ada", now=1100.0)
    assert found is not None
    assert found.prompt == "first"


async def test_a_deleted_reply_is_gone_and_takes_no_picture_any_more(store: SqlReplyStore) -> None:
    """Nor can it be deleted twice."""
    await store.add(reply())

    gone = await store.delete(reply().key, "ada", now=1100.0)
    assert gone is not None
    assert gone.key == reply().key
    assert not await store.save(drawn())
    assert await store.find(reply().key, "ada", now=1100.0) is None
    assert await store.delete(reply().key, "ada", now=1100.0) is None


async def test_a_reply_is_gone_from_its_last_moment_on(store: SqlReplyStore) -> None:
    """With its picture."""
    kept = drawn(expires_at=3000.0)
    await store.add(kept)

    assert await store.find(kept.key, "ada", now=2999.9) is not None
    assert await store.find(kept.key, "ada", now=3000.0) is None
    assert await store.locate(f"ig_{kept.key}", "ada", now=3000.0) is None


async def test_a_live_reply_that_shows_no_sign_of_life_has_failed(store: SqlReplyStore) -> None:
    """Its process is gone; nobody else may make it again, because it may have been paid for."""
    await store.add(reply(alive_until=1060.0, background=True))
    alive = await store.find(reply().key, "ada", now=1059.9)
    lost = await store.find(reply().key, "ada", now=1060.0)

    assert alive is not None
    assert alive.status is ReplyStatus.IN_PROGRESS
    assert lost is not None
    assert (lost.status, lost.failure, lost.finished_at) == (ReplyStatus.FAILED, LOST, 1060.0)


async def test_what_is_left_of_replies_is_told_until_it_is_forgotten(store: SqlReplyStore) -> None:
    """With the picture's file, where there is one."""
    await store.add(drawn(1, expires_at=2000.0))
    await store.add(reply(2))
    await store.add(reply(3))
    await store.delete(reply(2).key, "ada", now=1500.0)
    expected = {Remains(drawn(1).key, (f"{drawn(1).stem}.png",)), Remains(reply(2).key, ())}

    assert await store.remains(before=1500.0, limit=10) == []
    assert set(await store.remains(before=2001.0, limit=10)) == expected
    assert len(await store.remains(before=2001.0, limit=1)) == 1
    assert await store.keeps([drawn(1).stem, reply(2).stem, "f" * 32]) == {drawn(1).stem, reply(2).stem}
    await store.forget([drawn(1).key, reply(2).key])
    assert await store.remains(before=9000.0, limit=10) == []
    assert await store.keeps([drawn(1).stem]) == set()


async def test_a_row_that_cannot_be_read_is_not_there_and_is_swept_all_the_same(
    store: SqlReplyStore, database: Database
) -> None:
    """Of a newer version, say."""
    await store.add(drawn(1, expires_at=2000.0))
    async with writing(database) as connection:
        await connection.execute(REPLIES.update().values(document=b"{}"))
    with capture_logs() as logs:
        assert await store.find(drawn(1).key, "ada", now=1100.0) is None
        assert await store.remains(before=2001.0, limit=10) == [Remains(drawn(1).key, ())]

    assert [line["event"] for line in logs] == ["replies.unreadable"] * 2
