"""Jobs of several kinds in one table, beside processes of an older version that know one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import adapter.database
from adapter.database.engine import migrate, open_database
from adapter.domain.image_job import ImageJob
from adapter.domain.job_kinds import IMAGE
from adapter.domain.media import Frame
from adapter.domain.orders import ImageOrder, LinkSource, StoredSource
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job
from tests.postgres import BOTH_ENGINES
from tests.transactions import execute

pytestmark = BOTH_ENGINES

PICTURE = ImageJob(
    id="image_1",
    owner="ada",
    order=ImageOrder(
        model="m",
        provider="fake",
        upstream="m",
        prompt="a fox",
        n=1,
        frame=Frame(),
        sources=(LinkSource("https://far/fox.png", "input"), StoredSource("a.png", "input")),
    ),
    stem="f" * 32,
    created_at=1000.0,
)


def undo(connection: Connection) -> None:
    """Go back to before there were kinds."""
    config = Config()
    config.set_main_option("script_location", str(Path(adapter.database.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.downgrade(config, "0008")


async def test_the_migration_makes_all_that_is_there_videos(database_url: str) -> None:
    """They are claimed as before. Going back forgets the pictures, which an older version cannot read."""
    database = await open_database(database_url)
    videos, pictures = SqlJobStore(database), SqlJobStore(database, IMAGE)
    try:
        await videos.admit(video_job(1), now=1000.0)
        await pictures.admit(PICTURE, now=1000.0)
        await database.write(undo)
        await database.write(migrate)
        claimed = [claim.job for claim in await videos.claim(now=1000.0, lease=10.0, limit=10)]
        forgotten = await pictures.get(PICTURE.id)
    finally:
        await database.dispose()

    assert claimed == [video_job(1)]
    assert forgotten is None


async def test_a_process_of_an_older_version_adds_videos_without_saying_so(database_url: str) -> None:
    """Its rows have no kind."""
    database = await open_database(database_url)
    videos = SqlJobStore(database)
    try:
        await videos.admit(video_job(1), now=1000.0)
        copy = (
            "INSERT INTO jobs (id, owner, fingerprint, model, state, created_at, due_at, stem, document)"
            " SELECT 'video_2', owner, fingerprint, model, state, created_at, due_at, stem, document FROM jobs"
        )
        await execute(database, text(copy))
        claims = await videos.claim(now=1000.0, lease=10.0, limit=10)
    finally:
        await database.dispose()

    assert len(claims) == 2


async def test_a_picture_is_claimed_by_its_own_kind_and_comes_back_as_it_was_given(database_url: str) -> None:
    """Its order with it, whose inputs are addresses and names."""
    database = await open_database(database_url)
    videos, pictures = SqlJobStore(database), SqlJobStore(database, IMAGE)
    try:
        await pictures.admit(PICTURE, now=1000.0)
        others = await videos.claim(now=1000.0, lease=10.0, limit=10)
        claims = await pictures.claim(now=1000.0, lease=10.0, limit=10)
    finally:
        await database.dispose()

    assert others == []
    assert [claim.job for claim in claims] == [PICTURE]
