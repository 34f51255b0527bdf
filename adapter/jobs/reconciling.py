"""The steps of a job whose submission got no answer: the provider looks for a proof; the job is sent again, or ends."""

from collections.abc import Collection

import msgspec
import structlog

from adapter.domain.job import (
    SUBMIT_UNKNOWN_CODE,
    Ambiguity,
    BalanceReading,
    CreditsRead,
    Failed,
    Failure,
    JobState,
    NotCharged,
    Submitted,
    Unanswered,
    VideoJob,
    advance,
)
from adapter.domain.ports import AskAgain, Claim, Executed, JobStore, NotExecuted, Settlement, Unproven
from adapter.errors import AdapterError, JobFailed, UpstreamBroken, UpstreamCredential
from adapter.jobs.poll_schedule import MAX_SENDS, Moved
from adapter.jobs.step_context import StepContext

log = structlog.get_logger()

#: Names of other jobs in the line for the operator.
SHOWN_NEIGHBOURS = 5


class Reconciling:
    """Has the provider settle what became of a submission."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._jobs = context.memory.jobs
        self._clock = context.clock
        self._schedule = context.schedule
        self._writer = context.writer

    def ambiguous(self, job: VideoJob, fault: AdapterError, *, sender_saw_end: bool) -> Moved:
        """Look into it, unless the operator does not want it. Without credits there is nothing to wait for."""
        failure, seconds = Failure.of(fault), self._schedule.reconcile_seconds
        if seconds is None:
            return advance(job, self._failed(unknown_submission(failure))), 0.0
        pause = None if job.credits is not None else 0.0
        raised = Ambiguity(failure=failure, sender_saw_end=sender_saw_end, at=self._clock.now(), pause=pause)
        return advance(job, Unanswered(raised)), seconds if pause is None else pause

    async def find_unanswered(self, claim: Claim) -> None:
        """Take up a job whose sender died between intent and answer, or only seems to have.

        It may have been executed, and a sender that is merely paused may still send it. So it is never sent again: its
        reader is told what the provider knows.
        """
        fault = UpstreamBroken("The server stopped while the video was being submitted.")
        await self._writer.write(claim, *self.ambiguous(claim.job, fault, sender_saw_end=False))

    async def reconcile(self, claim: Claim) -> None:
        """Ask the provider; when it has nothing new to tell, send the job again or end it."""
        seconds = self._schedule.reconcile_seconds
        too_early = 0.0 if seconds is None else self._until_next_question(claim.job, seconds)
        if too_early > 0:
            await self._writer.write(claim, claim.job, too_early)
            return
        neighbours = AskedNeighbours(self._jobs, claim.job)
        settled = await self._settle(claim.job, neighbours, seconds)
        if isinstance(settled, AskAgain) and not self._is_late(claim.job):
            # Where the operator allows no distance any more, the readings that are missing are taken at once.
            pause = 0.0 if seconds is None else settled.seconds
            await self._writer.write(claim, advance(claim.job, CreditsRead(settled.reading, pause)), pause)
        else:
            job = advance(claim.job, CreditsRead(settled.reading))
            await self._writer.write(claim, *self._settled(job, settled, neighbours.found))

    def _is_late(self, job: VideoJob) -> bool:
        """Return whether a provider has been asked for as long as a video may take. A stopped server asks nothing."""
        if job.ambiguity is None or not job.ambiguity.readings:
            return False
        return self._clock.now() - job.ambiguity.readings[0].at >= self._schedule.deadline_seconds

    def _until_next_question(self, job: VideoJob, seconds: float) -> float:
        """Return how much too early it is, for a job whose lease ran out or whose clock was set."""
        if job.ambiguity is None:
            return 0.0
        last = job.ambiguity.readings[-1].at if job.ambiguity.readings else job.ambiguity.at
        since = self._clock.now() - last
        pause = seconds if job.ambiguity.pause is None else job.ambiguity.pause
        return pause - since if since >= 0 else 0.0

    async def _settle(self, job: VideoJob, neighbours: "AskedNeighbours", seconds: float | None) -> Settlement:
        try:
            # Without a distance that the operator allows, no reading proves anything.
            distance = float("inf") if seconds is None else seconds
            return await self._context.provider_of(job).settle(job, neighbours, distance)
        except UpstreamCredential:
            return Unproven(
                BalanceReading(None, self._clock.now()), "Its provider or account is not configured any more."
            )

    def _settled(self, job: VideoJob, settled: Settlement, neighbours: Collection[str]) -> Moved:
        failure = job.ambiguity.failure if job.ambiguity else Failure.of(JobFailed("It got no answer."))
        match settled:
            case Executed(_, operation):
                moved = advance(job, Submitted(operation, self._clock.now()))
            case NotExecuted() if job.misses + 1 < MAX_SENDS:
                moved = advance(job, NotCharged())
            case NotExecuted(_, words):
                moved = advance(job, self._failed(free_of_charge(failure, words)))
            case Unproven(_, words):
                moved = advance(job, self._failed(unknown_submission(failure, words)))
            case _:
                moved = advance(job, self._failed(unknown_submission(failure, "It was not found out in time.")))
        log.warning(
            "job.reconciled",
            job_id=job.id,
            account=job.account,
            credits_before=job.credits,
            readings=[reading.credits for reading in job.ambiguity.readings] if job.ambiguity else [],
            sender_saw_end=bool(job.ambiguity and job.ambiguity.sender_saw_end),
            neighbours=sorted(neighbours)[:SHOWN_NEIGHBOURS],
            sent_again=moved.state is JobState.ACCEPTED,
            operation=moved.operation.name if moved.operation else None,
        )
        return moved, 0.0

    def _failed(self, failure: Failure) -> Failed:
        return Failed(failure, self._clock.now())


class AskedNeighbours:
    """The other jobs of a job's account (the port `Neighbours`). It keeps the answer for the log."""

    def __init__(self, jobs: JobStore, job: VideoJob) -> None:
        self._jobs = jobs
        self._job = job
        self.found: Collection[str] = ()

    async def __call__(self, *, refund_seconds: float) -> Collection[str]:
        """Ask the store (the port of that name)."""
        since = self._job.intended_at or 0.0
        self.found = await self._jobs.neighbours(self._job, since=since, refunds_since=since - refund_seconds)
        return self.found


def unknown_submission(failure: Failure, words: str = "") -> Failure:
    """Return the failure of a video that may have been paid for. OpenAI's SDKs must not send it again by themselves."""
    told = words or "Google may or may not have started the video, so it is not sent again by itself."
    again = "Asking again may cost a second time."
    return Failure.of(JobFailed(f"{failure.message} {told} {again}", code=SUBMIT_UNKNOWN_CODE))


def free_of_charge(failure: Failure, words: str) -> Failure:
    """Return the failure of a submission that was tried as often as it may be, and cost nothing."""
    return msgspec.structs.replace(failure, message=f"{failure.message} {words}")
