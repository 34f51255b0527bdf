"""The sizes that files had when they were stored."""

import pytest

from adapter.database.engine import Database
from adapter.database.tables import JOBS
from adapter.domain.image_job import ImageJob, Made, advance_image
from adapter.domain.job import Intended, Stored, StoredVideo, advance
from adapter.domain.job_kinds import IMAGE
from adapter.domain.media import Frame
from adapter.domain.orders import ImageOrder
from adapter.domain.stored_files import StoredImage
from adapter.jobs.store import SqlJobStore
from adapter.records.responses import SqlResponseStore
from adapter.records.sizes import SqlFileSizes
from tests.fakes import made_image, png, rendered_job, stored
from tests.transactions import execute

ORDER = ImageOrder(model="m", provider="p", upstream="u", prompt="a fox", n=1, frame=Frame())


@pytest.fixture
def sizes(database: Database) -> SqlFileSizes:
    """What is asked."""
    return SqlFileSizes(database)


async def test_the_size_of_a_video_is_known(database: Database, sizes: SqlFileSizes) -> None:
    """That of its thumbnail is not."""
    job = rendered_job()
    name = f"{job.stem}.mp4"
    done = advance(job, Stored(StoredVideo(video=name, poster=None, size=1234, sha256="00"), 1010.0))
    await SqlJobStore(database).admit(done, now=1000.0)

    assert await sizes.size_of(name) == 1234
    assert await sizes.size_of(f"{job.stem}_thumbnail.webp") is None
    assert await sizes.size_of(f"{8:032x}.mp4") is None


async def test_the_size_of_a_responses_picture_is_known(database: Database, sizes: SqlFileSizes) -> None:
    """Of one that was made at once, and of one that was made in the background."""
    image = made_image()
    done = stored(1).completed(image, 1010.0)
    await SqlResponseStore(database).add(done)
    job = advance_image(
        ImageJob(id="imgjob_1", owner="ada", order=ORDER, stem="a" * 32, created_at=1000.0), Intended("", 1.0)
    )
    made = advance_image(job, Made(StoredImage.of(image, f"{'a' * 32}.png"), 1.0))
    await SqlJobStore(database, IMAGE).admit(made, now=1000.0)

    assert await sizes.size_of(done.name_of(image)) == len(png())
    assert await sizes.size_of(f"{'a' * 32}.png") == len(png())


async def test_a_row_that_cannot_be_read_has_no_sizes(database: Database, sizes: SqlFileSizes) -> None:
    """A newer version may have written it."""
    job = rendered_job()
    await SqlJobStore(database).admit(job, now=1000.0)
    await execute(database, JOBS.update().values(document=b"{"))

    assert await sizes.size_of(f"{job.stem}.mp4") is None
