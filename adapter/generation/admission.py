"""Requests for videos become jobs here, or are joined to the job of an earlier request."""

import asyncio
import hashlib
import secrets
from collections import Counter
from collections.abc import Collection, Coroutine
from functools import partial
from uuid import uuid4

import structlog

from adapter.domain.executions import ConnectedProcess, RequestIdentity, is_same_content, pick
from adapter.domain.job import VideoJob
from adapter.domain.media import Image
from adapter.domain.orders import MAX_SEED, StoredInput, VideoDraft, VideoOrder
from adapter.domain.pieces import write_whole
from adapter.domain.ports import Clock, InputImages, Memory
from adapter.domain.stored_files import file_name
from adapter.errors import StorageFailed, Undecided, key_reused
from adapter.generation.background_writes import BackgroundWrites
from adapter.generation.timeouts import Timeouts

log = structlog.get_logger()

#: How long the connections of a process are believed to be there after its last word, and how often it says so. A
#: client that comes back after the process died waits for the lease to end: so it is short.
CONNECTION_LEASE_SECONDS = 5.0
ROUND_SECONDS = 1.0


class PendingAdmission:
    """A request for a video, from its arrival on, shared by all its attempts."""

    def __init__(self, identity: RequestIdentity, admitting: Coroutine[None, None, tuple[VideoJob, bool]]) -> None:
        self.identity = identity
        self.task = asyncio.create_task(admitting)
        #: Once it is remembered.
        self.job: VideoJob | None = None
        self.attempts = identity.repeat.count
        self.connections = 0
        self.is_answered = self.is_failed = self.is_refused = False

    @property
    def is_waited_for(self) -> bool:
        """Whether a connection waits for it."""
        return self.connections > 0


class Admission:
    """Knows which connections wait for which jobs, and remembers new jobs."""

    def __init__(
        self, inputs: InputImages, memory: Memory, clock: Clock, timeouts: Timeouts, writes: BackgroundWrites
    ) -> None:
        self._inputs = inputs
        self._memory = memory
        self._clock = clock
        self._timeouts = timeouts
        self._writes = writes
        #: The name of this process, under which its connections are known to others.
        self._process = secrets.token_hex(16)
        #: Requests whose job is not remembered yet, by scope, the oldest first.
        self._starting: dict[str, list[PendingAdmission]] = {}
        #: How many connections wait for a job, by its id.
        self._connections: Counter[str] = Counter()

    def join(self, draft: VideoDraft, identity: RequestIdentity) -> PendingAdmission:
        """Begin with a request, or return the earlier one that it joins, as `pick` says.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`: its key stood for something else.
        """
        starting = pick(self._starting.get(identity.scope, ()), identity.repeat)
        if starting is None:
            starting = PendingAdmission(identity, self._admit(draft, identity))
            self._starting.setdefault(identity.scope, []).append(starting)
            starting.task.add_done_callback(partial(self._started, starting))
        elif not is_same_content(starting.identity.content, identity.content):
            raise key_reused()
        starting.attempts = max(starting.attempts, identity.repeat.count)
        starting.connections += 1
        return starting

    def _started(self, starting: PendingAdmission, task: asyncio.Task[tuple[VideoJob, bool]]) -> None:
        """Count the connections of a job from the moment on that it is remembered."""
        same = self._starting[starting.identity.scope]
        same.remove(starting)
        if not same:
            del self._starting[starting.identity.scope]
        if task.cancelled() or task.exception() is not None:  # its connections are told
            return
        starting.job, _ = task.result()
        self._connections[starting.job.id] += starting.connections
        if not starting.connections:
            self._release(starting.job.id, answered=False)

    def leave(self, starting: PendingAdmission, *, answered: bool) -> None:
        """Let a connection go; say whether its client was given the job's id."""
        starting.connections -= 1
        if starting.job is None:
            return
        job_id = starting.job.id
        self._connections[job_id] -= 1
        if answered or not self._connections[job_id]:
            self._release(job_id, answered=answered)

    def _release(self, job_id: str, *, answered: bool) -> None:
        if not self._connections[job_id]:
            del self._connections[job_id]
        self._writes.add(self._note_release(job_id, answered=answered))

    async def _note_release(self, job_id: str, *, answered: bool) -> None:
        now = self._clock.now()
        try:
            await self._memory.jobs.release(job_id, self._process, answered_at=now if answered else None)
        except StorageFailed as fault:
            log.warning("jobs.release_not_noted", job_id=job_id, code=fault.code)

    async def _admit(self, draft: VideoDraft, identity: RequestIdentity) -> tuple[VideoJob, bool]:
        """Return the job of a request, and whether it is a new one.

        Its pictures are stored first: a job may be moved as soon as it is remembered.
        """
        # Who was just given a video and asks again at once wants a new one.
        await self._writes.finish()
        connected = self._connected()
        if known := await self._memory.jobs.recall(identity, now=self._clock.now(), connected=connected):
            return known, False
        stem = secrets.token_hex(16)
        order = draft.order
        images = await self._inputs.gather(draft.sources, draft.input_formats)
        if images:
            kept = [await self._keep_input(f"{stem}_{number}", image) for number, image in enumerate(images)]
            order = draft.with_pictures(kept, images[0].pixels)
        new = await self._new_job(order, identity.owner, stem)
        job = await self._remember(new, identity)
        if job.id != new.id:
            await self._memory.media.delete([picture.name for picture in order.pictures])
        return job, job.id == new.id

    def _connected(self, alive: Collection[str] = ()) -> ConnectedProcess:
        return ConnectedProcess(
            process=self._process, lease=CONNECTION_LEASE_SECONDS, alive=alive, window=self._timeouts.replay
        )

    async def _remember(self, new: VideoJob, identity: RequestIdentity) -> VideoJob:
        """Remember a job, or return the one that its request joins.

        The connections of an equal request may be those of a process that is dead: its lease decides, which is waited
        for. A lease that was renewed meanwhile is that of a process that is alive.
        """
        alive: set[str] = set()
        seen: dict[str, float] = {}
        while True:
            try:
                return await self._memory.jobs.admit(
                    new, now=self._clock.now(), identity=identity, connected=self._connected(alive)
                )
            except Undecided as found:
                # Half a round: what is told is a sum of times, and two clocks may have been compared anew between.
                if found.until > seen.setdefault(found.process, found.until) + ROUND_SECONDS / 2:
                    alive.add(found.process)
                else:
                    await self._clock.sleep(ROUND_SECONDS)

    async def _keep_input(self, stem: str, image: Image) -> StoredInput:
        data = await asyncio.to_thread(image.decode)
        name = file_name(stem, image.format)
        await write_whole(self._memory.media, name, data)
        return StoredInput(name, hashlib.sha256(data).hexdigest())

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
            expected_seconds=measured or self._timeouts.typical or order.typical_seconds,
        )

    async def run(self) -> None:
        """Tell other processes that the connections here are still there, until cancelled."""
        while True:
            await self._clock.sleep(ROUND_SECONDS)
            await self.tend()

    async def tend(self) -> None:
        """Do one round of that."""
        if not self._connections:
            return
        try:
            await self._memory.jobs.keep_alive(self._process, now=self._clock.now(), lease=CONNECTION_LEASE_SECONDS)
        except StorageFailed as fault:
            log.warning("connections.not_kept_alive", code=fault.code)

    async def finish(self) -> None:
        """Wait until all requests that have come are remembered."""
        while self._starting:
            await asyncio.wait([one.task for same in self._starting.values() for one in same])
