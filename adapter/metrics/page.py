"""The page that Prometheus reads."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from adapter.domain.ports import Clock
from adapter.errors import StorageFailed
from adapter.jobs.census import JobCount
from adapter.metrics.facts import Fact, job_facts

#: Reads facts of this process.
Source = Callable[[], Iterable[Fact]]
#: Writes the page: what was counted, and these facts.
WritePage = Callable[[Iterable[Fact]], bytes]
#: Counts the live jobs in the database.
Census = Callable[[], Awaitable[Sequence[JobCount]]]


class MetricsPage:
    """Puts together what was counted and what is read at the moment."""

    def __init__(self, write: WritePage, clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._sources: Sequence[Source] = ()
        self._census: Census | None = None

    def open(self, sources: Sequence[Source], census: Census) -> None:
        """Take what is read, once everything is open."""
        self._sources = sources
        self._census = census

    async def read(self) -> bytes:
        """Return the page. A database that cannot be read makes it shorter, and is no error."""
        facts = [fact for source in self._sources for fact in source()]
        facts += await self._jobs()
        # Some thousand series take about 10 ms to write, for which the event loop should not stand.
        return await asyncio.to_thread(self._write, facts)

    async def _jobs(self) -> Sequence[Fact]:
        if self._census is None:
            return []
        try:
            counts = await self._census()
        except StorageFailed:
            return [Fact("database_readable", 0.0)]
        return [Fact("database_readable", 1.0), *job_facts(counts, self._clock.now())]
