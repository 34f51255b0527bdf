"""The steps of a job whose submission got no answer: look into it, then send it again by proof, or end it."""

from collections.abc import Collection

import structlog

from adapter.domain.job import (
    Ambiguity,
    BalanceReading,
    CreditsRead,
    Failed,
    Failure,
    JobState,
    NotCharged,
    Unanswered,
    VideoJob,
    advance,
)
from adapter.domain.ports import Claim
from adapter.errors import AdapterError, JobFailed, UpstreamBroken, UpstreamCredential
from adapter.jobs import ambiguity
from adapter.jobs.poll_schedule import MAX_SENDS, Moved
from adapter.jobs.step_context import StepContext

log = structlog.get_logger()

#: Names of other jobs in the line for the operator.
SHOWN_NEIGHBOURS = 5


class Reconciling:
    """Reads the account's credits until they tell nothing new."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._jobs = context.memory.jobs
        self._clock = context.clock
        self._schedule = context.schedule
        self._writer = context.writer

    def ambiguous(self, job: VideoJob, fault: AdapterError, *, sender_saw_end: bool) -> Moved:
        """Look into it, unless there is nothing to compare with, or the operator does not want it."""
        failure, seconds = Failure.of(fault), self._schedule.reconcile_seconds
        if job.credits is None or seconds is None:
            return advance(job, Failed(ambiguity.unknown_submission(failure), self._clock.now())), 0.0
        raised = Ambiguity(failure=failure, sender_saw_end=sender_saw_end, at=self._clock.now())
        return advance(job, Unanswered(raised)), seconds

    async def find_unanswered(self, claim: Claim) -> None:
        """Doubt a job whose sender died between intent and answer, or only seems to have.

        It may have been executed, and a sender that is merely paused may still send it: what the credits say is told,
        and it is never sent again.
        """
        fault = UpstreamBroken("The server stopped while the video was being submitted.")
        await self._writer.write(claim, *self.ambiguous(claim.job, fault, sender_saw_end=False))

    async def reconcile(self, claim: Claim) -> None:
        """Read the account's credits once more; when they tell nothing new, send the job again or end it."""
        seconds = self._schedule.reconcile_seconds
        too_early = self._until_next_reading(claim.job, seconds or 0.0)
        if too_early > 0:
            await self._writer.write(claim, claim.job, too_early)
            return
        job = advance(claim.job, CreditsRead(BalanceReading(await self._credits(claim.job), self._clock.now())))
        if not ambiguity.is_settled(job):
            await self._writer.write(claim, job, seconds or 0.0)
            return
        since = job.intended_at or 0.0
        neighbours = await self._jobs.neighbours(job, since=since, refunds_since=since - ambiguity.REFUND_SECONDS)
        is_free = seconds is not None and ambiguity.is_proven_free(job, neighbours, seconds)
        await self._writer.write(claim, *self._settled(job, neighbours, is_free=is_free))

    def _until_next_reading(self, job: VideoJob, seconds: float) -> float:
        """Return how much too early it is, of a job whose lease ran out or whose clock was set."""
        if job.ambiguity is None:
            return 0.0
        last = job.ambiguity.readings[-1].at if job.ambiguity.readings else job.ambiguity.at
        since = self._clock.now() - last
        return seconds - since if since >= 0 else 0.0

    async def _credits(self, job: VideoJob) -> int | None:
        try:
            return await self._context.provider_of(job).credits(job.account or "")
        except UpstreamCredential:
            return None

    def _settled(self, job: VideoJob, neighbours: Collection[str], *, is_free: bool) -> Moved:
        failure = job.ambiguity.failure if job.ambiguity else Failure.of(JobFailed("It got no answer."))
        if not is_free:
            words = ambiguity.what_is_known(job, neighbours)
            moved = advance(job, self._failed(ambiguity.unknown_submission(failure, words)))
        elif job.misses + 1 >= MAX_SENDS:
            moved = advance(job, self._failed(ambiguity.free_of_charge(failure)))
        else:
            moved = advance(job, NotCharged())
        log.warning(
            "job.reconciled",
            job_id=job.id,
            account=job.account,
            credits_before=job.credits,
            readings=[reading.credits for reading in job.ambiguity.readings] if job.ambiguity else [],
            sender_saw_end=bool(job.ambiguity and job.ambiguity.sender_saw_end),
            neighbours=sorted(neighbours)[:SHOWN_NEIGHBOURS],
            sent_again=moved.state is JobState.ACCEPTED,
        )
        return moved, 0.0

    def _failed(self, failure: Failure) -> Failed:
        return Failed(failure, self._clock.now())
