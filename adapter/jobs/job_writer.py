"""Writes the result of a step, and tells the readers."""

from collections.abc import Mapping, Sequence
from typing import Generic

import structlog

from adapter.domain.job import Job, VideoJob
from adapter.domain.job_kinds import J
from adapter.domain.ports import Claim, Clock, Memory, Metrics, Tracer, Write
from adapter.domain.telemetry import COMPLETED, execution_attributes, labels_of

log = structlog.get_logger()


class JobWriter(Generic[J]):
    """Writes claimed jobs; everything that a step changes goes through here."""

    def __init__(self, memory: Memory[J], clock: Clock, metrics: Metrics, tracer: Tracer) -> None:
        self._memory = memory
        self._clock = clock
        self._metrics = metrics
        self._tracer = tracer

    def next(self, claim: Claim[J], job: J, pause: float) -> Write[J]:
        """Return the write of a job that shall be looked at again after a pause, unless it is over."""
        return Write(claim, job, self._clock.now() + pause)

    async def intend(self, claim: Claim[J], job: J, lease: float) -> bool:
        """Write a job whose step goes on, and return whether its claim still held; it is kept for the lease."""
        return await self.write_all([Write(claim, job, self._clock.now() + lease, keeps_claim=True)])

    async def write(self, claim: Claim[J], job: J, pause: float = 0.0) -> bool:
        """Write one job and return whether its claim still held."""
        return await self.write_all([self.next(claim, job, pause)])

    async def write_all(self, writes: Sequence[Write[J]]) -> bool:
        """Save, then tell the readers. A job whose claim was lost belongs to another process now."""
        written = await self._memory.jobs.save(writes)
        for job in written:
            self.publish(job)
        for write in writes:
            if write.job not in written:
                log.error("jobs.claim_lost", job_id=write.job.id, state=write.job.state, **_operation(write.job))
        return len(written) == len(writes)

    def publish(self, job: J) -> None:
        """Tell the readers of a job that was written; of its end, the log as well."""
        self._memory.feed.publish(job)
        if job.is_over:
            log_end(job)
            labels = _labels(job)
            self._metrics.observe("execution_seconds", _seconds(job), labels)
            times = job.created_at, job.finished_at or job.created_at
            self._tracer.record(f"job {labels['model']}", execution_attributes(job.id, labels), job.trace, times)


def _seconds(job: Job) -> float:
    return round((job.finished_at or 0.0) - job.created_at, 3)


def _labels(job: Job) -> Mapping[str, str]:
    outcome = job.failure.code or job.failure.type if job.failure else COMPLETED
    return labels_of(job.spending(None), outcome)


def log_end(job: Job) -> None:
    """Write the one canonical line of a job."""
    write = log.info if job.failure is None else log.warning
    cost = job.finished().cost
    write(
        "job.finished",
        job_id=job.id,
        **_video_facts(job),
        cost=cost and str(cost),
        state=job.state,
        code=job.failure.code if job.failure else None,
        seconds=_seconds(job),
    )


def _video_facts(job: Job) -> Mapping[str, object]:
    """Return what the canonical line says of a video; of another kind its model alone."""
    if not isinstance(job, VideoJob):
        return {"model": job.upstream_model}
    size = job.media.size if job.media else None
    return {"model": job.order.model, "account": job.account, "bytes": size, **_operation(job)}


def _operation(job: Job) -> Mapping[str, str | None]:
    if not isinstance(job, VideoJob):
        return {}
    return {"operation": job.operation.name if job.operation else None}
