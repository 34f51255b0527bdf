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
        job = changes.shared(job)
        yield job
        while not job.is_over:
            moved = await changes.next(job, silence)
            yield moved
            job = moved or job


async def watch_history(
    job: J, feed: JobFeed, silence: float, *, after: int
) -> AsyncGenerator[tuple[J, int] | None, None]:
    """Yield a job for each place of its history behind `after`, with that place; None where there is nothing new.

    A reader that is slow or was away misses none: the job has them all. `watch` inside of it would cost each of ten
    thousand readers 0.7 KB.

    Raises:
        Draining: as `watch`.
    """
    if job.is_over:
        for number in range(after + 1, len(job.history) + 1):
            yield job, number
        return
    with feed.subscribe(job.id) as changes:
        job = changes.shared(job)
        seen: J | None = job
        while True:
            if seen is None or len(seen.history) <= after:
                yield None
            else:
                for number in range(after + 1, len(seen.history) + 1):
                    yield seen, number
                after = len(seen.history)
            if job.is_over:
                return
            seen = await changes.next(job, silence)
            job = seen or job
