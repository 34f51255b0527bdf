"""Counts finished work in the table of usage. Pictures are gathered in memory, and written together."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy import Connection

from adapter.domain.finished_work import FinishedWork
from adapter.domain.ports import Clock, UsageRecorder, UsageStore
from adapter.domain.spending import Spending
from adapter.domain.telemetry import NoUsage
from adapter.domain.usage_counts import UsageCounts, UsageLabels, counts_of, labels_of, summed
from adapter.errors import StorageFailed
from adapter.records.usage import add_in

log = structlog.get_logger()

#: Pictures are written after so many seconds. A process that is killed loses the count of those.
WRITE_SECONDS = 2.0
#: Old rows are looked for after so many seconds.
SWEEP_SECONDS = 3600.0


class CountedWork:
    """Counts what another recorder allows (the port `UsageRecorder`)."""

    def __init__(self, inner: UsageRecorder | None = None) -> None:
        """Take the recorder that allows; None: everything is allowed."""
        self._inner = inner or NoUsage()
        self._gathered: dict[UsageLabels, UsageCounts] = {}

    async def record(self, spending: Spending) -> None:
        """Pass it on (the port of that name)."""
        await self._inner.record(spending)

    def record_in(self, transaction: object, spending: Spending) -> None:
        """Pass it on (the port of that name)."""
        self._inner.record_in(transaction, spending)

    async def finished(self, work: FinishedWork) -> None:
        """Gather pictures (the port of that name): an addition in memory."""
        self.gather({labels_of(work): counts_of(work)})
        await self._inner.finished(work)

    def finished_in(self, transaction: object, works: Sequence[FinishedWork]) -> None:
        """Write jobs (the port of that name)."""
        self._inner.finished_in(transaction, works)
        if isinstance(transaction, Connection):
            add_in(transaction, summed(works))

    def gather(self, sums: Mapping[UsageLabels, UsageCounts]) -> None:
        """Add to what waits to be written."""
        for labels, counts in sums.items():
            self._gathered[labels] = self._gathered.get(labels, UsageCounts()) + counts

    def take(self) -> Mapping[UsageLabels, UsageCounts]:
        """Return what waits to be written. The caller writes it, or gathers it again."""
        taken, self._gathered = self._gathered, {}
        return taken


class UsageWriter:
    """Writes what was gathered, until it is closed, and deletes old rows."""

    def __init__(self, work: CountedWork, store: UsageStore, clock: Clock, *, keep_seconds: float) -> None:
        """Take what to write and where, and how long rows are kept, in seconds; 0 keeps them for ever."""
        self._work = work
        self._store = store
        self._clock = clock
        self._keep = keep_seconds
        self._closed = asyncio.Event()
        self._sweep_at = clock.now()

    async def run(self) -> None:
        """Write from time to time, until it is closed. It is not cancelled: a row may be just being written."""
        while not await self._clock.wait(self._closed, WRITE_SECONDS):
            await self.run_once()

    def close(self) -> None:
        """Let `run` end."""
        self._closed.set()

    async def run_once(self) -> None:
        """Write what was gathered. What the database does not take waits for the next time."""
        try:
            await self._write()
            if self._keep and self._clock.now() >= self._sweep_at:
                self._sweep_at = self._clock.now() + SWEEP_SECONDS
                await self._store.forget(before=self._clock.now() - self._keep)
        except StorageFailed as fault:
            log.warning("usage.not_written", code=fault.code)

    async def _write(self) -> None:
        taken = self._work.take()
        if not taken:
            return
        try:
            await self._store.add(taken)
        except StorageFailed:
            self._work.gather(taken)
            raise
