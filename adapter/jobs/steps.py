"""What happens to a job that is due: it is submitted, asked about, or fetched. One claim, one step, one write."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import structlog

from adapter.domain.job import (
    Event,
    Failed,
    Failure,
    Intended,
    Missed,
    NotFetched,
    NotSent,
    Progressed,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    VideoJob,
    advance,
    estimate,
)
from adapter.domain.media import MediaFormat, RemoteVideo, sniff
from adapter.domain.ports import (
    Claim,
    Clock,
    Download,
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
    UpstreamBroken,
    UpstreamCredential,
    UpstreamSilent,
    UpstreamUnreachable,
)

log = structlog.get_logger()

#: Tries of a submission of which provably nothing was sent.
MAX_SENDS = 4
#: The longest pause between two looks at a job that cannot be looked at, in seconds.
MAX_PAUSE = 300.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long, in seconds."""

    #: Jobs are asked about on common beats of this length, so that one call serves all that are running.
    poll_seconds: float
    #: How long a claim holds without renewal, which comes with every beat; at least two beats.
    lease_seconds: float
    #: How long after its acceptance a job may still become a video.
    deadline_seconds: float

    def until_next_beat(self, now: float) -> float:
        """Seconds from now to the next beat."""
        return self.poll_seconds - now % self.poll_seconds

    def pause_after(self, misses: int, now: float) -> float:
        """Seconds to wait after so many fruitless looks in a row: a beat, then doubling up to five minutes."""
        longer = self.poll_seconds * ((1 << min(misses, 10)) - 1)
        return min(self.until_next_beat(now) + longer, MAX_PAUSE)


class Steps:
    """The three things that are done with jobs."""

    def __init__(self, providers: Mapping[str, VideoProvider], memory: Memory, *, clock: Clock, pace: Pace) -> None:
        self._providers = providers
        self._memory = memory
        self._clock = clock
        self._pace = pace

    async def submit(self, claim: Claim) -> None:
        """Send a job upstream. The intent is on disk before the first byte leaves, and it is sent once."""
        try:
            provider = self._provider(claim.job)
            job = advance(claim.job, Intended(provider.choose_account()))
        except AdapterError as fault:
            await self._write(claim, advance(claim.job, Failed(Failure.of(fault), self._clock.now())), 0.0)
            return
        lease_end = self._clock.now() + self._pace.lease_seconds
        if not await self._write(claim, job, self._pace.lease_seconds):
            return
        # A disk that took longer than the lease: somebody else may hold the job by now, so nothing is sent.
        event = await self._send(provider, job) if self._clock.now() < lease_end else NotSent()
        await self._write(claim, advance(job, event), self._pace.until_next_beat(self._clock.now()))

    async def _send(self, provider: VideoProvider, job: VideoJob) -> Event:
        """Submit once and say what is known after it (reference: `reliability.md` section 2.3)."""
        try:
            operation = await provider.submit(job)
        except UpstreamUnreachable as fault:
            tired = job.misses + 1 >= MAX_SENDS
            return Failed(Failure.of(fault), self._clock.now()) if tired else NotSent()
        except (UpstreamSilent, UpstreamBroken) as fault:
            return Failed(unknown_submission(fault), self._clock.now())
        except AdapterError as fault:
            return Failed(Failure.of(fault), self._clock.now())
        return Submitted(operation, self._clock.now())

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
            log.warning("jobs.poll_missed", account=first.account, jobs=len(claims), error=fault.message)
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
            case Working():
                progress = estimate(job.elapsed(self._clock.now()), job.expected_seconds)
                return self._unless_too_late(claim, Progressed(progress), self._pace.until_next_beat(self._clock.now()))
            case _:
                return self._unless_too_late(claim, Missed(), self._pace.pause_after(job.misses, self._clock.now()))

    async def fetch(self, claim: Claim) -> None:
        """Bring a finished video home: whole, verified, then remembered."""
        job = claim.job
        try:
            media = await self._bring_home(self._provider(job), job)
        except AdapterError as fault:
            log.warning("jobs.fetch_missed", job_id=job.id, misses=job.misses + 1, error=fault.message)
            write = self._unless_too_late(claim, NotFetched(), self._pace.pause_after(job.misses, self._clock.now()))
        else:
            write = self._next(claim, advance(job, Stored(media, self._clock.now())), 0.0)
        await self._write_all([write])

    async def _bring_home(self, provider: VideoProvider, job: VideoJob) -> StoredVideo:
        remote = job.remote or RemoteVideo("")
        stem = secrets.token_hex(16)
        video = f"{stem}.{MediaFormat.MP4.extension}"
        check = Check()
        async with provider.download(remote.url) as download:
            await self._memory.media.put(video, check.passing(download))
        poster = await self._bring_poster(provider, remote.poster_url, stem)
        return StoredVideo(video=video, poster=poster, size=check.size, sha256=check.sha256)

    async def _bring_poster(self, provider: VideoProvider, url: str | None, stem: str) -> str | None:
        """Fetch the poster; a video without one is still a video."""
        if url is None:
            return None
        try:
            async with provider.download(url) as download:
                data = b"".join([chunk async for chunk in download])
        except AdapterError as fault:
            log.warning("jobs.poster_missed", error=fault.message)
            return None
        kind = sniff(data[:16])
        if kind is None or kind is MediaFormat.MP4:
            return None
        name = f"{stem}.{kind.extension}"
        await self._memory.media.put(name, _one(data))
        return name

    def _unless_too_late(self, claim: Claim, event: Event, pause: float) -> Write:
        """Move a job on, or end it if its deadline has passed: the only way in which waiting ends without a video."""
        job = claim.job
        if self._clock.now() - job.created_at < self._pace.deadline_seconds:
            return self._next(claim, advance(job, event), pause)
        minutes = self._pace.deadline_seconds / 60
        fault = JobFailed(f"The video was not finished within {minutes:g} minutes.", code="deadline_exceeded")
        return self._next(claim, advance(job, Failed(Failure.of(fault), self._clock.now())), 0.0)

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


class Check:
    """Looks at a file while it passes by: it has to be an MP4 and as long as it was announced."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of everything that passed, in hex."""
        return self._digest.hexdigest()

    async def passing(self, download: Download) -> AsyncIterator[bytes]:
        """Yield the download's pieces.

        Raises:
            UpstreamBroken: at the first piece if it is not an MP4, at the end if the length is wrong or was not told.
        """
        async for chunk in download:
            if self.size == 0 and sniff(chunk[:16]) is not MediaFormat.MP4:
                raise UpstreamBroken("The link to the video leads to something else.")
            self.size += len(chunk)
            self._digest.update(chunk)
            yield chunk
        if self.size == 0 or self.size != download.length:
            raise UpstreamBroken(f"The video was cut: {self.size} of {download.length} bytes came.")


async def _one(data: bytes) -> AsyncIterator[bytes]:
    yield data


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
    log.info(
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
