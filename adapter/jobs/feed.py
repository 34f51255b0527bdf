"""Tells the readers in this process that a job has changed. The store is the truth."""

import asyncio
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


class Topic:
    """The newest state of one watched job, for all its readers (the port `Subscription`).

    A slow reader misses states in between, and they do not pile up.
    """

    __slots__ = ("_changed", "_clock", "_is_closed", "_newest", "readers")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: Set with the next news, and then replaced.
        self._changed = asyncio.Event()
        self._newest: Job | None = None
        self._is_closed = False
        self.readers = 0

    def put(self, job: Job) -> None:
        """Replace the newest state, if this one is news: states come by two ways, and each reader has them read again.

        Readers share the object of a state, so one that tells nothing else does not replace it.
        """
        if self._newest is None or job.is_news_to(self._newest):
            self._newest = job
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    def shared(self, known: J) -> J:
        """Return the one object of a state (the port `Subscription`)."""
        if self._newest is None:
            self._newest = known
        is_same = not (self._newest.is_news_to(known) or known.is_news_to(self._newest))
        return cast("J", self._newest) if is_same else known  # an id has one kind of job

    def close(self) -> None:
        """Let the readers go."""
        self._is_closed = True
        self._changed.set()

    async def next(self, known: J, within: float) -> J | None:
        """Return the newest state, if it is news (the port `Subscription`)."""
        until = self._clock.now() + within
        while True:
            if self._is_closed:
                raise draining()
            if self._newest is not None and self._newest.is_news_to(known):
                return cast("J", self._newest)  # an id has one kind of job
            # A state that is no news to this reader has woken it.
            left = until - self._clock.now()
            if left <= 0 or not await self._clock.wait(self._changed, left):
                return None


class LocalFeed:
    """The feed of one process (the port `JobFeed`), and which jobs are to be looked at for its readers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._topics: dict[str, Topic] = {}
        self._closed = False
        #: Jobs that are to be looked at, in the order of asking; the event is set while there are some.
        self._wanted: dict[str, None] = {}
        self._is_wanted = asyncio.Event()
        #: Watched jobs without news since `want_unheard` was called.
        self._unheard: set[str] = set()

    @property
    def watched(self) -> Collection[str]:
        """The ids of the jobs that are watched at the moment. The collection changes with them."""
        return self._topics.keys()

    def publish(self, job: Job) -> None:
        """Tell everybody who watches this job (the port of that name)."""
        self._unheard.discard(job.id)
        if (topic := self._topics.get(job.id)) is not None:
            topic.put(job)

    @contextmanager
    def subscribe(self, job_id: str) -> Iterator[Subscription]:
        """Watch a job (the port of that name)."""
        topic = self._topics.setdefault(job_id, Topic(self._clock))
        if self._closed:
            topic.close()
        topic.readers += 1
        self.want([job_id])
        try:
            yield topic
        finally:
            topic.readers -= 1
            if not topic.readers:
                del self._topics[job_id]

    def want(self, job_ids: Iterable[str]) -> None:
        """Have jobs looked at."""
        self._wanted |= dict.fromkeys(job_ids)
        if self._wanted:
            self._is_wanted.set()

    def want_unheard(self) -> None:
        """Have those watched jobs looked at that had no news since the call before."""
        self.want(self._unheard.intersection(self._topics))
        self._unheard = set(self._topics)

    async def wanted(self, limit: int) -> Collection[str]:
        """Wait until jobs have to be read, and return up to `limit` that are watched."""
        await self._is_wanted.wait()
        some = list(islice(self._wanted, limit))
        for job_id in some:
            del self._wanted[job_id]
        if not self._wanted:
            self._is_wanted.clear()
        return [job_id for job_id in some if job_id in self._topics]

    def check_open(self) -> None:
        """Return if there are still readers to come (the port of that name)."""
        if self._closed:
            raise draining()

    def close(self) -> None:
        """Let every reader go, now and later: the process is shutting down."""
        self._closed = True
        for topic in self._topics.values():
            topic.close()


def draining() -> Draining:
    """Say what a reader is told when the process is shutting down."""
    message = "The server is restarting. Ask again: a running job goes on and is found again."
    return Draining(message, retry_after=RETRY_SECONDS)
