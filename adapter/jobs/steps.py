"""What happens to a job that is due: it is submitted, asked about, fetched, or given up."""

from collections.abc import Mapping, Sequence

import structlog

from adapter.domain.job import (
    Event,
    Failed,
    Failure,
    Intended,
    JobState,
    Missed,
    NotFetched,
    NotSent,
    Progressed,
    Rendered,
    Stored,
    Submitted,
    VideoJob,
    advance,
    estimate,
)
from adapter.domain.ports import (
    Claim,
    Clock,
    Finished,
    Memory,
    Refused,
    Report,
    VideoProvider,
    Working,
    Write,
)
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
from adapter.jobs.fetch import bring_home
from adapter.jobs.pace import Pace
from adapter.jobs.pictures import read_picture

log = structlog.get_logger()

#: Tries of a submission of which provably nothing was sent.
MAX_SENDS = 4
#: What is well again after a while. Of an upload all of it may be tried again; a submission has rules of its own.
PASSING = (UpstreamUnreachable, UpstreamSilent, UpstreamBroken, UpstreamBusy, StorageFailed)
#: Fruitless looks in a row without which no deadline ends a paid job: after a long downtime, or a jump of the clock, it
#: may just be finished.
LAST_LOOKS = 5


class Steps:
    """One method for each thing that is done with a claimed job."""

    def __init__(self, providers: Mapping[str, VideoProvider], memory: Memory, *, clock: Clock, pace: Pace) -> None:
        self._providers = providers
        self._memory = memory
        self._clock = clock
        self._pace = pace

    async def submit(self, claim: Claim) -> None:
        """Send a job upstream. The intent is on disk before the first byte leaves, and it is sent once.

        Its pictures are uploaded before that: it costs nothing, so whatever goes wrong with it may be tried again.
        """
        try:
            if self._is_late(claim.job):
                raise self._too_late()
            provider = self._provider(claim.job)
            account = provider.choose_account()
            pictures = await self._upload(provider, claim.job, account)
        except PASSING as fault:
            event = self._not_sent(claim.job, fault)
            pause = self._pace.pause_after(claim.job.misses, self._clock.now())
            await self._write(claim, advance(claim.job, event), pause)
            return
        except AdapterError as fault:
            await self._write(claim, advance(claim.job, Failed(Failure.of(fault), self._clock.now())), 0.0)
            return
        job = advance(claim.job, Intended(account))
        lease_end = self._clock.now() + self._pace.lease_seconds
        if not await self._write(claim, job, self._pace.lease_seconds):
            return
        # A disk that took longer than the lease: somebody else may hold the job by now, so nothing is sent.
        event = await self._send(provider, job, pictures) if self._clock.now() < lease_end else NotSent()
        await self._insist(claim, advance(job, event))

    async def _upload(self, provider: VideoProvider, job: VideoJob, account: str) -> Sequence[str]:
        if not job.order.pictures:
            return ()
        files = [await read_picture(self._memory.media, picture) for picture in job.order.pictures]
        return await provider.upload(files, account=account)

    async def _send(self, provider: VideoProvider, job: VideoJob, pictures: Sequence[str]) -> Event:
        """Submit once and say what is known after it (reference: `reliability.md` section 2.3)."""
        try:
            operation = await provider.submit(job, pictures)
        except (UpstreamUnreachable, UpstreamForgot) as fault:
            return self._not_sent(job, fault)
        except (UpstreamSilent, UpstreamBroken) as fault:
            return Failed(unknown_submission(fault), self._clock.now())
        except AdapterError as fault:
            return Failed(Failure.of(fault), self._clock.now())
        # Before anything else: with this line the operator can find a paid video even if the disk is lost now.
        log.info("job.submitted", job_id=job.id, account=job.account, operation=operation.name)
        return Submitted(operation, self._clock.now())

    def _not_sent(self, job: VideoJob, fault: AdapterError) -> Event:
        """Try again, but not for ever."""
        tired = job.misses + 1 >= MAX_SENDS
        return Failed(Failure.of(fault), self._clock.now()) if tired else NotSent()

    async def _insist(self, claim: Claim, job: VideoJob) -> None:
        """Write what came of a submission, however long the disk takes to be well again: it is known nowhere else."""
        while True:
            try:
                await self._write(claim, job, self._pace.until_next_beat(self._clock.now()))
            except StorageFailed:
                await self._clock.sleep(self._pace.poll_seconds)
            else:
                return

    async def give_up_submission(self, claim: Claim) -> None:
        """End a job whose sender died between intent and answer: it may have been executed, so it is not sent again."""
        fault = UpstreamBroken("The server stopped while the video was being submitted.")
        event = Failed(unknown_submission(fault), self._clock.now())
        await self._write(claim, advance(claim.job, event), 0.0)

    async def poll(self, claims: Sequence[Claim]) -> None:
        """Ask about jobs of one provider and account in one call, and write what it says in one transaction."""
        first = claims[0].job
        operations = [claim.job.operation for claim in claims if claim.job.operation is not None]
        try:
            reports = await self._provider(first).poll(operations, account=first.account or "")
        except AdapterError as fault:
            log.warning("jobs.poll_missed", account=first.account, jobs=len(claims), code=fault.code)
            reports = {}
        await self._write_all([self._after_report(claim, reports) for claim in claims])

    def _provider(self, job: VideoJob) -> VideoProvider:
        name = job.order.provider
        if name not in self._providers:
            raise UpstreamCredential(f"The provider '{name}' is no longer configured.")
        return self._providers[name]

    def _after_report(self, claim: Claim, reports: Mapping[str, Report]) -> Write:
        job = claim.job
        report = reports.get(job.operation.name) if job.operation else None
        match report:
            case Finished(video):
                return self._next(claim, advance(job, Rendered(video)), 0.0)
            case Refused(failure):
                return self._next(claim, advance(job, Failed(failure, self._clock.now())), 0.0)
            case Working() if not self._is_late(job):
                progress = estimate(job.elapsed(self._clock.now()), job.expected_seconds)
                pause = self._pace.until_next_beat(self._clock.now())
                return self._next(claim, advance(job, Progressed(progress)), pause)
            case _:
                return self._after_miss(claim, Missed())

    async def fetch(self, claim: Claim) -> None:
        """Bring a finished video home: whole, verified, then remembered."""
        job = claim.job
        try:
            media = await bring_home(job, self._provider(job), self._memory.media)
        except AdapterError as fault:
            log.warning("jobs.fetch_missed", job_id=job.id, misses=job.misses + 1, code=fault.code)
            write = self._after_miss(claim, NotFetched())
        else:
            write = self._next(claim, advance(job, Stored(media, self._clock.now())), 0.0)
        await self._write_all([write])

    async def stumble(self, claims: Sequence[Claim]) -> None:
        """Count a step that broke by a mistake of ours as a fruitless look. A submission is left to its lease."""
        try:
            for claim in claims:
                job = await self._memory.jobs.get(claim.job.id)
                if job is not None and job.state in {JobState.SUBMITTED, JobState.READY}:
                    event = Missed() if job.state is JobState.SUBMITTED else NotFetched()
                    await self._write_all([self._after_miss(Claim(job, claim.token), event)])
        except StorageFailed as fault:
            log.warning("jobs.stumble_not_counted", jobs=len(claims), code=fault.code)

    def _after_miss(self, claim: Claim, event: Missed | NotFetched) -> Write:
        """Look again later, ever more rarely; past the deadline, end the job after a few more looks in vain."""
        job, now = claim.job, self._clock.now()
        if job.misses < LAST_LOOKS or not self._is_late(job):
            return self._next(claim, advance(job, event), self._pace.pause_after(job.misses, now))
        return self._next(claim, advance(job, Failed(Failure.of(self._too_late()), now)), 0.0)

    def _is_late(self, job: VideoJob) -> bool:
        return self._clock.now() - (job.submitted_at or job.created_at) >= self._pace.deadline_seconds

    def _too_late(self) -> JobFailed:
        minutes = self._pace.deadline_seconds / 60
        return JobFailed(f"The video was not finished within {minutes:g} minutes.", code="deadline_exceeded")

    def _next(self, claim: Claim, job: VideoJob, pause: float) -> Write:
        return Write(claim, job, self._clock.now() + pause)

    async def _write(self, claim: Claim, job: VideoJob, pause: float) -> bool:
        return await self._write_all([self._next(claim, job, pause)])

    async def _write_all(self, writes: Sequence[Write]) -> bool:
        """Save, then tell the readers; a job whose claim was lost meanwhile belongs to somebody else."""
        written = await self._memory.jobs.save(writes)
        for job in written:
            self._memory.feed.publish(job)
            if job.is_over:
                log_end(job)
        for write in writes:
            if write.job not in written:
                operation = write.job.operation.name if write.job.operation else None
                log.error("jobs.claim_lost", job_id=write.job.id, state=write.job.state, operation=operation)
        return len(written) == len(writes)


def unknown_submission(fault: AdapterError) -> Failure:
    """Say that a video may or may not have been paid for. OpenAI's SDKs must not send it again by themselves."""
    return Failure.of(
        JobFailed(
            f"{fault.message} Google may or may not have started the video, so it is not sent again by itself; "
            "asking again may cost a second time.",
            code="upstream_submit_unknown",
        )
    )


def log_end(job: VideoJob) -> None:
    """Write the one canonical line of a job."""
    write = log.info if job.failure is None else log.warning
    write(
        "job.finished",
        job_id=job.id,
        model=job.order.model,
        account=job.account,
        operation=job.operation.name if job.operation else None,
        state=job.state,
        code=job.failure.code if job.failure else None,
        seconds=round((job.finished_at or 0.0) - job.created_at, 3),
        bytes=job.media.size if job.media else None,
    )
