"""Sending a job upstream: once, with the intent on disk before and the answer on disk after.

What ends without an answer is looked into and sent again only by proof (`reconciling.py`).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from adapter.domain.job import Failed, Failure, Intended, NotSent, Operation, Submitted, VideoJob, advance
from adapter.domain.ports import Claim, VideoProvider
from adapter.errors import (
    AdapterError,
    StorageFailed,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamForgot,
    UpstreamSilent,
    UpstreamUnreachable,
)
from adapter.jobs.late_answers import LateAnswers
from adapter.jobs.pictures import read_picture
from adapter.jobs.poll_schedule import MAX_PAUSE, MAX_SENDS, Moved
from adapter.jobs.reconciling import Reconciling
from adapter.jobs.source_videos import find_source
from adapter.jobs.spool import Answer
from adapter.jobs.step_context import StepContext

log = structlog.get_logger()

_T = TypeVar("_T")

#: What is well again after a while. Of an upload all of it may be tried again; a submission has rules of its own.
PASSING = (UpstreamUnreachable, UpstreamSilent, UpstreamBroken, UpstreamBusy, StorageFailed)
#: How often a job goes on with another account, at the most.
MAX_MOVES = 20
#: Google may ask to come back after so many seconds and it is done here; later than that, the client is told.
LONGEST_PUT_OFF = 30.0


class Submission:
    """The steps between an order and its operation."""

    def __init__(self, context: StepContext, reconciling: Reconciling, late_answers: LateAnswers) -> None:
        self._context = context
        self._clock = context.clock
        self._schedule = context.schedule
        self._writer = context.writer
        self._reconciling = reconciling
        self._adoption = late_answers

    async def submit(self, claim: Claim) -> None:
        """Send a job. The intent is on disk before the first byte leaves, and it is sent once.

        Its files are uploaded before that: it costs nothing, so whatever goes wrong with it may be tried again.
        """
        try:
            provider = self._context.provider_of(claim.job)
            source = claim.job.order.source
            account = source.account if source else provider.choose_account(claim.job)
            uploads = await self._upload(provider, claim.job, account)
        except AdapterError as fault:
            await self._writer.write(claim, *self._not_uploaded(claim.job, fault))
            return
        job = advance(claim.job, await self._intent(provider, account))
        lease_end = self._clock.now() + self._schedule.lease_seconds
        if not await self._writer.intend(claim, job, self._schedule.lease_seconds):
            return
        if self._clock.now() < lease_end:
            await self._send(claim, job, uploads)
        else:
            # The disk took longer than the lease: another process may hold the job by now, so nothing is sent.
            pause = self._schedule.until_next_tick(self._clock.now())
            await self._insist(claim, advance(job, NotSent(is_try=False)), pause)

    async def _upload(self, provider: VideoProvider, job: VideoJob, account: str) -> Sequence[str]:
        media, uploads = self._context.memory.media, list[str]()
        if job.order.pictures:
            files = [await read_picture(media, picture) for picture in job.order.pictures]
            uploads += await provider.upload(files, account=account)
        if job.order.video is not None:
            video = await find_source(media, job.order.video)
            uploads.append(await provider.upload_video(video, account=account))
        return uploads

    async def _intent(self, provider: VideoProvider, account: str) -> Intended:
        """Read what the account has before anything is sent, if it is going to be compared."""
        at = self._clock.now()
        if self._schedule.reconcile_seconds is None:
            return Intended(account, at)
        return Intended(account, at, await provider.credits(account))

    async def _send(self, claim: Claim, job: VideoJob, uploads: Sequence[str]) -> None:
        try:
            operation = await self._context.provider_of(job).submit(job, uploads)
        except AdapterError as fault:
            await self._insist(claim, *self._after_fault(job, fault))
        else:
            await self._keep(claim, job, operation)

    def _not_uploaded(self, job: VideoJob, fault: AdapterError) -> Moved:
        if _can_move(job, fault):
            return advance(job, NotSent()), 0.0
        if isinstance(fault, PASSING) or fault.another_takes_it:  # a job that is tied to its account waits for it
            return self._tried(job, fault)
        return advance(job, self._failed(Failure.of(fault))), 0.0

    def _after_fault(self, job: VideoJob, fault: AdapterError) -> Moved:
        """Say what is known of a submission that was not taken (reference: `reliability.md` section 2.3)."""
        match fault:
            case _ if _can_move(job, fault):
                return advance(job, NotSent()), 0.0
            case UpstreamUnreachable() | UpstreamForgot():
                moved, _ = self._tried(job, fault)
                return moved, self._schedule.until_next_tick(self._clock.now())
            case UpstreamBusy() if (fault.retry_after or 0.0) <= LONGEST_PUT_OFF:
                return self._tried(job, fault)
            case UpstreamSilent() | UpstreamBroken():
                return self._reconciling.ambiguous(job, fault, sender_saw_end=True)
            case _:
                return advance(job, self._failed(Failure.of(fault))), 0.0

    def _tried(self, job: VideoJob, fault: AdapterError) -> Moved:
        """Try again, ever later and as late as was asked for, but not for ever."""
        if job.misses + 1 >= MAX_SENDS:
            return advance(job, self._failed(Failure.of(fault))), 0.0
        pause = self._schedule.pause_after(job.misses, self._clock.now())
        return advance(job, NotSent()), max(pause, min(fault.retry_after or 0.0, MAX_PAUSE))

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
        await self._context.spool.note(answer)
        taken = advance(job, Submitted(operation, answer.at))
        if not await self._insist(claim, taken, self._schedule.until_next_tick(answer.at)):
            await self._persist(lambda: self._adoption.adopt(answer))
        await self._context.spool.forget(answer)

    async def _insist(self, claim: Claim, job: VideoJob, pause: float) -> bool:
        """Write what came of a submission, and return whether its claim still held."""
        return await self._persist(lambda: self._writer.write(claim, job, pause))

    async def _persist(self, write: Callable[[], Awaitable[_T]]) -> _T:
        """Write, however long the disk takes to be well again: what is written is known nowhere else."""
        while True:
            try:
                return await write()
            except StorageFailed:
                await self._clock.sleep(self._schedule.poll_seconds)


def _can_move(job: VideoJob, fault: AdapterError) -> bool:
    """Return whether another account may take a job: the refusal was of this one, and no video ties the job to it."""
    return fault.another_takes_it and job.order.source is None and job.misses < MAX_MOVES
