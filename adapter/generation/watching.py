"""Watching a job until it is over."""

from collections.abc import AsyncGenerator

from adapter.domain.job_kinds import J
from adapter.domain.ports import JobFeed


async def watch(job: J, feed: JobFeed, silence: float) -> AsyncGenerator[J | None, None]:
    """Yield a job as it is known, then whenever it moves, until it is over; None after each spell of silence.

    A spell begins when what was yielded before is dealt with. A reader that sends something each time is never silent
    for longer.

    Raises:
        Draining: the process is shutting down; the job goes on.
    """
    if job.is_over:
        yield job
        return
    with feed.subscribe(job.id) as changes:
        yield job
        while not job.is_over:
            moved = await changes.next(job, silence)
            yield moved
            job = moved or job
