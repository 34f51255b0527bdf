"""What happens to a video job that is due: it is submitted, polled, downloaded, cancelled, or its files are deleted."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import structlog

from adapter.domain.job import (
    CANCELLED_CODE,
    EmptyPoll,
    Failed,
    Failure,
    JobState,
    Missed,
    NotFetched,
    Progressed,
    Rendered,
    Stored,
    VideoJob,
    advance,
    estimate,
)
from adapter.domain.ports import Claim, Empty, Finished, Refused, Report, Working, Write
from adapter.errors import AdapterError, JobFailed, NoMedia, StorageFailed, reason_of
from adapter.jobs.discarding import discard
from adapter.jobs.fetch import InlineFile, fetch_video, store_video
from adapter.jobs.late_answers import LateAnswers
from adapter.jobs.poller import Step
from adapter.jobs.reconciling import Reconciling
from adapter.jobs.step_context import StepContext
from adapter.jobs.submission import Submission

log = structlog.get_logger()

#: Fruitless looks in a row without which no deadline ends a paid job: after a long downtime, or a jump of the clock, it
#: may just be finished.
LAST_LOOKS = 5
#: The fruitless look in a row after which the operator is told that a paid job is stuck.
STALLED_LOOKS = 5
#: How often in all a job may be called finished without its video.
MAX_EMPTY_POLLS = 11


class VideoSteps:
    """One method for each thing that is done with a claimed video job (`Steps` of the engine)."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._memory = context.memory
        self._clock = context.clock
        self._schedule = context.schedule
        self._writer = context.writer
        #: The steps of a job whose submission got no answer, and of an answer whose job is in other hands.
        self.reconciling = Reconciling(context)
        self.late_answers = LateAnswers(context)
        self._submission = Submission(context, self.reconciling, self.late_answers)

    async def replay(self) -> None:
        """Give the answers that dead processes were told to their jobs (as `Steps`)."""
        await self.late_answers.replay()

    def plan(self, claims: Sequence[Claim]) -> Iterator[Step]:
        """Yield the next step of each claimed job; all that are asked about at one account have one (as `Steps`)."""
        polls: defaultdict[tuple[str, str | None], list[Claim]] = defaultdict(list)
        for claim in claims:
            if claim.job.state is JobState.SUBMITTED and not claim.unwanted:
                polls[claim.job.order.provider, claim.job.account].append(claim)
            else:
                yield from self._plan_alone(claim)
        for group in polls.values():
            yield Step(self.poll(group), group)

    def _plan_alone(self, claim: Claim) -> Iterator[Step]:
        match claim.job.state:
            case JobState.COMPLETED | JobState.FAILED if claim.unwanted:
                yield Step(self.discard(claim), [claim])
            case JobState.SUBMITTING:
                yield Step(self.reconciling.find_unanswered(claim), [claim])
            case JobState.AMBIGUOUS:
                yield Step(self.reconciling.reconcile(claim), [claim])
            case JobState.ACCEPTED if not claim.unwanted:
                yield Step(self.submit(claim), [claim], is_sending=True)
            case JobState.READY if not claim.unwanted:
                yield Step(self.fetch(claim), [claim])
            case JobState.ACCEPTED | JobState.SUBMITTED | JobState.READY:
                yield Step(self.cancel(claim), [claim])
            case state:
                # By a mistake of ours: it must not keep the others of this round from being moved.
                log.error("poller.nothing_to_do", job_id=claim.job.id, state=state)

    async def submit(self, claim: Claim) -> None:
        """Send a job upstream, unless it has passed its deadline."""
        if self._schedule.is_late(claim.job, self._clock.now()):
            await self._end(claim, Failure.of(self._schedule.too_late()))
        else:
            await self._submission.submit(claim)

    async def cancel(self, claim: Claim) -> None:
        """End a cancelled or deleted job: nothing is sent or downloaded for it. What was spent is spent."""
        paid = claim.job.operation is not None
        so_far = "after Google had taken it: it was paid for" if paid else "before it was sent: nothing was charged"
        await self._end(claim, Failure.of(JobFailed(f"The video was cancelled {so_far}.", code=CANCELLED_CODE)))

    async def _end(self, claim: Claim, failure: Failure) -> None:
        await self._writer.write(claim, advance(claim.job, Failed(failure, self._clock.now())))

    async def discard(self, claim: Claim) -> None:
        """Delete the files of a deleted job. While the media store does not take that, it is tried again."""
        await discard(claim, claim.job.files, self._memory, self._clock)

    async def poll(self, claims: Sequence[Claim]) -> None:
        """Ask about jobs of one provider and account in one call, and write what it says in one transaction."""
        async with self._context.answer_memory():
            await self._poll(claims)

    async def _poll(self, claims: Sequence[Claim]) -> None:
        first = claims[0].job
        operations = [claim.job.operation for claim in claims if claim.job.operation is not None]
        try:
            reports = await self._context.provider_of(first).poll(operations, account=first.account or "")
        except AdapterError as fault:
            missed = {"jobs": len(claims), "code": fault.code, "error": reason_of(fault)}
            log.warning("jobs.poll_missed", account=first.account, **missed)
            reports = {}
        else:
            self._note_untold(claims, reports)
        await self._writer.write_all([await self._after_poll(claim, reports) for claim in claims])

    def _note_untold(self, claims: Sequence[Claim], reports: Mapping[str, Report]) -> None:
        untold = [claim.job for claim in claims if claim.job.operation and claim.job.operation.name not in reports]
        if untold:
            said = "The answer does not say how they stand."
            log.warning("jobs.poll_missed", account=untold[0].account, jobs=len(untold), error=said)

    async def _after_poll(self, claim: Claim, reports: Mapping[str, Report]) -> Write:
        match reports.get(claim.job.operation.name) if claim.job.operation else None:
            case Finished(data=bytes()) as made:
                return await self._after_inline(claim, made)
            case _:
                return self._after_report(claim, reports)

    async def _after_inline(self, claim: Claim, made: Finished) -> Write:
        """Store a video that came with the answer. If that fails, the next poll brings it again."""
        job = claim.job
        try:
            file, longest = InlineFile(made.data or b""), self._context.longest_video
            media = await store_video(job, file, self._memory.media, longest=longest)
        except AdapterError as fault:
            _log_missed_fetch(job, fault)
            return self._after_fault(claim, fault, Missed())
        stored = advance(advance(job, Rendered(made.video, made.tokens)), Stored(media, self._clock.now()))
        return self._writer.next(claim, stored, 0.0)

    def _after_report(self, claim: Claim, reports: Mapping[str, Report]) -> Write:
        job = claim.job
        report = reports.get(job.operation.name) if job.operation else None
        match report:
            case Finished(video, _, tokens):
                return self._writer.next(claim, advance(job, Rendered(video, tokens)), 0.0)
            case Refused(failure):
                return self._writer.next(claim, advance(job, Failed(failure, self._clock.now())), 0.0)
            case Working() if not self._schedule.is_late(job, self._clock.now()):
                progress = estimate(job.elapsed(self._clock.now()), job.expected_seconds)
                pause = self._schedule.until_next_tick(self._clock.now())
                return self._writer.next(claim, advance(job, Progressed(progress)), pause)
            case Empty():
                return self._after_empty_poll(
                    claim, NoMedia("Google calls the video finished and gives none. It was paid for.")
                )
            case _:
                return self._after_miss(claim, Missed())

    def _after_empty_poll(self, claim: Claim, fault: NoMedia) -> Write:
        """Look again, because the video may come later, but not for ever."""
        if claim.job.empty_polls + 1 < MAX_EMPTY_POLLS:
            return self._after_miss(claim, EmptyPoll())
        return self._writer.next(claim, advance(claim.job, Failed(Failure.of(fault), self._clock.now())), 0.0)

    async def fetch(self, claim: Claim) -> None:
        """Bring a finished video home: whole, verified, then remembered."""
        job = claim.job
        try:
            provider, longest = self._context.provider_of(job), self._context.longest_video
            media = await fetch_video(job, provider, self._memory.media, longest=longest)
        except AdapterError as fault:
            _log_missed_fetch(job, fault)
            write = self._after_fault(claim, fault, NotFetched())
        else:
            write = self._writer.next(claim, advance(job, Stored(media, self._clock.now())), 0.0)
        await self._writer.write_all([write])

    def _after_fault(self, claim: Claim, fault: AdapterError, event: Missed | NotFetched) -> Write:
        """Look again after a video that could not be stored; one that is not handed over, or too long, ends earlier."""
        return self._after_empty_poll(claim, fault) if isinstance(fault, NoMedia) else self._after_miss(claim, event)

    async def count_failure(self, claims: Sequence[Claim]) -> None:
        """Count a step that broke by a mistake of ours as a fruitless look. A submission is left to its lease."""
        try:
            for claim in claims:
                job = await self._memory.jobs.get(claim.job.id)
                if job is not None and job.state in {JobState.SUBMITTED, JobState.READY}:
                    event = Missed() if job.state is JobState.SUBMITTED else NotFetched()
                    await self._writer.write_all([self._after_miss(Claim(job, claim.token), event)])
        except StorageFailed as fault:
            log.warning("jobs.stumble_not_counted", jobs=len(claims), code=fault.code)

    def _after_miss(self, claim: Claim, event: Missed | EmptyPoll | NotFetched) -> Write:
        """Look again later, ever more rarely; past the deadline, end the job after a few more looks in vain."""
        job, now = claim.job, self._clock.now()
        if job.misses + 1 == STALLED_LOOKS:
            operation = job.operation.name if job.operation else None
            log.error("jobs.stalled", job_id=job.id, account=job.account, operation=operation, state=job.state)
        if job.misses < LAST_LOOKS or not self._schedule.is_late(job, self._clock.now()):
            return self._writer.next(claim, advance(job, event), self._schedule.pause_after(job.misses, now))
        fault = self._schedule.too_late(made=job.state is JobState.READY)
        return self._writer.next(claim, advance(job, Failed(Failure.of(fault), now)), 0.0)


def _log_missed_fetch(job: VideoJob, fault: AdapterError) -> None:
    log.warning("jobs.fetch_missed", job_id=job.id, misses=job.misses + 1, code=fault.code, error=reason_of(fault))
