"""Deleting the files of a deleted job, of any kind."""

from collections.abc import Collection

import structlog

from adapter.domain.job_kinds import J
from adapter.domain.ports import Claim, Clock, Memory
from adapter.errors import StorageFailed
from adapter.jobs.poll_schedule import DISCARD_PAUSE

log = structlog.get_logger()


async def discard(claim: Claim[J], files: Collection[str], memory: Memory[J], clock: Clock) -> None:
    """Delete the files of a deleted job. While the media store does not take that, it is tried again."""
    try:
        await memory.media.delete(files)
    except StorageFailed as fault:
        log.warning("jobs.discard_missed", job_id=claim.job.id, code=fault.code)
        await memory.jobs.renew([claim], due_at=clock.now() + DISCARD_PAUSE)
        return
    await memory.jobs.forget(claim)
    log.info("job.discarded", job_id=claim.job.id)
