"""Stored responses: they are stored, looked up, cancelled and deleted; and pictures in the background."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import msgspec
import structlog

from adapter.domain.executions import RequestIdentity
from adapter.domain.image_job import ImageJob, advance_image, called_off
from adapter.domain.job import Failed
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Clock, JobStore, Memory, ResponseStore, Tracer
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.domain.telemetry import NoTracer
from adapter.errors import InvalidRequest, NotFound, StorageFailed
from adapter.generation.admission import Admission, Waiting
from adapter.generation.image_files import ImageFiles
from adapter.generation.liveness import Liveness
from adapter.generation.new_pictures import NewPictures
from adapter.generation.timeouts import Timeouts
from adapter.generation.watching import watch
from adapter.tasks import Tasks

log = structlog.get_logger()


class Responses:
    """Stores responses and shows them to their owner."""

    def __init__(self, store: ResponseStore, image_files: ImageFiles, clock: Clock) -> None:
        self._store = store
        self._image_files = image_files
        self._clock = clock

    async def remember(self, stored: StoredResponse) -> bool:
        """Store a new response; return False if there is one with that key."""
        return await self._store.add(stored)

    async def remember_end(self, stored: StoredResponse, image: Image | None = None) -> None:
        """Store a new response that is over, with its picture. If that fails, the client gets the picture all the same.

        Of several attempts of one request, which have one key, the first is remembered.
        """
        try:
            if image is not None:
                await self._image_files.keep(image, stored.name_of(image))
            if not await self._store.add(stored) and image is not None:
                await self._image_files.drop(stored.name_of(image))
        except StorageFailed as fault:
            log.error("responses.not_kept", key=stored.key, code=fault.code)  # noqa: TRY400 - the store said more

    async def find(self, key: str, owner: str) -> StoredResponse:
        """Return a response to its owner.

        Raises:
            NotFound: this owner has none of that key.
        """
        stored = await self._store.find(key, owner, now=self._clock.now())
        if stored is None:
            raise _not_found(key)
        return stored

    async def picture(self, stored: StoredResponse) -> Image | None:
        """Return a response's picture, if it has one.

        Raises:
            NotFound: its file is gone.
        """
        return None if stored.drawn is None else await self._image_files.bring(stored.drawn)

    async def cancel(self, key: str, owner: str) -> StoredResponse:
        """Cancel a response and return it; one that is over stays as it is.

        Raises:
            NotFound: this owner has none of that key.
            InvalidRequest: it is not in the background: hanging up ends it.
        """
        stored = await self.find(key, owner)
        if not stored.background:
            raise InvalidRequest("Only a response that was made with 'background' can be cancelled.", param="id")
        now = self._clock.now()
        ended = msgspec.structs.replace(stored, status=ResponseStatus.CANCELLED, finished_at=now)
        if stored.is_over or not await self._store.save(ended):
            return await self.find(key, owner)
        return ended

    async def delete(self, key: str, owner: str) -> StoredResponse:
        """Forget a reply and its picture for ever, and return it.

        Raises:
            NotFound: this owner has none of that key.
        """
        stored = await self._store.delete(key, owner, now=self._clock.now())
        if stored is None:
            raise _not_found(key)
        if stored.drawn is not None:
            await self._image_files.drop(stored.drawn.name)
        return stored


def _not_found(key: str) -> NotFound:
    return NotFound(f"There is no response 'resp_{key}' here.", param="id")


async def cancel_image(jobs: JobStore[ImageJob], job_id: str, clock: Clock) -> tuple[ImageJob, ImageJob] | None:
    """Cancel a picture and return its job as it was and as it is; None if there is no live one.

    The job ends at once: a process that works on it loses its claim and drops the picture. What was sent to Google is
    paid for.
    """
    while True:
        job, now = await jobs.get(job_id), clock.now()
        if job is None or job.is_over:
            return None
        ended = advance_image(job, Failed(called_off(), now))
        if await jobs.replace(job, ended, now=now):
            return job, ended


class Background:
    """Pictures that no connection waits for: jobs, whose responses are views of them."""

    def __init__(  # noqa: PLR0913 - each is a port
        self,
        responses: Responses,
        memory: Memory[ImageJob],
        clock: Clock,
        timeouts: Timeouts,
        liveness: Liveness,
        *,
        wake: Callable[[], None],
        tracer: Tracer | None = None,
    ) -> None:
        self._responses = responses
        self._memory = memory
        self._clock = clock
        self._timeouts = timeouts
        #: Tells the engine that there is a new job.
        self._wake = wake
        self._new = NewPictures(memory.media, clock, tracer or NoTracer())
        self._writes = Tasks("background")
        self._admission = Admission(memory, clock, timeouts, liveness, self._writes)

    def join(self, order: ImageOrder, identity: RequestIdentity) -> Waiting[ImageJob]:
        """Have a picture made, or join an earlier request for it, as `pick` says. The caller closes what it gets.

        The job is on disk before its id is known to anybody.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`: its key stood for something else.
            Draining: the process is shutting down.
        """
        self._memory.feed.check_open()
        starting = self._admission.join(
            identity, lambda: self._new.create(order, identity.owner), stores_files=bool(order.sources)
        )
        return Waiting(self._admission, starting, self._begun)

    async def _begun(self, job: ImageJob, within: float | None) -> ImageJob:  # noqa: ARG002 - the form of a callback
        self._wake()
        return job

    async def remember(self, draft: StoredResponse, job: ImageJob) -> StoredResponse:
        """Remember the response to a request, and return it as it stands.

        All attempts of one request have one response, whose key is that of the job.

        Raises:
            NotFound: it was deleted.
        """
        queued = msgspec.structs.replace(draft, stem=job.stem, status=ResponseStatus.QUEUED)
        if await self._responses.remember(queued):
            return queued
        return await self._responses.find(queued.key, queued.owner)

    async def watch(self, stored: StoredResponse) -> AsyncGenerator[StoredResponse, None]:
        """Yield a response as it stands, after each spell of silence, and when it is over.

        Raises:
            Draining: the process is shutting down; the job goes on.
        """
        yield stored
        job = None
        while not stored.is_over and job is None:
            job = await self._job(stored)
            if job is None:  # of an older version, which had no jobs, or the memory is away
                await self._clock.sleep(self._timeouts.heartbeat)
                stored = stored.seen(self._clock.now())
                yield stored
        if job is None or stored.is_over:
            return
        async with aclosing(watch(job, self._memory.feed, self._timeouts.heartbeat)) as states:
            async for seen in states:
                job = seen or job
                yield stored.following_image(job)

    async def _job(self, stored: StoredResponse) -> ImageJob | None:
        try:
            return await self._memory.jobs.get(stored.image_job_id)
        except StorageFailed as fault:
            log.warning("responses.not_followed", key=stored.key, code=fault.code)
            return None

    async def cancel(self, stored: StoredResponse) -> bool:
        """Cancel a picture (as `cancel_image`); return whether it is a job, which may be over."""
        cancelled = await cancel_image(self._memory.jobs, stored.image_job_id, self._clock)
        if cancelled is None:
            return await self._memory.jobs.get(stored.image_job_id) is not None
        self._memory.feed.publish(cancelled[1])
        return True

    def note_delivery(self, stored: StoredResponse) -> None:
        """Note that a client received the picture (as `Admission.note_delivery`)."""
        self._admission.note_delivery(stored.image_job_id)

    async def delete(self, stored: StoredResponse) -> None:
        """Give up the picture of a response that was deleted, and have its files deleted."""
        if await self.cancel(stored):
            await self._memory.jobs.delete(stored.image_job_id, stored.owner, now=self._clock.now())
            self._wake()

    async def finish(self) -> None:
        """Wait until all requests that have come are remembered, and how they were answered."""
        await self._admission.finish()
        await self._writes.finish()
