"""Tells the readers in this process that a job has changed. The store is the truth."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import cast

from adapter.domain.job import Job
from adapter.domain.job_kinds import J
from adapter.domain.ports import Clock, Subscription
from adapter.errors import Draining

#: When to ask again: behind a load balancer another process answers at once, a single one is back after a start.
RETRY_SECONDS = 2.0


class Slot:
    """One reader's slot for the newest state. A slow reader misses states in between, and they do not pile up."""

    __slots__ = ("_changed", "_clock", "_closed", "_known", "_newest")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: Set while there is a new state.
        self._changed = asyncio.Event()
        self._known: Job | None = None
        self._newest: Job | None = None
        self._closed = False

    def put(self, job: Job) -> None:
        """Replace the state that the reader has not read, unless that one is newer: states come by two ways."""
        if self._newest is not None and job.is_older_than(self._newest):
            return
        self._newest = job
        if self._known is not None and job.is_news_to(self._known):
            self._changed.set()

    def close(self) -> None:
        """Let the reader go."""
        self._closed = True
        self._changed.set()

    async def next(self, known: J, within: float) -> J | None:
        """Return the newest state, if it is news (the port `Subscription`)."""
        self._known = known
        if self._newest is not None and self._newest.is_news_to(known):
            self._changed.set()
        elif not self._closed:
            self._changed.clear()
        await self._clock.wait(self._changed, within)
        if self._closed:
            raise draining()
        if not self._changed.is_set():
            return None
        self._changed.clear()
        newest, self._newest = self._newest, None
        return cast("J | None", newest)  # an id has one kind of job


class LocalFeed:
    """The feed of one process (the port `JobFeed`), and which jobs are to be looked at for its readers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots: defaultdict[str, set[Slot]] = defaultdict(set)
        self._closed = False
        #: Jobs that are to be looked at, in the order of asking; the event is set while there are some.
        self._wanted: dict[str, None] = {}
        self._is_wanted = asyncio.Event()
        #: Watched jobs without news since `want_unheard` was called.
        self._unheard: set[str] = set()

    @property
    def watched(self) -> Collection[str]:
        """The ids of the jobs that are watched at the moment. The collection changes with them."""
        return self._slots.keys()

    def publish(self, job: Job) -> None:
        """Tell everybody who watches this job (the port of that name)."""
        self._unheard.discard(job.id)
        for slot in self._slots.get(job.id, ()):
            slot.put(job)

    @contextmanager
    def subscribe(self, job_id: str) -> Iterator[Subscription]:
        """Watch a job (the port of that name)."""
        slot = Slot(self._clock)
        if self._closed:
            slot.close()
        self._slots[job_id].add(slot)
        self.want([job_id])
        try:
            yield slot
        finally:
            self._slots[job_id].discard(slot)
            if not self._slots[job_id]:
                del self._slots[job_id]

    def want(self, job_ids: Iterable[str]) -> None:
        """Have jobs looked at."""
        self._wanted |= dict.fromkeys(job_ids)
        if self._wanted:
            self._is_wanted.set()

    def want_unheard(self) -> None:
        """Have those watched jobs looked at that had no news since the call before."""
        self.want(self._unheard.intersection(self._slots))
        self._unheard = set(self._slots)

    async def wanted(self, limit: int) -> Collection[str]:
        """Wait until jobs have to be read, and return up to `limit` that are watched."""
        await self._is_wanted.wait()
        some = list(islice(self._wanted, limit))
        for job_id in some:
            del self._wanted[job_id]
        if not self._wanted:
            self._is_wanted.clear()
        return [job_id for job_id in some if job_id in self._slots]

    def check_open(self) -> None:
        """Return if there are still readers to come (the port of that name)."""
        if self._closed:
            raise draining()

    def close(self) -> None:
        """Let every reader go, now and later: the process is shutting down."""
        self._closed = True
        for slots in self._slots.values():
            for slot in slots:
                slot.close()


def draining() -> Draining:
    """Say what a reader is told when the process is shutting down."""
    message = "The server is restarting. Ask again: a running job goes on and is found again."
    return Draining(message, retry_after=RETRY_SECONDS)
