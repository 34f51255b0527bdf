"""Writing what came of a step, and telling those who wait for it."""

from collections.abc import Sequence

import structlog

from adapter.domain.job import VideoJob
from adapter.domain.ports import Claim, Clock, Memory, Write

log = structlog.get_logger()


class JobWriter:
    """Writes claimed jobs; everything that a step changes goes through here."""

    def __init__(self, memory: Memory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock

    def next(self, claim: Claim, job: VideoJob, pause: float) -> Write:
        """Return the write of a job that shall be looked at again after a pause, unless it is over."""
        return Write(claim, job, self._clock.now() + pause)

    async def intend(self, claim: Claim, job: VideoJob, lease: float) -> bool:
        """Write a job whose step goes on, and return whether its claim still held; it is kept for the lease."""
        return await self.write_all([Write(claim, job, self._clock.now() + lease, keeps_claim=True)])

    async def write(self, claim: Claim, job: VideoJob, pause: float = 0.0) -> bool:
        """Write one job and return whether its claim still held."""
        return await self.write_all([self.next(claim, job, pause)])

    async def write_all(self, writes: Sequence[Write]) -> bool:
        """Save, then tell the readers; a job whose claim was lost meanwhile belongs to somebody else."""
        written = await self._memory.jobs.save(writes)
        for job in written:
            self.publish(job)
        for write in writes:
            if write.job not in written:
                operation = write.job.operation.name if write.job.operation else None
                log.error("jobs.claim_lost", job_id=write.job.id, state=write.job.state, operation=operation)
        return len(written) == len(writes)

    def publish(self, job: VideoJob) -> None:
        """Tell the readers of a job that was written; of its end, the log as well."""
        self._memory.feed.publish(job)
        if job.is_over:
            log_end(job)


def log_end(job: VideoJob) -> None:
    """Write the one canonical line of a job."""
    write = log.info if job.failure is None else log.warning
    write(
        "job.finished",
        job_id=job.id,
        model=job.order.model,
        account=job.account,
        operation=job.operation.name if job.operation else None,
        state=job.state,
        code=job.failure.code if job.failure else None,
        seconds=round((job.finished_at or 0.0) - job.created_at, 3),
        bytes=job.media.size if job.media else None,
    )
