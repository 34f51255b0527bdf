"""The janitor: what is old goes, unless a job needs it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.database.engine import Database
from adapter.database.tables import JOBS
from adapter.domain.job import (
    Failed,
    Failure,
    Intended,
    Operation,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    VideoJob,
    advance,
)
from adapter.domain.media import RemoteVideo
from adapter.domain.ports import Write
from adapter.domain.stored_files import StoredFile
from adapter.errors import JobFailed, StorageFailed
from adapter.jobs.store import SqlJobStore
from adapter.media.janitor import BATCH, FIRST_SECONDS, GRACE_SECONDS, Janitor, Retention
from adapter.media.periodic import ROUND_SECONDS
from adapter.media.store import ObjectMediaStore, open_media
from adapter.records.files import SqlFileStore
from tests.buckets import S3Server
from tests.fakes import FakeClock, given_file, video_job
from tests.transactions import execute

NOW = 10_000_000.0
DAY = 86_400.0
RETENTION = Retention(keep=DAY, replay=3 * DAY)


@pytest.fixture
def clock() -> FakeClock:
    """Time, long after everything else."""
    return FakeClock(at=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are."""
    return tmp_path / "media"


@pytest.fixture
def media(folder: Path) -> ObjectMediaStore:
    """A folder's store."""
    return open_media(f"file://{folder}")


@pytest.fixture
def jobs(database: Database) -> SqlJobStore:
    """The memory of work, empty."""
    return SqlJobStore(database)


@pytest.fixture
def janitor(media: ObjectMediaStore, jobs: SqlJobStore, clock: FakeClock) -> Janitor:
    """One that keeps files for a day and lets videos wait for three."""
    return Janitor(media, jobs, clock, RETENTION)


def lay(folder: Path, name: str, *, age: float, size: int = 10) -> Path:
    """Put a file there that was stored so many seconds ago."""
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(bytes(size))
    os.utime(file, (NOW - age, NOW - age))
    return file


def names(folder: Path) -> list[str]:
    """Return what is there."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


async def remember(jobs: SqlJobStore, job: VideoJob, state: VideoJob) -> None:
    """Store a job, and then as it stands."""
    await jobs.admit(job, now=NOW - 100 * DAY)
    [claim] = [held for held in await jobs.claim(now=NOW, lease=10.0, limit=100) if held.job.id == job.id]
    await jobs.save([Write(claim, state, NOW)])


def submitted(job: VideoJob) -> VideoJob:
    """Return a job that is being made."""
    return advance(advance(job, Intended("first")), Submitted(Operation("op", job.mark), NOW - 100 * DAY))


def completed(job: VideoJob, *, ago: float) -> VideoJob:
    """Return a job whose video came home so many seconds ago."""
    media = StoredVideo(video=f"{job.stem}.mp4", poster=None, size=10, sha256="00")
    return advance(advance(submitted(job), Rendered(RemoteVideo("u"))), Stored(media, NOW - ago))


def failed(job: VideoJob) -> VideoJob:
    """Return a job that came to nothing."""
    return advance(submitted(job), Failed(Failure.of(JobFailed("no")), NOW - 2 * DAY))


async def test_old_files_go_and_young_ones_stay(janitor: Janitor, folder: Path) -> None:
    """Pictures belong to no job."""
    lay(folder, f"{'a' * 32}.png", age=DAY + 1)
    lay(folder, f"{'b' * 32}.png", age=DAY - 1)
    with capture_logs() as logs:
        await janitor.run_once()

    assert names(folder) == [f"{'b' * 32}.png"]
    assert logs == [
        {
            "event": "janitor.round",
            "log_level": "info",
            "files": 2,
            "deleted": 1,
            "bytes": 10,
            "spared": 0,
            "seconds": 0.0,
        }
    ]


@pytest.mark.parametrize(
    "name",
    [
        "adapter.db",
        "holiday.mp4",
        f"{'a' * 31}.mp4",
        f"{'a' * 32}.db",
        f"{'A' * 32}.mp4",
        f"{'a' * 32}.mp4#1",
        f"{'a' * 33}.mp4",
        f"sub/{'a' * 32}.mp4",
        "a" * 32,
    ],
)
async def test_what_is_not_called_as_ours_stays(janitor: Janitor, folder: Path, name: str) -> None:
    """The folder may be somebody else's too, and an upload in progress is not a file yet."""
    lay(folder, name, age=100 * DAY)
    await janitor.run_once()

    assert names(folder) == [name]


async def test_the_files_of_a_job_that_is_not_over_stay(janitor: Janitor, jobs: SqlJobStore, folder: Path) -> None:
    """However old: it will fetch them again, or say that they are whole."""
    accepted, running, over = (video_job(number) for number in (1, 2, 3))
    await jobs.admit(accepted, now=NOW - 100 * DAY)
    await remember(jobs, running, submitted(running))
    await remember(jobs, over, failed(over))
    for job in (accepted, running, over):
        lay(folder, f"{job.stem}.mp4", age=100 * DAY)
        lay(folder, f"{job.stem}.jpg", age=100 * DAY)
    await janitor.run_once()

    assert {name.partition(".")[0] for name in names(folder)} == {accepted.stem, running.stem}
    assert len(names(folder)) == 4


@pytest.mark.parametrize(
    ("finished", "delivered", "stays"),
    [
        (2 * DAY, None, True),
        (3 * DAY + GRACE_SECONDS / 2, None, True),
        (3 * DAY + GRACE_SECONDS + 1, None, False),
        (2 * DAY, 2 * DAY, False),
        (2 * DAY, DAY / 2, True),
        (30 * DAY, DAY / 2, True),
        (30 * DAY, DAY + 1, False),
    ],
    ids=[
        "nobody was given it",
        "somebody may just have found it",
        "nobody will be given it",
        "it was given long ago",
        "it waited and was given lately",
        "it was found in the last moment",
        "it waited and was given long ago",
    ],
)
async def test_a_finished_video_stays_until_it_was_given_and_fetched(
    janitor: Janitor, jobs: SqlJobStore, folder: Path, finished: float, delivered: float | None, stays: bool
) -> None:
    """For the replay window until it is given, and for the retention from then on."""
    job = video_job(1)
    await remember(jobs, job, completed(job, ago=finished))
    if delivered is not None:
        await jobs.mark_delivered(job.id, now=NOW - delivered)
    lay(folder, f"{job.stem}.mp4", age=finished)
    await janitor.run_once()

    assert names(folder) == ([f"{job.stem}.mp4"] if stays else [])


async def test_the_files_of_a_job_in_words_of_a_newer_version_stay(
    janitor: Janitor, jobs: SqlJobStore, database: Database, folder: Path
) -> None:
    """Two versions run side by side during an update."""
    job = video_job(1)
    await jobs.admit(job, now=NOW)
    newer = msgspec.json.encode(job).replace(b'"accepted"', b'"dreaming"')
    await execute(database, JOBS.update().values(document=newer))
    lay(folder, f"{job.stem}.mp4", age=100 * DAY)
    await janitor.run_once()

    assert names(folder) == [f"{job.stem}.mp4"]


class Meanwhile:
    """A media store during whose listing something happens elsewhere."""

    def __init__(self, media: ObjectMediaStore, happens: Callable[[], Awaitable[None]]) -> None:
        self._media = media
        self._happens = happens
        self.put, self.find, self.read, self.delete = media.put, media.find, media.read, media.delete

    async def list(self) -> AsyncIterator[Sequence[StoredFile]]:
        async for page in self._media.list():
            yield page
        await self._happens()


@pytest.mark.parametrize("given", [False, True])
async def test_a_job_that_ends_while_files_are_listed_keeps_its_files(
    media: ObjectMediaStore, jobs: SqlJobStore, clock: FakeClock, folder: Path, given: bool
) -> None:
    """The list has the old file; the job fetched it anew since."""
    job = video_job(1)
    lay(folder, f"{job.stem}.mp4", age=100 * DAY)

    async def end() -> None:
        await remember(jobs, job, completed(job, ago=0.0))
        if given:
            await jobs.mark_delivered(job.id, now=NOW)

    await Janitor(Meanwhile(media, end), jobs, clock, RETENTION).run_once()

    assert names(folder) == [f"{job.stem}.mp4"]


async def test_a_file_that_vanishes_meanwhile_is_no_fault(
    media: ObjectMediaStore, jobs: SqlJobStore, clock: FakeClock, folder: Path
) -> None:
    """Another process's janitor was faster; the others go all the same."""
    for number in range(30):
        lay(folder, f"{number:032x}.png", age=2 * DAY)

    async def other() -> None:
        for number in range(0, 30, 3):
            (folder / f"{number:032x}.png").unlink()

    await Janitor(Meanwhile(media, other), jobs, clock, RETENTION).run_once()

    assert names(folder) == []


async def test_thousands_of_files_are_asked_about_and_deleted_in_batches(
    janitor: Janitor, folder: Path, jobs: SqlJobStore
) -> None:
    """Listing goes on while files disappear under it."""
    live = video_job(BATCH)
    await jobs.admit(live, now=NOW)
    for number in range(2 * BATCH + 500):
        lay(folder, f"{number:032x}.png", age=2 * DAY)
    await janitor.run_once()

    assert names(folder) == [f"{live.stem}.png"]


async def test_a_bucket_is_tidied_too(s3: S3Server, jobs: SqlJobStore, clock: FakeClock) -> None:
    """By its own clock, which is today's: everything is old to a janitor of the far future."""
    bucket = s3.new_bucket()
    media = open_media(f"s3://{bucket}/media", s3.access())
    live = video_job(1)
    await jobs.admit(live, now=NOW)
    for stem in ("a" * 32, live.stem):
        await media.put(f"{stem}.mp4", once(b"x"))
    await clock.advance(1e11)
    await Janitor(media, jobs, clock, RETENTION).run_once()

    assert s3.names(bucket) == [f"media/{live.stem}.mp4"]


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield it."""
    yield data


async def test_it_goes_round_soon_and_then_once_an_hour(
    media: ObjectMediaStore, jobs: SqlJobStore, clock: FakeClock
) -> None:
    """A round that fails is not the last."""
    rounds: list[float] = []

    async def note() -> None:
        rounds.append(clock.now() - NOW)
        if len(rounds) == 1:
            raise StorageFailed("gone")

    with capture_logs() as logs:
        running = asyncio.create_task(Janitor(Meanwhile(media, note), jobs, clock, RETENTION).run())
        await clock.advance(0)
        async with asyncio.timeout(10):
            for number, seconds in enumerate((FIRST_SECONDS, ROUND_SECONDS, ROUND_SECONDS), start=1):
                await clock.advance(seconds)
                while len(logs) < number:
                    await asyncio.sleep(0)
                await clock.advance(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert rounds == [FIRST_SECONDS, FIRST_SECONDS + ROUND_SECONDS, FIRST_SECONDS + 2 * ROUND_SECONDS]
    assert [log["event"] for log in logs] == ["janitor.round_failed", "janitor.round", "janitor.round"]


async def test_an_uploaded_file_lives_as_long_as_its_owner_says(
    media: ObjectMediaStore, jobs: SqlJobStore, database: Database, clock: FakeClock, folder: Path
) -> None:
    """However old; a file that nobody remembers does not."""
    files = SqlFileStore(database)
    file = given_file(1, at=0.0)
    await files.add(file)
    lay(folder, file.name, age=100 * DAY)
    lay(folder, given_file(2).name, age=100 * DAY)
    await Janitor(media, jobs, clock, RETENTION, [files]).run_once()

    assert names(folder) == [file.name]
