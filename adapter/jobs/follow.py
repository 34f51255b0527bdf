"""What other processes wrote, brought to the readers of this one."""

from collections.abc import Collection, Iterator
from contextlib import aclosing

import structlog

from adapter.database.changes import Changes
from adapter.domain.ports import Clock, JobStore
from adapter.errors import StorageFailed
from adapter.jobs.feed import LocalFeed

log = structlog.get_logger()

#: Jobs that are read in one query.
READ_LIMIT = 500


class Follower:
    """Looks again at the jobs that somebody here watches and another process may have moved."""

    def __init__(self, store: JobStore, feed: LocalFeed, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._feed = feed
        self._changes = changes
        self._clock = clock

    async def run(self) -> None:
        """Keep on without end."""
        async with aclosing(self._changes.heard(self._clock, self._feed.watched)) as heard:
            async for changed in heard:
                await self._tell(self._feed.watched if changed is None else changed)

    async def _tell(self, job_ids: Collection[str]) -> None:
        try:
            for some in _parts(sorted(job_ids)):
                for job in await self._store.get_many(some):
                    self._feed.publish(job)
        except StorageFailed as fault:
            # Readers look for themselves at their next heartbeat.
            log.warning("jobs.not_followed", jobs=len(job_ids), code=fault.code)


def _parts(job_ids: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(job_ids), READ_LIMIT):
        yield job_ids[at : at + READ_LIMIT]
