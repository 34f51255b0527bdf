"""Readiness: whether new work should be sent to this process. It is tried out by writing."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping

import structlog

from adapter.domain.ports import Clock, JobFeed
from adapter.errors import NotReady, StorageFailed, StorageReason
from adapter.tasks import Tasks, all_of

log = structlog.get_logger()

#: A result is good for so many seconds, for all who ask.
SHARED_SECONDS = 1.0
#: The time limit of a probe, in seconds: shorter than that of most load balancers.
PROBE_SECONDS = 1.5

#: Writes something of no meaning. Raises StorageFailed.
Probe = Callable[[], Coroutine[None, None, None]]


class Readiness:
    """Tries the stores out, at most once a second for all who ask."""

    def __init__(self, probes: Mapping[str, Probe], feed: JobFeed, clock: Clock) -> None:
        """Take the probes by the first word of their reasons, such as `database`."""
        self._tasks = Tasks("readiness")
        self._probes = [_SharedProbe(name, probe, clock, self._tasks) for name, probe in probes.items()]
        self._feed = feed
        self._told: str | None = None

    async def check(self) -> None:
        """Return if new work can be taken.

        Raises:
            NotReady: a store takes nothing; the code says which and why, such as `media_full`.
            Draining: the process is shutting down.
        """
        self._feed.check_open()
        reasons = await all_of([probe.reason() for probe in self._probes])
        reason = next(filter(None, reasons), None)
        if reason != self._told:
            self._told = reason
            log.warning("server.ready_again" if reason is None else "server.not_ready", reason=reason)
        if reason is not None:
            raise NotReady(reason)

    async def close(self) -> None:
        """End the probes that are under way."""
        await self._tasks.cancel()


class _SharedProbe:
    """One probe. It is never run twice at once: one that stands still would pile up."""

    def __init__(self, name: str, probe: Probe, clock: Clock, tasks: Tasks) -> None:
        self._name = name
        self._probe = probe
        self._clock = clock
        self._tasks = tasks
        self._began_at: float | None = None
        self._done = asyncio.Event()
        self._reason: str | None = None

    async def reason(self) -> str | None:
        """Return why the store takes nothing; None if it does."""
        now = self._clock.now()
        if self._began_at is None or (self._done.is_set() and not 0 <= now - self._began_at < SHARED_SECONDS):
            self._began_at = now
            self._done.clear()
            self._tasks.start(self._run())
        left = self._began_at + PROBE_SECONDS - now
        if not self._done.is_set() and (left <= 0 or not await self._clock.wait(self._done, left)):
            return f"{self._name}_{StorageReason.SLOW}"
        return self._reason

    async def _run(self) -> None:
        self._reason = f"{self._name}_{StorageReason.UNAVAILABLE}"  # of a probe that crashes
        try:
            await self._probe()
        except StorageFailed as fault:
            self._reason = f"{self._name}_{fault.reason}"
        else:
            self._reason = None
        finally:
            self._done.set()
