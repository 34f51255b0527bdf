"""Sending a job upstream: once, with the intent on disk before and the answer on disk after.

What ends without an answer is looked into and sent again only by proof (`doubt.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import structlog

from adapter.domain.job import (
    UNSETTLED,
    CreditsRead,
    Doubt,
    Failed,
    Failure,
    Intended,
    JobState,
    NotCharged,
    NotSent,
    Operation,
    Reading,
    Submitted,
    Unanswered,
    VideoJob,
    advance,
)
from adapter.domain.ports import Claim, Clock, Memory, VideoProvider
from adapter.errors import (
    AdapterError,
    JobFailed,
    StorageFailed,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamForgot,
    UpstreamSilent,
    UpstreamUnreachable,
)
from adapter.jobs import doubt
from adapter.jobs.pace import MAX_PAUSE, Pace
from adapter.jobs.pictures import read_picture
from adapter.jobs.scribe import Scribe
from adapter.jobs.spool import Answer, Spool

log = structlog.get_logger()

#: Tries of a submission of which provably nothing was executed.
MAX_SENDS = 4
#: What is well again after a while. Of an upload all of it may be tried again; a submission has rules of its own.
PASSING = (UpstreamUnreachable, UpstreamSilent, UpstreamBroken, UpstreamBusy, StorageFailed)
#: Google may ask to come back after so many seconds and it is done here; later than that, the client is told.
LONGEST_PUT_OFF = 30.0
#: Looks at a job that somebody else keeps writing, before its answer is given up.
MAX_ADOPTIONS = 5


#: Names of other jobs in the line for the operator.
SHOWN_NEIGHBOURS = 5

#: A job after an event, and how long it is left alone.
Moved: TypeAlias = tuple[VideoJob, float]


class Submission:
    """The steps between a wish and its operation."""

    def __init__(
        self, providers: Mapping[str, VideoProvider], memory: Memory, *, clock: Clock, pace: Pace, spool: Spool
    ) -> None:
        self._providers = providers
        self._memory = memory
        self._clock = clock
        self._pace = pace
        self._spool = spool
        self._scribe = Scribe(memory, clock)

    def provider(self, job: VideoJob) -> VideoProvider:
        """Return the provider of a job.

        Raises:
            UpstreamCredential: it is no longer configured.
        """
        name = job.order.provider
        if name not in self._providers:
            raise UpstreamCredential(f"The provider '{name}' is no longer configured.")
        return self._providers[name]

    async def submit(self, claim: Claim) -> None:
        """Send a job. The intent is on disk before the first byte leaves, and it is sent once.

        Its pictures are uploaded before that: it costs nothing, so whatever goes wrong with it may be tried again.
        """
        try:
            provider = self.provider(claim.job)
            account = provider.choose_account()
            pictures = await self._upload(provider, claim.job, account)
        except PASSING as fault:
            await self._scribe.write(claim, *self._tried(claim.job, fault))
            return
        except AdapterError as fault:
            await self._scribe.write(claim, advance(claim.job, self._failed(Failure.of(fault))))
            return
        job = advance(claim.job, await self._intent(provider, account))
        lease_end = self._clock.now() + self._pace.lease_seconds
        if not await self._scribe.write(claim, job, self._pace.lease_seconds):
            return
        if self._clock.now() < lease_end:
            await self._send(claim, job, pictures)
        else:
            # A disk that took longer than the lease: somebody else may hold the job by now, so nothing is sent.
            await self._insist(claim, advance(job, NotSent()), self._pace.until_next_beat(self._clock.now()))

    async def _upload(self, provider: VideoProvider, job: VideoJob, account: str) -> Sequence[str]:
        if not job.order.pictures:
            return ()
        files = [await read_picture(self._memory.media, picture) for picture in job.order.pictures]
        return await provider.upload(files, account=account)

    async def _intent(self, provider: VideoProvider, account: str) -> Intended:
        """Read what the account has before anything is sent, if it is going to be compared."""
        at = self._clock.now()
        if self._pace.reconcile_seconds is None:
            return Intended(account, at)
        return Intended(account, at, await provider.credits(account))

    async def _send(self, claim: Claim, job: VideoJob, pictures: Sequence[str]) -> None:
        try:
            operation = await self.provider(job).submit(job, pictures)
        except AdapterError as fault:
            await self._insist(claim, *self._after_fault(job, fault))
        else:
            await self._keep(claim, job, operation)

    def _after_fault(self, job: VideoJob, fault: AdapterError) -> Moved:
        """Say what is known of a submission that was not taken (reference: `reliability.md` section 2.3)."""
        match fault:
            case UpstreamUnreachable() | UpstreamForgot():
                moved, _ = self._tried(job, fault)
                return moved, self._pace.until_next_beat(self._clock.now())
            case UpstreamBusy() if (fault.retry_after or 0.0) <= LONGEST_PUT_OFF:
                return self._tried(job, fault)
            case UpstreamSilent() | UpstreamBroken():
                return self._in_doubt(job, fault, witnessed=True)
            case _:
                return advance(job, self._failed(Failure.of(fault))), 0.0

    def _tried(self, job: VideoJob, fault: AdapterError) -> Moved:
        """Try again, ever later and as late as was asked for, but not for ever."""
        if job.misses + 1 >= MAX_SENDS:
            return advance(job, self._failed(Failure.of(fault))), 0.0
        pause = self._pace.pause_after(job.misses, self._clock.now())
        return advance(job, NotSent()), max(pause, min(fault.retry_after or 0.0, MAX_PAUSE))

    def _in_doubt(self, job: VideoJob, fault: AdapterError, *, witnessed: bool) -> Moved:
        """Look into it, unless there is nothing to compare with, or the operator does not want it."""
        failure, seconds = Failure.of(fault), self._pace.reconcile_seconds
        if job.credits is None or seconds is None:
            return advance(job, self._failed(doubt.unknown_submission(failure))), 0.0
        raised = Doubt(failure=failure, witnessed=witnessed, at=self._clock.now())
        return advance(job, Unanswered(raised)), seconds

    def _failed(self, failure: Failure) -> Failed:
        return Failed(failure, self._clock.now())

    async def _keep(self, claim: Claim, job: VideoJob, operation: Operation) -> None:
        """Remember an answer: in the log, in the spool, and in the database, in the order of their quickness."""
        log.info("job.submitted", job_id=job.id, account=job.account, operation=operation.name)
        answer = Answer(
            job_id=job.id,
            account=job.account or "",
            intended_at=job.intended_at or 0.0,
            operation=operation,
            at=self._clock.now(),
        )
        await self._spool.note(answer)
        taken = advance(job, Submitted(operation, answer.at))
        if not await self._insist(claim, taken, self._pace.until_next_beat(answer.at)):
            await self._adopt_insistently(answer)
        await self._spool.forget(answer)

    async def _insist(self, claim: Claim, job: VideoJob, pause: float) -> bool:
        """Write what came of a submission, however long the disk takes to be well again: it is known nowhere else."""
        while True:
            try:
                return await self._scribe.write(claim, job, pause)
            except StorageFailed:
                await self._clock.sleep(self._pace.poll_seconds)

    async def _adopt_insistently(self, answer: Answer) -> None:
        while True:
            try:
                return await self._adopt(answer)
            except StorageFailed:
                await self._clock.sleep(self._pace.poll_seconds)

    async def find_unanswered(self, claim: Claim) -> None:
        """Doubt a job whose sender died between intent and answer, or only seems to have.

        It may have been executed, and a sender that is merely paused may still send it: what the credits say is told,
        and it is never sent again.
        """
        fault = UpstreamBroken("The server stopped while the video was being submitted.")
        await self._scribe.write(claim, *self._in_doubt(claim.job, fault, witnessed=False))

    async def reconcile(self, claim: Claim) -> None:
        """Read the account's credits once more; when they tell nothing new, send the job again or end it."""
        seconds = self._pace.reconcile_seconds
        too_early = self._until_next_reading(claim.job, seconds or 0.0)
        if too_early > 0:
            await self._scribe.write(claim, claim.job, too_early)
            return
        job = advance(claim.job, CreditsRead(Reading(await self._credits(claim.job), self._clock.now())))
        if not doubt.is_settled(job):
            await self._scribe.write(claim, job, seconds or 0.0)
            return
        since = job.intended_at or 0.0
        neighbours = await self._memory.jobs.neighbours(job, since=since, refunds_since=since - doubt.REFUND_SECONDS)
        is_free = seconds is not None and doubt.is_proven_free(job, neighbours, seconds)
        await self._scribe.write(claim, *self._settled(job, neighbours, is_free=is_free))

    def _until_next_reading(self, job: VideoJob, seconds: float) -> float:
        """Return how much too early it is, of a job whose lease ran out or whose clock was set."""
        if job.doubt is None:
            return 0.0
        last = job.doubt.readings[-1].at if job.doubt.readings else job.doubt.at
        since = self._clock.now() - last
        return seconds - since if since >= 0 else 0.0

    async def _credits(self, job: VideoJob) -> int | None:
        try:
            return await self.provider(job).credits(job.account or "")
        except UpstreamCredential:
            return None

    def _settled(self, job: VideoJob, neighbours: Collection[str], *, is_free: bool) -> Moved:
        failure = job.doubt.failure if job.doubt else Failure.of(JobFailed("It got no answer."))
        if not is_free:
            words = doubt.what_is_known(job, neighbours)
            moved = advance(job, self._failed(doubt.unknown_submission(failure, words)))
        elif job.misses + 1 >= MAX_SENDS:
            moved = advance(job, self._failed(doubt.free_of_charge(failure)))
        else:
            moved = advance(job, NotCharged())
        log.warning(
            "job.reconciled",
            job_id=job.id,
            account=job.account,
            credits_before=job.credits,
            readings=[reading.credits for reading in job.doubt.readings] if job.doubt else [],
            witnessed=bool(job.doubt and job.doubt.witnessed),
            neighbours=sorted(neighbours)[:SHOWN_NEIGHBOURS],
            sent_again=moved.state is JobState.ACCEPTED,
        )
        return moved, 0.0

    async def replay(self) -> None:
        """Take over what dead processes were told and could not commit.

        Raises:
            StorageFailed: the database does not answer; what is left stays where it is.
        """
        for leftover in await self._spool.leftovers():
            for answer in leftover.answers:
                await self._adopt(answer)
            await self._spool.drop(leftover)

    async def _adopt(self, answer: Answer) -> None:
        """Give an answer to its job, whoever holds that: it is worth more than any reading of credits.

        Only to the very submission that it answers, and only if the job still is as it was seen.
        """
        for _ in range(MAX_ADOPTIONS):
            job = await self._memory.jobs.get(answer.job_id)
            if job is None or not _awaits(job, answer):
                break
            moved = advance(job, Submitted(answer.operation, answer.at))
            if await self._memory.jobs.replace(job, moved, now=self._clock.now()):
                self._scribe.tell(moved)
                log.warning("jobs.answer_adopted", job_id=job.id, operation=answer.operation.name, was=job.state)
                return
        else:
            job = await self._memory.jobs.get(answer.job_id)
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
