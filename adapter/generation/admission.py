"""Admission: a request becomes a new job, or joins the job of an earlier request."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

import structlog

from adapter.domain.executions import ConnectedProcess, RequestIdentity, is_same_content, pick
from adapter.domain.job_kinds import J
from adapter.domain.ports import Clock, Memory
from adapter.errors import ClientFault, StorageFailed, Undecided, key_reused
from adapter.generation.liveness import Liveness
from adapter.generation.timeouts import Timeouts
from adapter.tasks import Tasks

log = structlog.get_logger()

_T = TypeVar("_T")

#: Between two looks at the lease of another process, in seconds.
LOOK_SECONDS = 1.0
#: A lease that ends so much later was renewed, in seconds. The clocks may have been compared again meanwhile.
RENEWED_SECONDS = 0.5


#: Returns a new job, with the files that it is made from stored.
Create = Callable[[], Awaitable[J]]
#: Returns a job as its client is to be told of it, after so many seconds at the latest.
Ready = Callable[[J, float | None], Awaitable[J]]


class PendingAdmission(Generic[J]):
    """A request for a job, from its arrival on, shared by all its attempts."""

    def __init__(self, identity: RequestIdentity, task: asyncio.Task[tuple[J, bool]]) -> None:
        self.identity = identity
        self.task = task
        #: The job, once it is stored.
        self.job: J | None = None
        self.attempts = identity.repeat.count
        self.connections = 0
        self.is_answered = self.is_failed = self.is_refused = False

    @property
    def is_waited_for(self) -> bool:
        """Whether a connection waits for it."""
        return self.connections > 0


class Admission(Generic[J]):
    """Stores new jobs of one kind, and knows which connections wait for which job."""

    def __init__(self, memory: Memory[J], clock: Clock, timeouts: Timeouts, liveness: Liveness, writes: Tasks) -> None:
        self._memory = memory
        self._clock = clock
        self._process = liveness.process
        self._timeouts = timeouts
        self._writes = writes
        self._tasks = Tasks("admission")
        #: Requests whose job is not stored yet, by scope, the oldest first.
        self._starting: dict[str, list[PendingAdmission[J]]] = {}
        #: How many connections wait for a job, by its id.
        self._connections: Counter[str] = Counter()
        liveness.keep_while(lambda: bool(self._connections))

    def join(self, identity: RequestIdentity, create: Create[J], *, stores_files: bool = False) -> PendingAdmission[J]:
        """Begin with a request, or return the earlier one that it joins (see `pick`).

        `stores_files` says whether `create` stores files.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`: its key was used for other content.
        """
        starting = pick(self._starting.get(identity.scope, ()), identity.repeat)
        if starting is None:
            starting = PendingAdmission(
                identity, self._tasks.begin(self._admit(identity, create, stores_files=stores_files))
            )
            self._starting.setdefault(identity.scope, []).append(starting)
            starting.task.add_done_callback(partial(self._started, starting))
        elif not is_same_content(starting.identity.content, identity.content):
            raise key_reused()
        starting.attempts = max(starting.attempts, identity.repeat.count)
        starting.connections += 1
        return starting

    def _started(self, starting: PendingAdmission[J], task: asyncio.Task[tuple[J, bool]]) -> None:
        """Count the connections of a job as soon as it is stored."""
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

    def leave(self, starting: PendingAdmission[J], *, answered: bool) -> None:
        """Release a connection; `answered` says whether its client received the job's id."""
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
        self._writes.start(self._note_release(job_id, answered=answered))

    async def _note_release(self, job_id: str, *, answered: bool) -> None:
        now = self._clock.now()
        try:
            await self._memory.jobs.release(job_id, self._process.process, answered_at=now if answered else None)
        except StorageFailed as fault:
            log.warning("jobs.release_not_noted", job_id=job_id, code=fault.code)

    def note_delivery(self, job_id: str) -> None:
        """Note that a client received what a job made: an equal request after this is a new one.

        A task of its own: the client may close its connection at the same moment, which ends what it was asking for.
        """
        self._writes.start(self._note_delivery(job_id))

    async def _note_delivery(self, job_id: str) -> None:
        try:
            await self._memory.jobs.mark_delivered(job_id, now=self._clock.now())
        except StorageFailed as fault:
            # Costs nothing worse than handing the same media over twice.
            log.warning("jobs.delivery_not_noted", job_id=job_id, code=fault.code)

    async def _admit(self, identity: RequestIdentity, create: Create[J], *, stores_files: bool) -> tuple[J, bool]:
        """Return the job of a request, and whether it is a new one.

        Its inputs are stored first: a job may be claimed as soon as it is stored. They are stored after the wait for
        the lease of another process: a process that dies in this wait would leave them without a job.
        """
        # A client that has just received its answer and asks again at once wants a new one.
        await self._writes.settle()
        jobs, now = self._memory.jobs, self._clock.now
        alive: set[str] = set()
        connected = ConnectedProcess(
            process=self._process.process, lease=self._process.lease, alive=alive, window=self._timeouts.replay
        )
        if (identity.is_repetition or stores_files) and (
            known := await self._decided(lambda: jobs.recall(identity, now=now(), connected=connected), alive)
        ):
            return known, False
        new = await create()
        try:
            job = await self._decided(lambda: jobs.admit(new, now=now(), identity=identity, connected=connected), alive)
        except ClientFault:  # such as a limit of the key: nothing was accepted
            await self._memory.media.delete(new.input_files)
            raise
        if job.id != new.id:
            await self._memory.media.delete(new.input_files)
        return job, job.id == new.id

    async def _decided(self, decide: Callable[[], Awaitable[_T]], alive: set[str]) -> _T:
        """Return what the store decides. Processes that turn out to be alive are added to `alive`.

        The connections of an equal request may belong to a dead process. This waits for the end of its lease. A lease
        that was renewed meanwhile belongs to a process that is alive.
        """
        seen: dict[str, float] = {}
        while True:
            try:
                return await decide()
            except Undecided as found:
                if found.until > seen.setdefault(found.process, found.until) + RENEWED_SECONDS:
                    alive.add(found.process)
                else:
                    await self._clock.sleep(LOOK_SECONDS)

    async def finish(self) -> None:
        """Wait until the jobs of all requests are stored."""
        await self._tasks.finish()


class Waiting(Generic[J]):
    """One connection that waits for a job. It has to be closed."""

    def __init__(self, admission: Admission[J], starting: PendingAdmission[J], ready: Ready[J]) -> None:
        self._admission = admission
        self._starting = starting
        self._ready = ready
        self._closed = False
        #: Whether the client gets a job and not an error.
        self._is_told = False
        #: Whether the answer is one of an earlier request.
        self.is_replay = False

    async def job(self, within: float | None = None) -> J:
        """Return the job for the answer, after `within` seconds at the latest.

        Raises:
            InvalidRequest: a picture to work from cannot be had or used; or as `Admission.join`.
            NotFound: the job of its key was deleted.
            ContentRefused, UpstreamFault, JobFailed: it was not taken, for the reason given.
            Draining: the process is shutting down; the job, if it was taken, goes on.
        """
        # Not `shield`: from Python 3.14 on it reports the error of a task whose waiter was cancelled.
        await asyncio.wait([self._starting.task])
        job, is_new = self._starting.task.result()
        self.is_replay = not is_new and self._starting.identity.is_repetition
        job = await self._ready(job, within)
        self._is_told = True
        return job

    def close(self, *, delivered: bool) -> None:
        """Release it; `delivered` says whether the client received the answer. Only the first call counts."""
        if not self._closed:
            self._closed = True
            self._admission.leave(self._starting, answered=delivered and self._is_told)

    def close_stream(self, *, delivered: bool) -> None:  # noqa: ARG002 - the form of a callback
        """Release a stream. The delivery of its video is noted where the video is sent."""
        self.close(delivered=False)
