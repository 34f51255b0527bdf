"""What every step of a job works with."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES, counted
from adapter.domain.job import VideoJob
from adapter.domain.ports import Budget, Clock, Memory, Metrics, Tracer, VideoProvider
from adapter.domain.telemetry import NoMetrics, NoTracer
from adapter.errors import UpstreamCredential
from adapter.jobs.fetch import LONGEST_VIDEO
from adapter.jobs.job_writer import JobWriter
from adapter.jobs.poll_schedule import PollSchedule
from adapter.jobs.spool import Spool


class StepContext(msgspec.Struct, frozen=True, kw_only=True):
    """The outside world of the steps, and their times."""

    #: By the names that orders have for them.
    providers: Mapping[str, VideoProvider]
    memory: Memory
    clock: Clock
    schedule: PollSchedule
    #: Bytes of a video; a longer one is not stored.
    longest_video: int = LONGEST_VIDEO
    spool: Spool = msgspec.field(default_factory=Spool)
    metrics: Metrics = msgspec.field(default_factory=NoMetrics)
    tracer: Tracer = msgspec.field(default_factory=NoTracer)
    #: For answers that bring videos; None: they are not counted.
    budget: Budget | None = None

    @property
    def writer(self) -> JobWriter:
        """Writes what comes of a step."""
        return JobWriter(self.memory, self.clock, self.metrics, self.tracer)

    @asynccontextmanager
    async def answer_memory(self) -> AsyncIterator[None]:
        """Reserve memory for the answers that are read meanwhile, beyond what all of them have without a video."""
        if self.budget is None:
            yield
            return
        async with self.budget.reserve(0) as reservation:
            with counted(reservation, SMALL_ANSWER_BYTES):
                yield

    def provider_of(self, job: VideoJob) -> VideoProvider:
        """Return the provider of a job.

        Raises:
            UpstreamCredential: it is no longer configured.
        """
        name = job.order.provider
        if name not in self.providers:
            raise UpstreamCredential(f"The provider '{name}' is no longer configured.")
        return self.providers[name]
