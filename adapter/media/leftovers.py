"""Leftovers: files that nothing in the database owns, because a process died between a file and its row."""

from collections.abc import Sequence

import msgspec
import structlog

from adapter.domain.ports import Clock, FileRegistry, MediaStore
from adapter.domain.stored_files import StoredFile, is_a_part, is_ours, stem_of
from adapter.media.periodic import run_periodically

log = structlog.get_logger()

FIRST_SECONDS = 600.0
DAY_SECONDS = 86_400.0
#: A file is stored before its row is written, so a young file may get its owner yet. That takes seconds. A day allows
#: for clocks that differ and for a process that stood still.
SAFE_SECONDS = DAY_SECONDS
#: If more files than both of these have no owner, the operator is asked: the folder may be another database's.
FEW = 20
MOST_SHARE = 0.2
#: Files in one question to the database, and in one deletion.
BATCH = 1000


class MediaReport(msgspec.Struct, kw_only=True):
    """What the media store holds, and what it lacks."""

    files: int = 0
    bytes: int = 0
    #: A row of the database owns them.
    owned: int = 0
    #: Pictures behind links that clients have. They have no row, and stay for `storage.retention_days`.
    links: int = 0
    #: They have no owner, and are so young that they may get one.
    young: int = 0
    #: Their names are not ours.
    foreign: int = 0
    #: They have no owner and will get none.
    without_owner: list[str] = msgspec.field(default_factory=list)
    deleted: int = 0
    #: The database knows them, and they are not there.
    missing: list[str] = msgspec.field(default_factory=list)


class Leftovers:
    """Compares the media store with the database, and deletes files without an owner once a day.

    It is safe beside other processes: it lists the files, then asks the database about them. A row that is written
    after the question is of a file that was stored a moment before, and a young file is left alone.
    """

    def __init__(
        self, media: MediaStore, registry: FileRegistry, clock: Clock, *, safe_seconds: float = SAFE_SECONDS
    ) -> None:
        self._media = media
        self._registry = registry
        self._clock = clock
        self._safe_seconds = safe_seconds

    async def run(self) -> None:
        """Run until cancelled. It may be cancelled at any moment."""
        await run_periodically(
            self.run_once, self._clock, first=FIRST_SECONDS, failed="leftovers.round_failed", every=DAY_SECONDS
        )

    async def run_once(self) -> None:
        """Look at every file once, and delete those without an owner, unless they are suspiciously many.

        Raises:
            StorageFailed: the files or the database cannot be looked at; they wait for the next round.
        """
        report = await self.look()
        found = len(report.without_owner)
        if found > max(FEW, MOST_SHARE * report.owned):
            log.error("leftovers.too_many", files=report.files, owned=report.owned, without_owner=found)
            return
        await self.delete(report)
        log.info("leftovers.round", files=report.files, deleted=report.deleted)

    async def check(self, *, since: float = 0.0) -> MediaReport:
        """Return what is there and what is missing; files of jobs that were completed before `since` may be gone.

        Raises:
            StorageFailed: the files or the database cannot be looked at.
        """
        expected = self._registry.expected(since=since, now=self._clock.now())
        wanted = {name async for page in expected for name in page}
        present: set[str] = set()
        report = await self.look(present)
        # Asked for again: a file may have been stored while others were listed.
        report.missing = [name for name in sorted(wanted - present) if await self._media.find(name) is None]
        return report

    async def look(self, present: set[str] | None = None) -> MediaReport:
        """Look at every file; put the names into `present`.

        Raises:
            StorageFailed: the files or the database cannot be looked at.
        """
        report, ours = MediaReport(), list[StoredFile]()
        async for page in self._media.list():
            if present is not None:
                present.update(file.name for file in page)
            report.files += len(page)
            report.bytes += sum(file.size for file in page)
            known = [file for file in page if is_ours(file.name)]
            report.foreign += len(page) - len(known)
            ours += known
            if len(ours) >= BATCH:
                await self._sort(ours, report)
                ours = []
        await self._sort(ours, report)
        return report

    async def _sort(self, files: Sequence[StoredFile], report: MediaReport) -> None:
        if not files:
            return
        known = await self._registry.ownership({stem_of(file.name) for file in files})
        for file in files:
            stem = stem_of(file.name)
            if stem in known.owned:
                report.owned += 1
            elif not is_a_part(file.name) and stem not in known.given_up:
                report.links += 1
            elif file.modified_at > self._clock.now() - self._safe_seconds:
                report.young += 1
            else:
                report.without_owner.append(file.name)

    async def delete(self, report: MediaReport) -> None:
        """Delete the files of a report that have no owner.

        Raises:
            StorageFailed: the media store does not take it.
        """
        for start in range(0, len(report.without_owner), BATCH):
            batch = report.without_owner[start : start + BATCH]
            await self._media.delete(batch)
            report.deleted += len(batch)
