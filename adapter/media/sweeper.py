"""The sweeper: removes what its owner deleted, or what has expired, for good."""

from collections.abc import Sequence

import structlog

from adapter.domain.ports import Clock, FileOwner, MediaStore
from adapter.media.periodic import run_periodically

log = structlog.get_logger()

FIRST_SECONDS = 40.0
#: Entries that are removed at once.
BATCH = 500
#: What is gone stays known for so long: it may be where somebody's list goes on.
GRACE_SECONDS = 3600.0


class Sweeper:
    """Goes round once an hour. Several processes may, and any may be stopped: files go first, then who names them."""

    def __init__(self, media: MediaStore, file_owners: Sequence[FileOwner], clock: Clock) -> None:
        self._media = media
        self._keepers = file_owners
        self._clock = clock

    async def run(self) -> None:
        """Keep on until cancelled, which is safe at any moment."""
        await run_periodically(self.run_once, self._clock, first=FIRST_SECONDS, failed="sweeper.round_failed")

    async def run_once(self) -> None:
        """Ask every keeper once.

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
