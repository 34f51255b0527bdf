"""The stores of jobs and executions, and the feed of their changes."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Generic, Protocol

import msgspec

from adapter.domain.executions import (
    ConnectedProcess,
    ExecutionRecord,
    LivingProcess,
    PriorExecution,
    RequestIdentity,
    StoredAnswer,
)
from adapter.domain.job import Job
from adapter.domain.job_kinds import J


class Claim(msgspec.Struct, Generic[J], frozen=True):
    """The right to move one job for a while. A write with a token that is no longer the job's does nothing."""

    job: J
    token: str
    #: Whether its owner deleted it or the operator cancelled it.
    unwanted: bool = False


class Write(msgspec.Struct, Generic[J], frozen=True):
    """The next state of a claimed job; it is due again at `due_at` unless it is over."""

    claim: Claim[J]
    job: J
    due_at: float
    #: Whether the writer goes on with the job. If not, the claim ends with the write, and renewing it does nothing.
    keeps_claim: bool = False


class JobStore(Protocol[J]):
    """The store of one kind of jobs. What it has confirmed survives the death of the process.

    Each method raises StorageFailed if the store does not take or give anything at the moment.
    """

    async def admit(
        self,
        job: J,
        *,
        now: float,
        identity: RequestIdentity | None = None,
        connected: ConnectedProcess | None = None,
    ) -> J:
        """Store a new job, due at once; or return the one of an earlier execution, if `identity` joins that.

        `connected` is the process that has the request's connection: the job is waited for by it from now on. A first
        attempt joins a job that is live, or that was completed within the window; that no connection waits for; whose
        video and whose id no client was given; and that was neither deleted nor cancelled.

        Raises:
            InvalidRequest, NotFound: as `recall`.
            Undecided: the connections of an equal request are those of a process that may be dead.
        """
        ...

    async def recall(
        self, identity: RequestIdentity, *, now: float, connected: ConnectedProcess | None = None
    ) -> J | None:
        """Return the job that a request joins, as `admit` does: of its key, of an earlier attempt, or left behind.

        None where there is none, and where it failed in a way that invites a retry.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`: the key stood for something else.
            NotFound: the video of this key was deleted.
            Undecided: as `admit`.
        """
        ...

    async def release(self, job_id: str, process: str, *, answered_at: float | None) -> None:
        """Note that no connection of a process waits for a job, and when a client received its id, if one did."""
        ...

    async def get(self, job_id: str) -> J | None:
        """Return a job as last saved, a deleted one too."""
        ...

    async def get_many(self, job_ids: Collection[str]) -> Sequence[Job]:
        """Return jobs of any kind as last saved, in no order; unknown ones are missing. For up to a few hundred."""
        ...

    async def find(self, job_id: str, owner: str) -> J | None:
        """Return a job of this owner as last saved, unless it was deleted."""
        ...

    async def list(self, owner: str, *, after: J | None, limit: int, newest_first: bool) -> Sequence[J]:
        """Return the next jobs of an owner that were not deleted, by the time of their acceptance."""
        ...

    async def delete(self, job_id: str, owner: str, *, now: float) -> bool:
        """Hide a job of this owner for ever and return whether there was one.

        One that is over becomes due, so that its files go; one that is live is unwanted from its next claim on.
        """
        ...

    async def cancel(self, job_id: str, *, now: float) -> bool:
        """Cancel a live job: it is unwanted from its next claim on. Return whether there was one."""
        ...

    async def recent(self, limit: int) -> Sequence[J]:
        """Return the newest jobs, newest first."""
        ...

    async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim[J]]:
        """Take the right to move the jobs that are due, oldest first, for `lease` seconds.

        Those that the caller holds already, by id, are left alone even if their lease has run out meanwhile.
        """
        ...

    async def renew(self, claims: Iterable[Claim[J]], *, due_at: float) -> None:
        """Keep claims that take longer."""
        ...

    async def save(self, writes: Sequence[Write[J]]) -> Sequence[J]:
        """Write claimed jobs in one transaction; return those whose claim still held and which were written.

        One that is over is due no more, unless it was deleted: then it is due at once, for its files. So is a deleted
        one whose claim was lost: the step may have stored a file after all of them had been deleted.
        """
        ...

    async def replace(self, seen: J, moved: J, *, now: float) -> bool:
        """Write a live job without a claim, if it is still what was seen, and return whether it was.

        The holder's claim is void from then on. The job is due, unless it is over now.
        """
        ...

    async def neighbours(self, job: J, *, since: float, refunds_since: float) -> Collection[str]:
        """Return the ids of the other jobs of its account that may have changed the account's credits, in one query.

        They are under way, or ended after `since`, or failed after `refunds_since`.
        """
        ...

    async def forget(self, claim: Claim[J]) -> None:
        """Note that the files of a deleted job are gone: it is due no more."""
        ...

    async def mark_delivered(self, job_id: str, *, now: float) -> None:
        """Note that the finished video was handed to a client."""
        ...

    async def needed(
        self, stems: Collection[str], *, fresh_since: float, waiting_since: float, given_since: float
    ) -> Collection[str]:
        """Return those of some stems whose files have to stay, in one query.

        Their job is live; or was completed after `fresh_since`; or after `waiting_since`, and its
        video was not delivered yet; or before `given_since`, and its video was first delivered after it.
        """
        ...

    async def measured_seconds(self, model: str) -> float | None:
        """Return how long the last videos of a model took from submission to the end, or None if there were none."""
        ...


class RequestStore(Protocol):
    """The store of executions of pictures, and of the processes that run them. Raises StorageFailed as `JobStore`.

    A process is alive until its lease ends, by the database's clock. An execution that runs is lost with its process.
    """

    async def begin(self, record: ExecutionRecord, *, now: float, holder: LivingProcess) -> PriorExecution | None:
        """Store a new execution and return None; or return the execution that the request joins (`pick`)."""
        ...

    async def register(self, record: ExecutionRecord, *, now: float, holder: LivingProcess) -> None:
        """Store a new execution beside all others of its scope."""
        ...

    async def keep_alive(self, process: LivingProcess, *, now: float) -> None:
        """Renew the lease of a process: its pictures are being made, and its connections are there."""
        ...

    async def finish(self, record: ExecutionRecord, answer: StoredAnswer | None, *, answered_at: float | None) -> bool:
        """Store the answer of an execution, None if it is not kept; return whether the execution was still known.

        `answered_at` is when a client was given the answer, None if none was.
        """
        ...

    async def mark_answered(self, execution_id: str, *, now: float) -> None:
        """Note that a client was given the answer."""
        ...

    async def forget(self, record: ExecutionRecord) -> None:
        """Forget a request that led to nothing."""
        ...

    async def prune(self, *, now: float) -> Sequence[StoredAnswer]:
        """Forget what is too old, and return the answers of it. An entry stays as long as its job lives."""
        ...


class Subscription(Protocol):
    """One reader's view of one job."""

    def shared(self, known: J) -> J:
        """Return the object that all readers of this state share: ten thousand of their own would fill the memory."""
        ...

    async def next(self, known: J, within: float) -> J | None:
        """Return the newest state as soon as it differs for a reader of `known`, or None after `within` seconds.

        States that do not differ do not extend the time.

        Raises:
            Draining: the process is shutting down.
        """
        ...


class JobFeed(Protocol):
    """Tells readers that a job has changed. It reads the store for all of them; a reader never reads it itself."""

    def publish(self, job: Job) -> None:
        """Tell everybody who watches this job and does not know that yet."""
        ...

    def subscribe(self, job_id: str) -> AbstractContextManager[Subscription]:
        """Watch a job. It is looked at soon: it may have moved since its reader came to know it."""
        ...

    def check_open(self) -> None:
        """Return if there are still readers to come.

        Raises:
            Draining: the process is shutting down.
        """
        ...
