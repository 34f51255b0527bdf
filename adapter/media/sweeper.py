"""The sweeper: deletes the files and rows of entries that were deleted or have expired."""

from collections.abc import Sequence

import structlog

from adapter.domain.ports import Clock, FileOwner, MediaStore
from adapter.media.periodic import run_periodically

log = structlog.get_logger()

FIRST_SECONDS = 40.0
#: Entries that are removed at once.
BATCH = 500
#: How long a deleted entry stays in the table, in seconds: a client may be turning the pages of a list.
GRACE_SECONDS = 3600.0


class Sweeper:
    """Runs once an hour, in one process or several. It deletes files before rows, so it may be stopped at any time."""

    def __init__(self, media: MediaStore, file_owners: Sequence[FileOwner], clock: Clock) -> None:
        self._media = media
        self._keepers = file_owners
        self._clock = clock

    async def run(self) -> None:
        """Run until cancelled. It may be cancelled at any moment."""
        await run_periodically(self.run_once, self._clock, first=FIRST_SECONDS, failed="sweeper.round_failed")

    async def run_once(self) -> None:
        """Ask every `FileOwner` once.

        Raises:
            StorageFailed: the files or the entries cannot be removed; they wait for the next round.
        """
        before = self._clock.now() - GRACE_SECONDS
        removed = sum([await self._sweep(file_owner, before) for file_owner in self._keepers])
        if removed:
            log.info("sweeper.round", removed=removed)

    async def _sweep(self, file_owner: FileOwner, before: float) -> int:
        removed = 0
        while gone := await file_owner.deleted_entries(before=before, limit=BATCH):
            await self._media.delete([name for each in gone for name in each.files])
            await file_owner.forget([each.id for each in gone])
            removed += len(gone)
        return removed
