"""The executions of requests for pictures in this process, and the connections that share them."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import msgspec

from adapter.domain.allowance import Charge
from adapter.domain.executions import (
    RETRY_SECONDS,
    ExecutionRecord,
    PriorExecution,
    RequestIdentity,
    is_same_content,
    pick,
)
from adapter.domain.job import Failure
from adapter.domain.media import Image, size_of
from adapter.domain.ports import Reservation
from adapter.errors import AdapterError, AnswerLost, key_reused

#: Finished pictures stay in RAM for at least so long, in seconds. A retry comes after half a second at the earliest, so
#: pictures that are dropped sooner would be kept in vain.
STAY_SECONDS = 2.0
#: The most finished executions whose answers are in RAM …
MOST_KEPT = 1000
#: … and the most finished executions that keep only the time of their answer.
MOST_REMEMBERED = 10_000


class ImageBatch(msgspec.Struct, frozen=True):
    """The pictures of one execution."""

    images: Sequence[Image]
    #: Their names in the media store, if they were stored.
    names: tuple[str, ...] = ()


def replayed(failure: Failure) -> AdapterError:
    """Return the error that a request was answered with before."""
    fault = failure.as_fault()
    fault.spent, fault.headers = True, {"idempotent-replayed": "true"}
    return fault


class Execution:
    """One execution of a request for pictures, shared by every connection that waits for it."""

    def __init__(self, identity: RequestIdentity, now: float) -> None:
        self.identity = identity
        self.record = ExecutionRecord(
            scope=identity.scope,
            content=identity.content,
            execution_id=secrets.token_hex(16),
            began_at=now,
            keep_seconds=identity.keep_seconds,
            repeat=identity.repeat,
            owner=identity.owner,
        )
        #: The highest retry count of the requests that it answers.
        self.attempts = identity.repeat.count
        #: Whether an earlier execution in the database may answer it.
        self.looks_back = identity.is_repetition
        #: Set once it is known whether an earlier execution answers it …
        self.identified = asyncio.Event()
        #: … and once it has its memory.
        self.opened = asyncio.Event()
        #: The earlier execution that answers it …
        self.prior: PriorExecution | None = None
        #: … and whether it is certain that there is none.
        self.is_own = False
        #: What it took of the limits of its key and was not settled yet.
        self.charge: Charge | None = None
        self.over = asyncio.Event()
        self.batch: ImageBatch | None = None
        self.fault: AdapterError | None = None
        #: Why its pictures, which are in memory, have no links. A repetition tries to store them again.
        self.unstored: AdapterError | None = None
        #: How many connections wait for it or take its answer.
        self.connections = 0
        #: Whether a client was given the answer.
        self.answered = False
        #: When the last reader had left and the work was done.
        self.settled_at: float | None = None
        #: Whether it is in the database. It changes under `alone` only.
        self.written = False
        self.alone = asyncio.Lock()
        #: Whether no client took its pictures, and they are on disk.
        self.kept = False
        #: Whether the database was told that a client was given the answer.
        self.noted = False
        #: The reservation that it holds until it is settled.
        self.holding: Reservation | None = None

    def hold(self, reservation: Reservation) -> None:
        """Hold a reservation."""
        reservation.hold()
        self.holding = reservation

    def let_go(self) -> None:
        """Let go of what it holds. Only the first call counts."""
        held, self.holding = self.holding, None
        if held is not None:
            held.let_go()

    @property
    def is_waited_for(self) -> bool:
        """Whether a connection waits for the answer."""
        return self.connections > 0

    @property
    def is_answered(self) -> bool:
        """Whether a client was given the answer."""
        return self.answered

    @property
    def is_failed(self) -> bool:
        """Whether it ended without pictures."""
        return self.fault is not None

    @property
    def is_refused(self) -> bool:
        """Whether it ended before anything was executed, here or elsewhere."""
        return self.is_own and self.fault is not None and not self.fault.spent

    @property
    def is_written_down(self) -> bool:
        """Whether its answer can be found elsewhere once it is forgotten here."""
        return self.kept or self.prior is not None or self.identity.has_key

    @property
    def size(self) -> int:
        """Bytes of its pictures in memory."""
        return size_of(self.batch.images) if self.batch else 0

    def is_too_old(self, now: float) -> bool:
        """Whether no repetition joins it any more."""
        return self.settled_at is not None and self.settled_at <= now - RETRY_SECONDS


class InFlight:
    """The executions of this process: running ones, and finished ones for `RETRY_SECONDS`.

    Pictures of finished executions stay in RAM up to a limit of bytes.
    """

    def __init__(self, place: int) -> None:
        """Take the bytes of RAM for finished pictures."""
        self._place = place
        self._taken = 0
        #: By scope and execution id, the oldest first.
        self._all: dict[str, dict[str, Execution]] = {}
        #: The finished ones, by execution id, the oldest first.
        self._over: dict[str, Execution] = {}
        #: When answers were given that are not kept, by scope, the oldest first; and the same for answers on disk.
        self._lost: dict[str, float] = {}
        self._kept: dict[str, float] = {}

    def find(self, identity: RequestIdentity, now: float) -> Execution | None:
        """Return the execution that a request joins (see `pick`). If that was refused, the request begins a new one.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`.
            AnswerLost: it is the retry of a request that was answered, and the answer is gone.
        """
        there = [one for one in self._all.get(identity.scope, {}).values() if not one.is_too_old(now)]
        one = pick(there, identity.repeat)
        if one is None:
            if identity.is_repetition and self._lost.get(identity.scope, -RETRY_SECONDS) > now - RETRY_SECONDS:
                raise AnswerLost(
                    "This request was answered a moment ago. Its pictures are not kept, and none made now."
                )
            return None
        if one.is_refused:
            return one
        if not is_same_content(one.identity.content, identity.content):
            raise key_reused()
        one.attempts = max(one.attempts, identity.repeat.count)
        return one

    def may_be_on_disk(self, identity: RequestIdentity, now: float) -> bool:
        """Return whether the database may have pictures for a client that comes back."""
        return identity.is_repetition or self._kept.get(identity.scope, -RETRY_SECONDS) > now - RETRY_SECONDS

    def add(self, one: Execution) -> None:
        """Let others join it."""
        self._lost.pop(one.record.scope, None)
        self._all.setdefault(one.record.scope, {})[one.record.execution_id] = one

    def remove(self, one: Execution) -> None:
        """Forget one."""
        if self._has(one):
            self._drop(one)

    def settle(self, one: Execution, now: float) -> None:
        """Note that one is finished. The oldest finished ones are dropped if there is no space."""
        one.settled_at = now
        if not self._has(one):
            return
        self._over[one.record.execution_id] = one
        self._taken += one.size
        while self._over and (self._taken > self._place or len(self._over) > MOST_KEPT):
            first = next(iter(self._over.values()))
            if (first.settled_at or now) > now - STAY_SECONDS:
                first = next(reversed(self._over.values()))
            self._drop(first)
            if not first.is_refused:
                _remember(self._kept if first.is_written_down else self._lost, first.record.scope, now)

    def _has(self, one: Execution) -> bool:
        return one.record.execution_id in self._all.get(one.record.scope, {})

    def _drop(self, one: Execution) -> None:
        same = self._all[one.record.scope]
        del same[one.record.execution_id]
        if not same:
            del self._all[one.record.scope]
        over = self._over.pop(one.record.execution_id, None)
        self._taken -= over.size if over else 0

    @property
    def under_way(self) -> Sequence[Execution]:
        """The running executions."""
        return [one for same in self._all.values() for one in same.values() if not one.over.is_set()]


def _remember(times: dict[str, float], scope: str, now: float) -> None:
    times.pop(scope, None)
    times[scope] = now
    while len(times) > MOST_REMEMBERED or next(iter(times.values())) <= now - RETRY_SECONDS:
        del times[next(iter(times))]


class ResultHandle:
    """One request's share in an execution. It has to be closed."""

    def __init__(
        self,
        one: Execution,
        leave: Callable[[Execution], None],
        wait: Callable[[asyncio.Event], Awaitable[bool]],
        *,
        link: Callable[[Execution], Awaitable[None]] | None = None,
    ) -> None:
        """Take the callbacks: for its end, for a wait with a heartbeat, and for links if the client wants some."""
        self._one = one
        self._leave = leave
        self._wait = wait
        self._link = link
        self._closed = False
        one.connections += 1
        #: Whether the answer was there before the request came.
        self.is_replay = one.over.is_set()

    @property
    def execution_id(self) -> str:
        """The name of the execution: the same for every request that it answers."""
        return self._one.prior.execution_id if self._one.prior else self._one.record.execution_id

    @property
    def began_at(self) -> float:
        """When the execution began, in Unix seconds."""
        return self._one.prior.began_at if self._one.prior else self._one.record.began_at

    async def identified(self) -> None:
        """Wait until `execution_id` is final.

        Raises:
            AdapterError: the execution failed before.
        """
        await self._one.identified.wait()
        self.is_replay |= self._one.prior is not None
        if self._one.fault:
            self._result()

    async def opened(self) -> None:
        """Wait until it is identified and has its memory.

        Raises:
            AdapterError: the execution failed before.
        """
        await self.identified()
        await self._one.opened.wait()
        if self._one.fault:
            self._result()

    async def batch(self) -> ImageBatch:
        """Wait for the pictures.

        Raises:
            AdapterError: the execution failed.
        """
        await self._one.over.wait()
        self.is_replay |= self._one.prior is not None
        return await self._linked()

    async def watch(self) -> AsyncGenerator[ImageBatch | None, None]:
        """Yield None with each heartbeat, and at the end the pictures (as `batch`)."""
        while not await self._wait(self._one.over):
            yield None
        yield await self._linked()

    async def _linked(self) -> ImageBatch:
        batch = self._result()
        if self._link is None or batch.names:
            return batch
        if self._one.unstored and not self.is_replay:
            raise self._one.unstored.copy()
        # Another client of the same execution wanted no links, or they could not be stored before.
        await self._link(self._one)
        return self._result()

    def _result(self) -> ImageBatch:
        if self._one.fault:
            raise replayed(Failure.of(self._one.fault)) if self.is_replay else self._one.fault.copy()
        if self._one.batch is None:
            raise AnswerLost("The pictures of this request are not there any more.")
        return self._one.batch

    def close(self, *, delivered: bool) -> None:
        """Release it; `delivered` says whether the client received all of the answer. Only the first call counts."""
        if self._closed:
            return
        self._closed = True
        self._one.connections -= 1
        self._one.answered |= delivered and self._one.unstored is None
        self._leave(self._one)
