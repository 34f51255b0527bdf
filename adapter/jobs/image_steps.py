"""What happens to a picture in the background that is due: it is made, given up, cancelled, or its files are deleted.

The order of the writes is that of a video: the intent, then the file of the picture, then the job with its name. The
file is what the spool is for a video: a picture whose process died between the two is found by its file.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

import msgspec
import structlog

from adapter.domain import memory_estimate
from adapter.domain.image_job import LOST, ImageJob, Made, advance_image, called_off
from adapter.domain.job import DEADLINE_CODE, Failed, Failure, Intended, JobState, NotSent
from adapter.domain.media import Image, image_from_bytes
from adapter.domain.pieces import find_whole, write_paid
from adapter.domain.ports import Budget, Claim, Clock, ImageMaker, Memory, Metrics, Tracer, Work
from adapter.domain.prices import priced
from adapter.domain.stored_files import StoredImage
from adapter.domain.telemetry import NoMetrics, NoTracer
from adapter.errors import (
    AdapterError,
    Draining,
    JobFailed,
    OwnFault,
    ServerBusy,
    StorageFailed,
    UpstreamCredential,
    already_paid,
)
from adapter.jobs.discarding import discard
from adapter.jobs.job_writer import JobWriter
from adapter.jobs.poll_schedule import MAX_SENDS, PollSchedule
from adapter.jobs.poller import Step
from adapter.tasks import Deadline

log = structlog.get_logger()

_T = TypeVar("_T")


class ImageContext(msgspec.Struct, frozen=True, kw_only=True):
    """The outside world of the steps, and their times."""

    makers: Mapping[str, ImageMaker]
    memory: Memory[ImageJob]
    budget: Budget
    clock: Clock
    schedule: PollSchedule
    #: What pictures under way get when the process is told to stop, in seconds.
    drain_seconds: float
    metrics: Metrics = msgspec.field(default_factory=NoMetrics)
    tracer: Tracer = msgspec.field(default_factory=NoTracer)


class ImageSteps:
    """One method for each thing that is done with a claimed picture (`Steps` of the engine)."""

    def __init__(self, context: ImageContext) -> None:
        self._context = context
        self._memory = context.memory
        self._clock = context.clock
        self._schedule = context.schedule
        self._writer = JobWriter(context.memory, context.clock, context.metrics, context.tracer)
        self._before_sending = Deadline()
        self._last_while = Deadline()

    def drain(self) -> None:
        """Begin nothing more, and give the pictures under way a last while: they are paid for."""
        self._before_sending.expire_in(0.0)
        self._last_while.expire_in(self._context.drain_seconds)

    async def replay(self) -> None:
        """Do nothing: what an earlier process was told is found by its file (as `Steps`)."""

    def plan(self, claims: Sequence[Claim[ImageJob]]) -> Iterator[Step[ImageJob]]:
        """Yield the next step of each claimed job (as `Steps`)."""
        for claim in claims:
            match claim.job.state:
                case JobState.COMPLETED | JobState.FAILED if claim.unwanted:
                    yield Step(discard(claim, claim.job.files, self._memory, self._clock), [claim])
                case JobState.SUBMITTING:
                    yield Step(self.find_unanswered(claim), [claim])
                case JobState.ACCEPTED if not claim.unwanted:
                    yield Step(self.make(claim), [claim], is_sending=True)
                case JobState.ACCEPTED:
                    yield Step(self.cancel(claim), [claim])
                case state:
                    # By a mistake of ours: it must not keep the others of this round from being moved.
                    log.error("poller.nothing_to_do", job_id=claim.job.id, state=state)

    async def make(self, claim: Claim[ImageJob]) -> None:
        """Make a picture as soon as there is memory for it. The intent is on disk before the first byte leaves."""
        if self._clock.now() - claim.job.created_at >= self._schedule.deadline_seconds:
            await self._end(claim, claim.job, _too_late(self._schedule))
            return
        work: Work | None = None
        async with AsyncExitStack() as held:
            try:
                async with self._before_sending.limit():
                    size = memory_estimate.of_order(claim.job.order)
                    budget = self._context.budget
                    work = Work(claim.job.owner, await held.enter_async_context(budget.reserve(size, claim.job.owner)))
            except ServerBusy as fault:
                await self._try_later(claim, claim.job, fault)
                return
            except TimeoutError:
                pass  # told to stop
            if work is None or self._before_sending.is_over:  # another process makes it
                await self._writer.write(claim, claim.job)
                return
            await self._submit(claim, work)

    async def _submit(self, claim: Claim[ImageJob], work: Work) -> None:
        job = advance_image(claim.job, Intended("", self._clock.now()))
        lease_end = self._clock.now() + self._schedule.lease_seconds
        if not await self._writer.intend(claim, job, self._schedule.lease_seconds):
            return
        if self._clock.now() >= lease_end:
            # A disk that took longer than the lease: another process may hold the job by now, so nothing is sent.
            await self._persist(lambda: self._writer.write(claim, advance_image(job, NotSent(is_try=False))))
            return
        try:
            image = await self._made(job, work)
        except AdapterError as fault:
            await self._after_fault(claim, job, fault)
        else:
            await self._keep(claim, job, image)

    async def _after_fault(self, claim: Claim[ImageJob], job: ImageJob, fault: AdapterError) -> None:
        if isinstance(fault, ServerBusy):  # nothing was begun
            await self._persist(lambda: self._try_later(claim, job, fault))
        else:
            await self._persist(lambda: self._end(claim, job, Failure.of(fault), may_be_paid=fault.spent))

    async def _made(self, job: ImageJob, work: Work) -> Image:
        maker = self._context.makers.get(job.order.provider)
        if maker is None:
            raise UpstreamCredential(f"The provider '{job.order.provider}' is no longer configured.")
        try:
            async with self._last_while.limit():
                made = await maker.make_images(job.order, work)
        except TimeoutError as error:
            with already_paid():
                raise Draining("The server is shutting down and could not wait for the picture.") from error
        return priced(made, job.order.quotes, job.created_at)[0]

    async def _keep(self, claim: Claim[ImageJob], job: ImageJob, image: Image) -> None:
        """Remember a picture: its file first, then the job."""
        name = f"{job.stem}.{image.format.extension}"
        try:
            await write_paid(self._memory.media, name, image, self._clock)
        except AdapterError as fault:
            failure = Failure.of(fault)
            await self._persist(lambda: self._end(claim, job, failure, may_be_paid=True))
            return
        done = advance_image(job, Made(StoredImage.of(image, name), self._clock.now()))
        if await self._persist(lambda: self._writer.write(claim, done)):
            await self._drop(job.inputs)
        else:
            await self._persist(lambda: self._drop_unless_completed(job.id, name))

    async def _drop_unless_completed(self, job_id: str, name: str) -> None:
        """Drop a picture whose job was cancelled or given up meanwhile. One that was found by its file keeps it."""
        job = await self._memory.jobs.get(job_id)
        if job is None or job.state is JobState.FAILED:
            await self._drop([name])

    async def find_unanswered(self, claim: Claim[ImageJob]) -> None:
        """End a picture whose sender died: with its file if that is there, else as unknown. It is never sent again."""
        job = claim.job
        data = await find_whole(self._memory.media, job.file) or b""
        image = await asyncio.to_thread(image_from_bytes, data)
        if image is None:
            await self._end(claim, job, LOST, may_be_paid=True)
            return
        await self._writer.write(claim, advance_image(job, Made(StoredImage.of(image, job.file), self._clock.now())))
        await self._drop(job.inputs)

    async def cancel(self, claim: Claim[ImageJob]) -> None:
        """End a picture that was cancelled before it was sent."""
        await self._end(claim, claim.job, called_off())

    async def count_failure(self, claims: Sequence[Claim[ImageJob]]) -> None:
        """Count a step that broke before anything was sent (as `Steps`). A picture under way is left to its lease."""
        try:
            for claim in claims:
                job = await self._memory.jobs.get(claim.job.id)
                if job is not None and job.state is JobState.ACCEPTED:
                    await self._try_later(claim, job, OwnFault("The picture could not be made."))
        except StorageFailed as fault:
            log.warning("jobs.stumble_not_counted", jobs=len(claims), code=fault.code)

    async def _try_later(self, claim: Claim[ImageJob], job: ImageJob, fault: AdapterError) -> bool:
        """Try again, ever later, but not for ever."""
        if job.misses + 1 >= MAX_SENDS:
            return await self._end(claim, job, Failure.of(fault))
        pause = self._schedule.pause_after(job.misses, self._clock.now())
        return await self._writer.write(claim, advance_image(job, NotSent()), pause)

    async def _end(self, claim: Claim[ImageJob], job: ImageJob, failure: Failure, *, may_be_paid: bool = False) -> bool:
        ended = advance_image(job, Failed(failure, self._clock.now(), may_be_paid))
        is_written = await self._writer.write(claim, ended)
        if is_written:
            await self._drop(job.inputs)
        return is_written

    async def _persist(self, write: Callable[[], Awaitable[_T]]) -> _T:
        """Write, however long the database takes to be well again: what is written is known nowhere else."""
        while True:
            try:
                return await write()
            except StorageFailed:
                await self._clock.sleep(self._schedule.poll_seconds)

    async def _drop(self, names: Sequence[str]) -> None:
        """Delete files that are of no use any more. What the media store does not take now goes with the response."""
        if not names:
            return
        try:
            await self._memory.media.delete(names)
        except StorageFailed as fault:
            log.warning("jobs.inputs_left", files=len(names), code=fault.code)


def _too_late(schedule: PollSchedule) -> Failure:
    minutes = schedule.deadline_seconds / 60
    return Failure.of(JobFailed(f"The picture was not made within {minutes:g} minutes.", code=DEADLINE_CODE))
