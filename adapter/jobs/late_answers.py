"""Late answers: they go to a job that another process holds by now, or no process."""

import itertools

import structlog

from adapter.domain.job import UNSETTLED, Submitted, VideoJob, advance
from adapter.errors import StorageFailed
from adapter.jobs.spool import Answer
from adapter.jobs.step_context import StepContext

log = structlog.get_logger()

#: Tries to write a job that another process keeps writing, before the answer is given up.
MAX_LOOKS = 5


class LateAnswers:
    """What is done with an answer whose claim is gone: by a restart, or by a pause that was longer than the lease."""

    def __init__(self, context: StepContext) -> None:
        self._clock = context.clock
        self._jobs = context.memory.jobs
        self._spool = context.spool
        self._writer = context.writer

    async def replay(self) -> None:
        """Take over what dead processes were told and could not commit.

        Raises:
            StorageFailed: the database does not answer; what is left stays where it is.
        """
        leftovers = await self._spool.leftovers()
        try:
            for answer in itertools.chain.from_iterable(leftover.answers for leftover in leftovers):
                await self.adopt(answer)
        except StorageFailed:
            await self._spool.release(leftovers)
            raise
        await self._spool.drop(leftovers)

    async def adopt(self, answer: Answer) -> None:
        """Give an answer to its job, also if another process holds it: it is worth more than any reading of credits.

        Only to the very submission that it answers, and only if the job still is as it was seen.

        Raises:
            StorageFailed: the database does not answer.
        """
        for _ in range(MAX_LOOKS):
            job = await self._jobs.get(answer.job_id)
            if job is None or not _awaits(job, answer):
                break
            moved = advance(job, Submitted(answer.operation, answer.at))
            if await self._jobs.replace(job, moved, now=self._clock.now()):
                self._writer.publish(moved)
                log.warning("jobs.answer_adopted", job_id=job.id, operation=answer.operation.name, was=job.state)
                return
        else:
            job = await self._jobs.get(answer.job_id)
        if job is None or job.operation != answer.operation:
            log.error(
                "jobs.answer_too_late",
                job_id=answer.job_id,
                account=answer.account,
                operation=answer.operation.name,
                state=job.state if job else None,
            )


def _awaits(job: VideoJob, answer: Answer) -> bool:
    is_same = (job.account, job.intended_at) == (answer.account, answer.intended_at)
    return is_same and job.state in UNSETTLED
