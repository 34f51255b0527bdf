"""Files without an owner: they are found, and deleted when they can get none any more."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.database.engine import Database
from adapter.domain.executions import ExecutionRecord, LivingProcess
from adapter.domain.job import Failed, Failure, Intended, Operation, Rendered, Stored, StoredVideo, Submitted, advance
from adapter.domain.media import RemoteVideo
from adapter.domain.ports import Write
from adapter.errors import JobFailed
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.store import SqlJobStore
from adapter.media.leftovers import FEW, SAFE_SECONDS, Leftovers
from adapter.media.store import ObjectMediaStore, open_media
from adapter.records.files import SqlFileStore
from adapter.records.registry import SqlFileRegistry
from adapter.records.responses import SqlResponseStore
from tests.buckets import S3Server
from tests.fakes import FakeClock, given_file, stored, video_job

NOW = 10_000_000.0
OLD = SAFE_SECONDS + 60.0
STEM = "0123456789abcdef" * 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are."""
    return tmp_path / "media"


@pytest.fixture
def media(folder: Path) -> ObjectMediaStore:
    """A folder's store."""
    return open_media(f"file://{folder}")


@pytest.fixture
def leftovers(media: ObjectMediaStore, database: Database) -> Leftovers:
    """A comparison of the folder with an empty database."""
    return Leftovers(media, SqlFileRegistry(database), FakeClock(at=NOW))


def lay(folder: Path, name: str, *, age: float = OLD) -> str:
    """Put a file there that was stored so many seconds ago."""
    file = folder / name
    file.write_bytes(bytes(10))
    os.utime(file, (NOW - age, NOW - age))
    return name


def names(folder: Path) -> set[str]:
    """Return what is there."""
    return {file.name for file in folder.iterdir()}


async def complete(database: Database, number: int = 1) -> StoredVideo:
    """Store a job whose video came home."""
    jobs = SqlJobStore(database)
    job = video_job(number)
    await jobs.admit(job, now=NOW)
    [claim] = await jobs.claim(now=NOW, lease=10.0, limit=1)
    submitted = advance(advance(claim.job, Intended("first")), Submitted(Operation("op", job.mark), NOW))
    media = StoredVideo(video=f"{job.stem}.mp4", poster=None, size=10, sha256="00")
    done = advance(advance(submitted, Rendered(RemoteVideo("u"))), Stored(media, NOW))
    await jobs.save([Write(claim, done, NOW)])
    return media


@pytest.mark.parametrize("part", ["_0.png", "_upload.png", "_response.webp", "_answer0.jpg", "_thumbnail.webp"])
async def test_a_file_that_has_no_row_goes_when_it_is_old(leftovers: Leftovers, folder: Path, part: str) -> None:
    """A process died between the file and its row."""
    lay(folder, STEM + part)
    young = lay(folder, f"{'f' * 32}{part}", age=SAFE_SECONDS - 60.0)
    await leftovers.run_once()

    assert names(folder) == {young}


async def test_pictures_behind_links_and_files_of_others_stay(leftovers: Leftovers, folder: Path) -> None:
    """Clients have the links, and the database does not know them."""
    kept = {lay(folder, f"{STEM}.png"), lay(folder, f"{STEM}.mp4"), lay(folder, "notes_0.txt")}
    await leftovers.run_once()
    report = await leftovers.check()

    assert names(folder) == kept
    assert (report.files, report.links, report.foreign) == (3, 2, 1)


async def test_the_files_of_every_row_stay(leftovers: Leftovers, folder: Path, database: Database) -> None:
    """Of a job that is live or failed, of an upload and a response that wait for the sweeper, of a kept answer."""
    jobs = SqlJobStore(database)
    live, over = video_job(1), video_job(2)
    await jobs.admit(live, now=NOW)
    await jobs.admit(over, now=NOW)
    claims = {claim.job.id: claim for claim in await jobs.claim(now=NOW, lease=10.0, limit=2)}
    failed = advance(over, Failed(Failure.of(JobFailed("no")), NOW))
    await jobs.save([Write(claims[over.id], failed, NOW)])
    upload = given_file(7)
    await SqlFileStore(database).add(upload)
    await SqlFileStore(database).delete(upload.id, upload.owner, now=NOW)
    await SqlResponseStore(database).add(stored())
    record = ExecutionRecord(scope="s", content="c", execution_id="e" * 32, began_at=NOW, keep_seconds=60.0)
    await SqlRequestStore(database).register(record, now=NOW, holder=LivingProcess(process="p", lease=5.0))
    stems = [live.stem, over.stem, upload.name[:32], stored().stem, record.execution_id]
    kept = {lay(folder, f"{stem}_0.png") for stem in stems}
    await leftovers.run_once()

    assert len(kept) == 5
    assert names(folder) == kept
    assert (await leftovers.check()).owned == 5


async def test_what_was_stored_for_a_deleted_job_after_its_files_had_gone_goes_too(
    leftovers: Leftovers, folder: Path, database: Database
) -> None:
    """Its row stays. While its files are still to be deleted they have an owner."""
    jobs = SqlJobStore(database)
    media = await complete(database)
    [job] = await jobs.recent(1)
    lay(folder, media.video)
    await jobs.delete(job.id, job.owner, now=NOW)
    await leftovers.run_once()
    before = names(folder)
    [claim] = await jobs.claim(now=NOW, lease=10.0, limit=1)
    await jobs.forget(claim)
    await leftovers.run_once()

    assert before == {media.video}
    assert names(folder) == set()


async def test_missing_files_are_named(leftovers: Leftovers, folder: Path, database: Database) -> None:
    """Those of completed jobs, uploads and responses. A job whose files are too old to be kept has none."""
    media = await complete(database)
    upload = given_file()
    await SqlFileStore(database).add(upload)
    there = given_file(2, name=f"{STEM}_upload.png")
    await SqlFileStore(database).add(there)
    lay(folder, there.name)

    assert (await leftovers.check()).missing == sorted([media.video, upload.name])
    assert (await leftovers.check(since=NOW)).missing == [upload.name]


async def test_suspiciously_many_files_without_an_owner_are_left_to_the_operator(
    leftovers: Leftovers, folder: Path
) -> None:
    """The database may be a new one, or the folder another adapter's."""
    for number in range(FEW + 1):
        lay(folder, f"{number:032x}_upload.png")
    with capture_logs() as lines:
        await leftovers.run_once()
    report = await leftovers.check()
    left = names(folder)
    await leftovers.delete(report)

    assert [line["event"] for line in lines] == ["leftovers.too_many"]
    assert len(left) == len(report.without_owner) == FEW + 1
    assert names(folder) == set()


async def test_a_bucket_is_looked_through_too(s3: S3Server, database: Database) -> None:
    """The times are the bucket's own."""
    bucket, clock = s3.new_bucket(), FakeClock(at=NOW)
    media = open_media(f"s3://{bucket}/media", s3.access())
    for name in (f"{STEM}_upload.png", f"{STEM}.png"):
        await media.put(name, once(b"x"))
    await clock.advance(1e11)
    leftovers = Leftovers(media, SqlFileRegistry(database), clock)
    report = await leftovers.check()
    await leftovers.run_once()

    assert report.without_owner == [f"{STEM}_upload.png"]
    assert s3.names(bucket) == [f"media/{STEM}.png"]


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield it."""
    yield data
