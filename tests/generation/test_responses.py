"""Responses: remembered, looked up, and forgotten with their pictures."""

from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.database.engine import Database
from adapter.domain.pieces import write_whole
from adapter.domain.ports import Memory
from adapter.domain.stored_response import ResponseStatus
from adapter.errors import FileDamaged, InvalidRequest, NotFound
from adapter.generation.image_files import ImageFiles
from adapter.generation.responses import Responses
from adapter.media.store import open_media
from adapter.records.responses import SqlResponseStore
from tests.fakes import FakeClock, made_image, stored
from tests.generation.conftest import Studio

BACKGROUND = stored(background=True)


@pytest.fixture
def store(database: Database) -> SqlResponseStore:
    """The memory of answers, empty."""
    return SqlResponseStore(database)


@pytest.fixture
def responses(store: SqlResponseStore, memory: Memory, clock: FakeClock) -> Responses:
    """The use cases."""
    return Responses(store, ImageFiles(memory.media), clock)


async def test_only_what_is_made_in_the_background_can_be_called_off(responses: Responses) -> None:
    """The other ends when its client hangs up."""
    await responses.remember(stored())

    with pytest.raises(InvalidRequest, match="background"):
        await responses.cancel(stored().key, "ada")


async def test_a_reply_that_is_over_is_not_called_off(responses: Responses) -> None:
    """Its picture is paid for and stays."""
    await responses.remember_end(BACKGROUND.completed(made_image(), 1010.0), made_image())

    assert (await responses.cancel(BACKGROUND.key, "ada")).status is ResponseStatus.COMPLETED


async def test_a_deleted_replys_picture_goes_at_once(responses: Responses, memory: Memory) -> None:
    """And the reply cannot be deleted twice."""
    await responses.remember_end(stored().completed(made_image(), 1010.0), made_image())
    await responses.delete(stored().key, "ada")

    assert await memory.media.find(f"{stored().stem}_response.png") is None
    with pytest.raises(NotFound):
        await responses.delete(stored().key, "ada")


async def test_the_picture_of_a_second_attempt_is_not_kept_twice(
    responses: Responses, memory: Memory, studio: Studio
) -> None:
    """They have one key, and the first is remembered."""
    for stem in ("a" * 32, "b" * 32):
        await responses.remember_end(stored(stem=stem).completed(made_image(), 1010.0), made_image())

    assert await studio.files() == [f"{'a' * 32}_response.png"]
    assert await memory.media.find(f"{'a' * 32}_response.png") is not None


async def test_a_reply_whose_file_is_gone_cannot_be_shown(responses: Responses, memory: Memory) -> None:
    """It is not shown as one without a picture."""
    done = stored().completed(made_image(), 1010.0)
    await responses.remember_end(done, made_image())
    await memory.media.delete([f"{stored().stem}_response.png"])

    with pytest.raises(NotFound, match="not stored here any more"):
        await responses.picture(done)


async def test_a_picture_that_is_shorter_than_it_was_is_an_error(responses: Responses, memory: Memory) -> None:
    """Its head is still that of a picture. The size of a picture of an older version is not known."""
    done = stored().completed(made_image(), 1010.0)
    assert done.drawn is not None
    older = msgspec.structs.replace(done, drawn=msgspec.structs.replace(done.drawn, size=msgspec.UNSET))
    await responses.remember_end(done, made_image())
    await write_whole(memory.media, done.drawn.name, made_image().decode()[:-5])

    with pytest.raises(FileDamaged):
        await responses.picture(done)
    assert await responses.picture(older) is not None


async def test_a_picture_that_cannot_be_kept_is_handed_over_all_the_same(
    store: SqlResponseStore, clock: FakeClock, tmp_path: Path
) -> None:
    """It is paid for; that the reply will not be found is written down."""
    folder = tmp_path / "media"
    broken = Responses(store, ImageFiles(open_media(f"file://{folder}")), clock)
    folder.rmdir()
    folder.write_text("a file where the folder was")
    with capture_logs() as logs:
        await broken.remember_end(stored().completed(made_image(), 1010.0), made_image())

    assert [line["event"] for line in logs] == ["media.failed", "responses.not_kept"]
    with pytest.raises(NotFound):
        await broken.find(stored().key, "ada")
