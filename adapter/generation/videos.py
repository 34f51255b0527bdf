"""Videos, which are jobs: they belong to nobody's connection."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from uuid import uuid4

import structlog

from adapter.domain.job import JobState, VideoJob
from adapter.domain.media import Image
from adapter.domain.orders import MAX_SEED, KeptPicture, Page, VideoOrder, VideoWish
from adapter.domain.pieces import one_piece
from adapter.domain.ports import Clock, InputImages, Memory
from adapter.domain.repeats import Asking
from adapter.errors import InvalidRequest, NotFound, StorageFailed
from adapter.generation.patience import Patience

log = structlog.get_logger()


class Videos:
    """Has videos made, and tells how they come along."""

    def __init__(
        self, inputs: InputImages, memory: Memory, clock: Clock, patience: Patience, nudge: Callable[[], None]
    ) -> None:
        self._inputs = inputs
        self._memory = memory
        self._clock = clock
        self._patience = patience
        #: Tells whoever moves the jobs that there is a new one.
        self._nudge = nudge
        self._notes: set[asyncio.Task[None]] = set()
        #: Those that wait for their job and can be joined, by scope and content.
        self._starting: dict[tuple[str, str], asyncio.Task[VideoJob]] = {}

    async def check_readiness(self) -> None:
        """Return if new work can be taken.

        Raises:
            Draining: the process is shutting down.
        """
        self._memory.feed.check_open()
        await self._memory.jobs.recent(1)

    async def recall(self, asking: Asking) -> VideoJob | None:
        """Return the job of an earlier attempt of a request, of which it is the retry or has the key.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`: its key stood for something else.
            NotFound: the video of its key was deleted.
        """
        return await self._memory.jobs.recall(asking, now=self._clock.now()) if asking.is_repetition else None

    async def start_video(
        self, wish: VideoWish, asking: Asking, *, joins: bool = True, within: float | None = None
    ) -> VideoJob:
        """Have a video made and return its job once the provider took it, or after `within` seconds as it then stands.

        A repetition gets the job of the first attempt. Who asks anew for what is being made, or for what was made and
        never handed over, gets that very job too, if the route `joins`; else a first attempt joins only one that still
        waits here, and an `Idempotency-Key` always stands for a job of its own. The job belongs to nobody's connection:
        hanging up here or later changes nothing for it.

        Raises:
            InvalidRequest: a picture to work from cannot be had or used; or as `recall`.
            NotFound: as `recall`.
            ContentRefused, UpstreamFault, JobFailed: it was not taken, for the reason given.
            Draining: the process is shutting down; the job, if it was taken, goes on.
        """
        if joins and not asking.has_key:
            return await self._start(wish, asking, self._patience.replay, within)
        same = asking.scope, asking.content
        first = self._starting.get(same)
        if first is None:
            first = self._starting[same] = asyncio.create_task(self._start(wish, asking, None, within))
            first.add_done_callback(lambda done: self._forget_start(same, done))
        return await asyncio.shield(first)

    def _forget_start(self, same: tuple[str, str], done: asyncio.Task[VideoJob]) -> None:
        del self._starting[same]
        if not done.cancelled():
            done.exception()  # whoever waits for it hears of it, if there is anybody

    async def _start(self, wish: VideoWish, asking: Asking, window: float | None, within: float | None) -> VideoJob:
        self._memory.feed.check_open()
        # Who was just given a video and asks again at once wants a new one.
        await self.finish_notes()
        job = await self.recall(asking) or await self._admit(wish, asking, window)
        self._nudge()
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
        taking = asyncio.create_task(self._taken(job))
        taking.add_done_callback(lambda _: settled.set())
        try:
            in_time = await self._clock.wait(settled, seconds)
            return taking.result() if in_time else await self._memory.jobs.get(job.id) or job
        finally:
            taking.cancel()

    async def _admit(self, wish: VideoWish, asking: Asking, window: float | None) -> VideoJob:
        """Remember a wish with its pictures, which are stored first: the job may be moved as soon as it is known."""
        stem = secrets.token_hex(16)
        order = wish.order
        images = await self._inputs.gather(wish.sources, wish.input_formats)
        if images:
            kept = [await self._keep_input(f"{stem}_{number}", image) for number, image in enumerate(images)]
            order = wish.settled(kept, images[0].pixels)
        new = await self._new_job(order, asking.owner, stem)
        job = await self._memory.jobs.admit(new, now=self._clock.now(), window=window, asking=asking)
        if job.id != new.id:
            await self._memory.media.delete([picture.name for picture in order.pictures])
        return job

    async def _keep_input(self, stem: str, image: Image) -> KeptPicture:
        data = await asyncio.to_thread(image.decode)
        name = f"{stem}.{image.format.extension}"
        await self._memory.media.put(name, one_piece(data))
        return KeptPicture(name, hashlib.sha256(data).hexdigest())

    async def _new_job(self, order: VideoOrder, owner: str, stem: str) -> VideoJob:
        measured = await self._memory.jobs.measured_seconds(order.upstream)
        return VideoJob(
            id=f"video_{secrets.token_hex(16)}",
            owner=owner,
            order=order,
            # Settled before anything is sent, so that the job's record says what was really asked for.
            seed=secrets.randbelow(MAX_SEED + 1) if order.seed is None else order.seed,
            mark=str(uuid4()),
            stem=stem,
            created_at=self._clock.now(),
            expected_seconds=measured or self._patience.typical or order.typical_seconds,
        )

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
        """Return a job, whoever owns it, a deleted one too.

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
        self._nudge()

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
                moved = await changes.next(job, self._patience.heartbeat)
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
        task = asyncio.create_task(self._note_delivery(job_id))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _note_delivery(self, job_id: str) -> None:
        try:
            await self._memory.jobs.mark_delivered(job_id, now=self._clock.now())
        except StorageFailed as fault:
            # Costs nothing worse than handing the same video over twice.
            log.warning("jobs.delivery_not_noted", job_id=job_id, code=fault.code)

    async def finish_notes(self) -> None:
        """Wait until every delivery so far is noted."""
        if self._notes:
            await asyncio.wait(self._notes)


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"There is no video '{job_id}'.", param="video_id")
