"""Job changes to their readers, inside this process. A convenience: the store is the truth."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from adapter.domain.job import VideoJob
from adapter.domain.ports import Clock, Subscription
from adapter.errors import Draining

#: When to ask again: behind a load balancer another process answers at once, a single one is back after a start.
RETRY_SECONDS = 2.0


class Slot:
    """One reader's place for the newest state. A slow reader misses states in between and never piles them up."""

    __slots__ = ("_changed", "_clock", "_closed", "_newest")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = asyncio.Event()
        self._newest: VideoJob | None = None
        self._closed = False

    def put(self, job: VideoJob) -> None:
        """Replace what the reader has not seen yet, unless that is newer: it may come by two ways."""
        if self._newest is not None and job.is_older_than(self._newest):
            return
        self._newest = job
        self._changed.set()

    def close(self) -> None:
        """Let the reader go."""
        self._closed = True
        self._changed.set()

    async def next(self, within: float) -> VideoJob | None:
        """Return the newest state, or None after that many seconds (the port `Subscription`)."""
        await self._clock.wait(self._changed, within)
        if self._closed:
            raise draining()
        self._changed.clear()
        newest, self._newest = self._newest, None
        return newest


class LocalFeed:
    """The feed of one process (the port `JobFeed`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots: defaultdict[str, set[Slot]] = defaultdict(set)
        self._closed = False

    @property
    def watched(self) -> Collection[str]:
        """The ids of the jobs that somebody watches at the moment; it changes with them."""
        return self._slots.keys()

    def publish(self, job: VideoJob) -> None:
        """Tell everybody who watches this job (the port of that name)."""
        for slot in self._slots.get(job.id, ()):
            slot.put(job)

    @contextmanager
    def subscribe(self, job_id: str) -> Iterator[Subscription]:
        """Watch a job (the port of that name)."""
        slot = Slot(self._clock)
        if self._closed:
            slot.close()
        self._slots[job_id].add(slot)
        try:
            yield slot
        finally:
            self._slots[job_id].discard(slot)
            if not self._slots[job_id]:
                del self._slots[job_id]

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
