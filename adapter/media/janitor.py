"""The janitor: deletes files that are older than `storage.retention_days`, and none that somebody still needs."""

import re
from collections.abc import Sequence

import msgspec
import structlog

from adapter.domain.media import MediaFormat
from adapter.domain.ports import Clock, FileOwner, JobStore, ListedFile, MediaStore
from adapter.domain.records import STEM_LENGTH
from adapter.media.periodic import run_periodically

log = structlog.get_logger()

FIRST_SECONDS = 30.0
#: Files of which the job store is asked, and which are deleted, at once.
BATCH = 1000
#: How far the clocks of processes and buckets may differ, and how long an upload may take: S3 dates it by its start.
GRACE_SECONDS = 3600.0
#: How our files are called: 128 random bits, which for a job's files are its `stem`. The folder may hold others' files.
OURS = re.compile(r"[0-9a-f]{32}([_-][0-9A-Za-z_-]{1,31})?\.[0-9a-z]{1,8}")


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long files are kept, in seconds."""

    keep: float
    #: How long a finished video that nobody was given answers the same wish.
    replay: float


class _Tally(msgspec.Struct):
    seen: int = 0
    deleted: int = 0
    deleted_bytes: int = 0
    spared: int = 0


class Janitor:
    """Goes round once an hour. Several processes may: what is gone already is no fault.

    The order of its questions makes it safe beside jobs that move meanwhile: first the clock, then the list of files,
    then, for the old ones, the jobs, and at last the deletion. A job that is admitted after the question draws its stem
    then, so no file in the list can have it. One that is live when asked about is spared with all its files, however
    old, whether it ends or fetches its file again before the deletion or after. One that ended since the clock was
    read is spared too: it may have fetched its file again since that was listed. One that ended earlier is spared while
    it may be handed out for the first time, and for the whole retention from then on. Anything else was stored, and
    could be fetched, for as long as the setting says.

    What a keeper has is none of its business: that lasts as long as its owner says, and the sweeper removes it.
    """

    def __init__(
        self,
        media: MediaStore,
        jobs: JobStore,
        clock: Clock,
        retention: Retention,
        file_owners: Sequence[FileOwner] = (),
    ) -> None:
        self._media = media
        self._jobs = jobs
        self._keepers = file_owners
        self._clock = clock
        self._retention = retention

    async def run(self) -> None:
        """Keep on until cancelled, which is safe at any moment."""
        await run_periodically(self.run_once, self._clock, first=FIRST_SECONDS, failed="janitor.round_failed")

    async def run_once(self) -> None:
        """Look at every file once.

        Raises:
            StorageFailed: the files or the jobs cannot be looked at; what was not deleted waits for the next round.
        """
        now = self._clock.now()
        tally = _Tally()
        old: list[ListedFile] = []
        async for page in self._media.list():
            tally.seen += len(page)
            old += [file for file in page if is_ours(file.name) and file.modified_at < now - self._retention.keep]
            if len(old) >= BATCH:
                await self._delete(old, now, tally)
                old = []
        await self._delete(old, now, tally)
        log.info(
            "janitor.round",
            files=tally.seen,
            deleted=tally.deleted,
            bytes=tally.deleted_bytes,
            spared=tally.spared,
            seconds=round(self._clock.now() - now, 3),
        )

    async def _delete(self, old: Sequence[ListedFile], now: float, tally: _Tally) -> None:
        if not old:
            return
        stems = {stem(file.name) for file in old}
        needed = await self._jobs.needed(
            stems,
            fresh_since=now - GRACE_SECONDS,
            waiting_since=now - self._retention.replay - GRACE_SECONDS,
            given_since=now - self._retention.keep,
        )
        kept = {each for file_owner in self._keepers for each in await file_owner.keeps(stems)}
        spared = {*needed, *kept}
        useless = [file for file in old if stem(file.name) not in spared]
        await self._media.delete([file.name for file in useless])
        tally.deleted += len(useless)
        tally.deleted_bytes += sum(file.size for file in useless)
        tally.spared += len(old) - len(useless)


def is_ours(name: str) -> bool:
    """Say whether a file is called as ours are."""
    return OURS.fullmatch(name) is not None and MediaFormat.of_name(name) is not None


def stem(name: str) -> str:
    """Return the part of our file's name by which its job knows it."""
    return name[:STEM_LENGTH]
