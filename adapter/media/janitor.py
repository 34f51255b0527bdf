"""The janitor: deletes files that are older than `storage.retention_days` and that no job needs any more."""

from collections.abc import Sequence

import msgspec
import structlog

from adapter.domain.ports import Clock, FileOwner, JobStore, MediaStore
from adapter.domain.stored_files import StoredFile, is_ours, stem_of
from adapter.media.periodic import run_periodically

log = structlog.get_logger()

FIRST_SECONDS = 30.0
#: Files in one question to the job store, and in one deletion.
BATCH = 1000
#: Allowance for clocks that differ and for slow uploads: S3 dates a file by the start of its upload.
GRACE_SECONDS = 3600.0


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long files are kept, in seconds."""

    keep: float
    #: How long a finished video that no client received answers a repeated request.
    replay: float


class _Tally(msgspec.Struct):
    seen: int = 0
    deleted: int = 0
    deleted_bytes: int = 0
    spared: int = 0


class Janitor:
    """Deletes old files once an hour. Several processes may do so at once: a file that is gone already is no error.

    It is safe while jobs change, because it works in this order: read the clock, list the files, ask the job store
    about the old ones, delete the rest.

    - A job that is admitted after the question gets a new random stem. No listed file has it.
    - A job that is live when asked about keeps all its files.
    - A job that ended after the clock was read keeps them too: it may have written a file after the list was made.
    - A job that ended before keeps them until its video was delivered, and from then on for the whole retention.
    - Every other file was stored, and could be downloaded, for as long as the setting says.

    Files of a `FileOwner` are left alone: the sweeper deletes them when their entries are deleted or expire.
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
        """Run until cancelled. It may be cancelled at any moment."""
        await run_periodically(self.run_once, self._clock, first=FIRST_SECONDS, failed="janitor.round_failed")

    async def run_once(self) -> None:
        """Look at every file once.

        Raises:
            StorageFailed: the files or the jobs cannot be looked at; what was not deleted waits for the next round.
        """
        now = self._clock.now()
        tally = _Tally()
        old: list[StoredFile] = []
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

    async def _delete(self, old: Sequence[StoredFile], now: float, tally: _Tally) -> None:
        if not old:
            return
        stems = {stem_of(file.name) for file in old}
        needed = await self._jobs.needed(
            stems,
            fresh_since=now - GRACE_SECONDS,
            waiting_since=now - self._retention.replay - GRACE_SECONDS,
            given_since=now - self._retention.keep,
        )
        kept = {each for file_owner in self._keepers for each in await file_owner.keeps(stems)}
        spared = {*needed, *kept}
        useless = [file for file in old if stem_of(file.name) not in spared]
        await self._media.delete([file.name for file in useless])
        tally.deleted += len(useless)
        tally.deleted_bytes += sum(file.size for file in useless)
        tally.spared += len(old) - len(useless)
