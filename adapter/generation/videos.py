"""Videos, which are jobs: shared by every connection that waits for one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

import structlog

from adapter.domain.executions import RequestIdentity
from adapter.domain.job import JobState, VideoJob
from adapter.domain.orders import Page, VideoWish
from adapter.domain.ports import Clock, InputImages, Memory
from adapter.errors import InvalidRequest, NotFound, StorageFailed
from adapter.generation.admission import Admission, PendingAdmission
from adapter.generation.timeouts import Timeouts
from adapter.tasks import Tasks, beside

log = structlog.get_logger()

#: Returns a job once the provider took it, or after so many seconds as it then stands.
Taken = Callable[[VideoJob, float | None], Awaitable[VideoJob]]


class Waiting:
    """One connection that waits for a video. It has to be closed."""

    def __init__(self, admission: Admission, starting: PendingAdmission, taken: Taken) -> None:
        self._admission = admission
        self._starting = starting
        self._taken = taken
        self._closed = False
        #: Whether there is a job for the client to be told of, and not an error.
        self._is_told = False
        #: Whether the answer is one of an earlier request.
        self.is_replay = False

    async def job(self, within: float | None = None) -> VideoJob:
        """Return the job once the provider took it, or after `within` seconds as it then stands.

        Raises:
            InvalidRequest: a picture to work from cannot be had or used; or as `Videos.join`.
            NotFound: the video of its key was deleted.
            ContentRefused, UpstreamFault, JobFailed: it was not taken, for the reason given.
            Draining: the process is shutting down; the job, if it was taken, goes on.
        """
        # Not `shield`: from Python 3.14 on it reports the error of a task whose waiter was cancelled.
        await asyncio.wait([self._starting.task])
        job, is_new = self._starting.task.result()
        self.is_replay = not is_new and self._starting.identity.is_repetition
        job = await self._taken(job, within)
        self._is_told = True
        return job

    def close(self, *, delivered: bool) -> None:
        """Let go; say whether the client was given the answer. Only the first time counts."""
        if not self._closed:
            self._closed = True
            self._admission.leave(self._starting, answered=delivered and self._is_told)

    def close_stream(self, *, delivered: bool) -> None:  # noqa: ARG002 - the form of a callback
        """Let go of a stream. Whether its client was given the video is noted where the video is sent."""
        self.close(delivered=False)


class Videos:
    """Has videos made, and tells how they come along."""

    def __init__(
        self, inputs: InputImages, memory: Memory, clock: Clock, timeouts: Timeouts, wake: Callable[[], None]
    ) -> None:
        self._inputs = inputs
        self._memory = memory
        self._clock = clock
        self._timeouts = timeouts
        #: Tells whoever moves the jobs that there is a new one.
        self._wake = wake
        self._writes = Tasks("videos")
        self._admission = Admission(inputs, memory, clock, timeouts, self._writes)

    async def check_readiness(self) -> None:
        """Return if new work can be taken.

        Raises:
            Draining: the process is shutting down.
        """
        self._memory.feed.check_open()
        await self._memory.jobs.recent(1)

    def join(self, wish: VideoWish, identity: RequestIdentity) -> Waiting:
        """Have a video made, or join an earlier request for it, as `pick` says. The caller closes what it gets.

        The job is shared by every connection that waits for it: hanging up changes nothing for it.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`: its key stood for something else.
            Draining: the process is shutting down.
        """
        self._memory.feed.check_open()
        return Waiting(self._admission, self._admission.join(wish, identity), self._taken_or_failed)

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

    async def list_videos(self, owner: str, page: Page) -> tuple[Sequence[VideoJob], bool]:
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

    async def watch_video(self, job: VideoJob) -> AsyncGenerator[VideoJob | None, None]:
        """Yield a job as it is known, then whenever it moves, until it is over; None after each spell of silence.

        A spell begins when what was yielded before is dealt with. Who sends something each time is never silent for
        longer.

        Raises:
            Draining: the process is shutting down; the job goes on.
        """
        if job.is_over:
            yield job
            return
        with self._memory.feed.subscribe(job.id) as changes:
            yield job
            while not job.is_over:
                moved = await changes.next(job, self._timeouts.heartbeat)
                yield moved
                job = moved or job

    async def watch_history(self, job: VideoJob, *, after: int) -> AsyncGenerator[tuple[VideoJob, int] | None, None]:
        """Yield a job for each place of its history behind `after`, with that place; None where there is nothing new.

        A reader that is slow or was away misses none: the job has them all.

        Raises:
            Draining: as `watch_video`.
        """
        async with aclosing(self.watch_video(job)) as states:
            del job  # else each of ten thousand readers keeps a copy of its own instead of the one that all are told of
            async for seen in states:
                if seen is None or len(seen.history) <= after:
                    yield None
                    continue
                for number in range(after + 1, len(seen.history) + 1):
                    yield seen, number
                after = len(seen.history)

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
        """Note that a client has been given the video: the same wish after this is a new one.

        A task of its own: the client may close its connection at the same moment, which ends what it was asking for.
        """
        self._writes.start(self._note_delivery(job_id))

    async def _note_delivery(self, job_id: str) -> None:
        try:
            await self._memory.jobs.mark_delivered(job_id, now=self._clock.now())
        except StorageFailed as fault:
            # Costs nothing worse than handing the same video over twice.
            log.warning("jobs.delivery_not_noted", job_id=job_id, code=fault.code)

    async def run(self) -> None:
        """Tell other processes that the connections here are still there, until cancelled."""
        await self._admission.run()

    async def finish_notes(self) -> None:
        """Wait until every delivery so far is noted."""
        await self._writes.settle()

    async def finish(self) -> None:
        """Wait until all requests that have come are remembered, and how they were answered."""
        await self._admission.finish()
        await self._writes.finish()


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"There is no video '{job_id}'.", param="video_id")
