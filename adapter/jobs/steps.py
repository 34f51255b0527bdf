"""What happens to a job that is due: it is submitted, asked about, fetched, called off, or cleared away."""

from collections.abc import Mapping, Sequence

import structlog

from adapter.domain.job import (
    CameEmpty,
    Failed,
    Failure,
    JobState,
    Missed,
    NotFetched,
    Progressed,
    Rendered,
    Stored,
    advance,
    estimate,
)
from adapter.domain.ports import Claim, Empty, Finished, Refused, Report, Working, Write
from adapter.errors import AdapterError, JobFailed, NoMedia, StorageFailed
from adapter.jobs.adoption import Adoption
from adapter.jobs.fetch import bring_home
from adapter.jobs.kit import Kit
from adapter.jobs.pace import DISCARD_PAUSE
from adapter.jobs.reconciling import Reconciling
from adapter.jobs.submission import Submission

log = structlog.get_logger()

#: Fruitless looks in a row without which no deadline ends a paid job: after a long downtime, or a jump of the clock, it
#: may just be finished.
LAST_LOOKS = 5
#: The fruitless look in a row after which the operator is told that a paid job is stuck.
STALLED_LOOKS = 5
#: How often in all a job may be called finished without its video.
MAX_BLANKS = 11


class Steps:
    """One method for each thing that is done with a claimed job."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._memory = kit.memory
        self._clock = kit.clock
        self._pace = kit.pace
        self._scribe = kit.scribe
        #: The steps of a job whose submission got no answer, and of an answer whose job is in other hands.
        self.reconciling = Reconciling(kit)
        self.adoption = Adoption(kit)
        self._submission = Submission(kit, self.reconciling, self.adoption)

    async def submit(self, claim: Claim) -> None:
        """Send a job upstream, unless nobody waits for it any more."""
        if self._pace.is_late(claim.job, self._clock.now()):
            await self._end(claim, Failure.of(self._pace.too_late()))
        else:
            await self._submission.submit(claim)

    async def call_off(self, claim: Claim) -> None:
        """End a job that nobody wants: nothing is sent or fetched for it. What was spent is spent."""
        paid = claim.job.operation is not None
        so_far = "after Google had taken it: it was paid for" if paid else "before it was sent: nothing was charged"
        await self._end(claim, Failure.of(JobFailed(f"The video was called off {so_far}.", code="cancelled")))

    async def _end(self, claim: Claim, failure: Failure) -> None:
        await self._scribe.write(claim, advance(claim.job, Failed(failure, self._clock.now())))

    async def discard(self, claim: Claim) -> None:
        """Delete the files of a deleted job. While the media store does not take that, it is tried again."""
        job = claim.job
        try:
            await self._memory.media.delete(job.files)
        except StorageFailed as fault:
            log.warning("jobs.discard_missed", job_id=job.id, code=fault.code)
            await self._memory.jobs.renew([claim], due_at=self._clock.now() + DISCARD_PAUSE)
            return
        await self._memory.jobs.forget(claim)
        log.info("job.discarded", job_id=job.id)

    async def poll(self, claims: Sequence[Claim]) -> None:
        """Ask about jobs of one provider and account in one call, and write what it says in one transaction."""
        first = claims[0].job
        operations = [claim.job.operation for claim in claims if claim.job.operation is not None]
        try:
            reports = await self._kit.provider_of(first).poll(operations, account=first.account or "")
        except AdapterError as fault:
            log.warning("jobs.poll_missed", account=first.account, jobs=len(claims), code=fault.code)
            reports = {}
        await self._scribe.write_all([self._after_report(claim, reports) for claim in claims])

    def _after_report(self, claim: Claim, reports: Mapping[str, Report]) -> Write:
        job = claim.job
        report = reports.get(job.operation.name) if job.operation else None
        match report:
            case Finished(video):
                return self._scribe.next(claim, advance(job, Rendered(video)), 0.0)
            case Refused(failure):
                return self._scribe.next(claim, advance(job, Failed(failure, self._clock.now())), 0.0)
            case Working() if not self._pace.is_late(job, self._clock.now()):
                progress = estimate(job.elapsed(self._clock.now()), job.expected_seconds)
                pause = self._pace.until_next_beat(self._clock.now())
                return self._scribe.next(claim, advance(job, Progressed(progress)), pause)
            case Empty():
                return self._after_blank(
                    claim, NoMedia("Google calls the video finished and gives none. It was paid for.")
                )
            case _:
                return self._after_miss(claim, Missed())

    def _after_blank(self, claim: Claim, fault: NoMedia) -> Write:
        """Look again, because the video may come later, but not for ever."""
        if claim.job.blanks + 1 < MAX_BLANKS:
            return self._after_miss(claim, CameEmpty())
        return self._scribe.next(claim, advance(claim.job, Failed(Failure.of(fault), self._clock.now())), 0.0)

    async def fetch(self, claim: Claim) -> None:
        """Bring a finished video home: whole, verified, then remembered."""
        job = claim.job
        try:
            media = await bring_home(job, self._kit.provider_of(job), self._memory.media)
        except AdapterError as fault:
            log.warning("jobs.fetch_missed", job_id=job.id, misses=job.misses + 1, code=fault.code)
            match fault:
                case NoMedia():
                    write = self._after_blank(claim, fault)
                case _:
                    write = self._after_miss(claim, NotFetched())
        else:
            write = self._scribe.next(claim, advance(job, Stored(media, self._clock.now())), 0.0)
        await self._scribe.write_all([write])

    async def stumble(self, claims: Sequence[Claim]) -> None:
        """Count a step that broke by a mistake of ours as a fruitless look. A submission is left to its lease."""
        try:
            for claim in claims:
                job = await self._memory.jobs.get(claim.job.id)
                if job is not None and job.state in {JobState.SUBMITTED, JobState.READY}:
                    event = Missed() if job.state is JobState.SUBMITTED else NotFetched()
                    await self._scribe.write_all([self._after_miss(Claim(job, claim.token), event)])
        except StorageFailed as fault:
            log.warning("jobs.stumble_not_counted", jobs=len(claims), code=fault.code)

    def _after_miss(self, claim: Claim, event: Missed | CameEmpty | NotFetched) -> Write:
        """Look again later, ever more rarely; past the deadline, end the job after a few more looks in vain."""
        job, now = claim.job, self._clock.now()
        if job.misses + 1 == STALLED_LOOKS:
            operation = job.operation.name if job.operation else None
            log.error("jobs.stalled", job_id=job.id, account=job.account, operation=operation, state=job.state)
        if job.misses < LAST_LOOKS or not self._pace.is_late(job, self._clock.now()):
            return self._scribe.next(claim, advance(job, event), self._pace.pause_after(job.misses, now))
        fault = self._pace.too_late(made=job.state is JobState.READY)
        return self._scribe.next(claim, advance(job, Failed(Failure.of(fault), now)), 0.0)
