"""Videos, which are jobs: shared by every connection that waits for one."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import structlog

from adapter.domain.executions import RequestIdentity
from adapter.domain.job import JobState, VideoJob
from adapter.domain.orders import VideoDraft
from adapter.domain.paging import Page
from adapter.domain.ports import Clock, InputImages, Memory, Reservation, Tracer, Work
from adapter.domain.telemetry import NoTracer
from adapter.errors import InvalidRequest, NotFound
from adapter.generation.admission import Admission, Waiting
from adapter.generation.liveness import Liveness
from adapter.generation.new_videos import NewVideos
from adapter.generation.timeouts import Timeouts
from adapter.generation.watching import watch, watch_history
from adapter.tasks import Tasks, beside

log = structlog.get_logger()


class Videos:
    """Has videos made, and tells how they come along."""

    def __init__(  # noqa: PLR0913 - each is a port
        self,
        inputs: InputImages,
        memory: Memory,
        clock: Clock,
        timeouts: Timeouts,
        liveness: Liveness,
        *,
        wake: Callable[[], None],
        tracer: Tracer | None = None,
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._timeouts = timeouts
        #: Tells the poller that there is a new job.
        self._wake = wake
        self._writes = Tasks("videos")
        self._new = NewVideos(inputs, memory, clock, timeouts, tracer or NoTracer())
        self._admission = Admission(memory, clock, timeouts, liveness, self._writes)

    def join(
        self, draft: VideoDraft, identity: RequestIdentity, reservation: Reservation | None = None
    ) -> Waiting[VideoJob]:
        """Have a video made, or join an earlier request for it, as `pick` says. The caller closes what it gets.

        Pictures to work from are converted in memory of the reservation.

        The job is shared by every connection that waits for it: hanging up changes nothing for it.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`: its key stood for something else.
            Draining: the process is shutting down.
        """
        self._memory.feed.check_open()
        work = Work(identity.owner, reservation, lambda: starting.is_waited_for)
        starting = self._admission.join(identity, lambda: self._new.create(draft, work), stores_files=draft.has_files)
        return Waiting(self._admission, starting, self._taken_or_failed)

    async def _taken_or_failed(self, job: VideoJob, within: float | None) -> VideoJob:
        """Return a job once the provider took it, or after `within` seconds as it then stands (as `Waiting.job`)."""
        self._wake()
        job = await (self._taken(job) if within is None else self._taken_in_time(job, within))
        if job.failure is not None and job.operation is None:
            raise job.failure.as_fault()
        return job

    async def _taken(self, job: VideoJob) -> VideoJob:
        async with aclosing(self.watch_video(job)) as states:
            async for seen in states:
                job = seen or job
                # An ambiguous one goes on as a job that is queued: what became of it is known in minutes.
                if job.state not in {JobState.ACCEPTED, JobState.SUBMITTING}:
                    break
        return job

    async def _taken_in_time(self, job: VideoJob, seconds: float) -> VideoJob:
        settled = asyncio.Event()
        async with beside(self._taken(job)) as taking:
            taking.add_done_callback(lambda _: settled.set())
            in_time = await self._clock.wait(settled, seconds)
            return taking.result() if in_time else await self._memory.jobs.get(job.id) or job

    async def find_video(self, job_id: str, owner: str) -> VideoJob:
        """Return a job of this owner.

        Raises:
            NotFound: there is none, or it was deleted.
        """
        job = await self._memory.jobs.find(job_id, owner)
        if job is None:
            raise _unknown(job_id)
        return job

    async def get_video(self, job_id: str) -> VideoJob:
        """Return a job of any owner, also a deleted one.

        Raises:
            NotFound: there is none.
        """
        job = await self._memory.jobs.get(job_id)
        if job is None:
            raise _unknown(job_id)
        return job

    async def list_videos(self, owner: str, page: Page[str]) -> tuple[Sequence[VideoJob], bool]:
        """Return a page of this owner's jobs, and whether there are more behind it.

        Raises:
            InvalidRequest: the page begins after a job that this owner never had.
        """
        after = None
        if page.after is not None:
            # A deleted one still has its place: who deletes while turning pages finds the next one.
            after = await self._memory.jobs.get(page.after)
            if after is None or after.owner != owner:
                raise InvalidRequest(f"There is no video '{page.after}' to go on after.", param="after")
        found = await self._memory.jobs.list(owner, after=after, limit=page.limit + 1, newest_first=page.newest_first)
        return found[: page.limit], len(found) > page.limit > 0

    async def delete_video(self, job_id: str, owner: str) -> None:
        """Forget a job of this owner with its files. One that is still being made is given up.

        Raises:
            NotFound: there is none, or it was deleted already.
        """
        if not await self._memory.jobs.delete(job_id, owner, now=self._clock.now()):
            raise _unknown(job_id)
        self._wake()

    def watch_video(self, job: VideoJob) -> AsyncGenerator[VideoJob | None, None]:
        """Yield a job whenever it moves, and None after each spell of silence (as `watch`)."""
        return watch(job, self._memory.feed, self._timeouts.heartbeat)

    def watch_history(self, job: VideoJob, *, after: int) -> AsyncGenerator[tuple[VideoJob, int] | None, None]:
        """Yield a job for each place of its history behind `after`, with that place (as `watching.watch_history`)."""
        return watch_history(job, self._memory.feed, self._timeouts.heartbeat, after=after)

    async def finish_video(self, job: VideoJob) -> VideoJob:
        """Wait until a job is over and return it.

        Raises:
            Draining: the process is shutting down; the job goes on.
        """
        async with aclosing(self.watch_video(job)) as states:
            async for seen in states:
                job = seen or job
        return job

    def note_delivery(self, job_id: str) -> None:
        """Note that a client received the video (as `Admission.note_delivery`)."""
        self._admission.note_delivery(job_id)

    async def finish_notes(self) -> None:
        """Wait until every delivery so far is noted."""
        await self._writes.settle()

    async def finish(self) -> None:
        """Wait until all requests that have come are remembered, and how they were answered."""
        await self._admission.finish()
        await self._writes.finish()


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"There is no video '{job_id}'.", param="video_id")
