"""Reads changed jobs from the store for all readers of this process."""

from collections.abc import Collection
from contextlib import aclosing

import structlog

from adapter.database.changes import Changes
from adapter.domain.ports import Clock, JobStore
from adapter.errors import StorageFailed
from adapter.jobs.feed import LocalFeed
from adapter.tasks import all_of

log = structlog.get_logger()

#: Jobs that are read in one query.
READ_LIMIT = 500
#: Between two tries to look.
RETRY_SECONDS = 1.0


class Follower:
    """Reads jobs for all who watch them, many in one query.

    A job is read when a reader comes, when another process has changed it, and after up to `silence` seconds without
    news, because a notification may be lost. A read that fails is tried again. Readers do not read themselves: ten
    thousand of them would need the database at the same moment, and many streams would end with a time-out.
    """

    def __init__(self, store: JobStore, feed: LocalFeed, changes: Changes, clock: Clock, *, silence: float) -> None:
        self._store = store
        self._feed = feed
        self._changes = changes
        self._clock = clock
        self._silence = silence

    async def run(self) -> None:
        """Run until cancelled."""
        await all_of([self._look(), self._listen(), self._break_silence()])

    async def _listen(self) -> None:
        async with aclosing(self._changes.listen(self._clock, self._feed.watched)) as listen:
            async for changed in listen:
                self._feed.want(self._feed.watched if changed is None else changed)

    async def _break_silence(self) -> None:
        while True:
            # A job that was heard of between two of these moments is wanted at the one after the next.
            await self._clock.sleep(self._silence / 2)
            self._feed.want_unheard()

    async def _look(self) -> None:
        while True:
            job_ids = await self._feed.wanted(READ_LIMIT)
            if job_ids and not await self._tell(job_ids):
                self._feed.want(job_ids)
                await self._clock.sleep(RETRY_SECONDS)

    async def _tell(self, job_ids: Collection[str]) -> bool:
        try:
            jobs = await self._store.get_many(job_ids)
        except StorageFailed as fault:
            log.warning("jobs.not_followed", jobs=len(job_ids), code=fault.code)
            return False
        for job in jobs:
            self._feed.publish(job)
        return True
