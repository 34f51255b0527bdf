"""One making of pictures, and everybody who waits for it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import ExitStack

import msgspec

from adapter.domain.job import Failure
from adapter.domain.media import Image, size_of
from adapter.domain.repeats import RETRY_SECONDS, Asking, Entry, Known
from adapter.errors import AdapterError, AnswerLost, key_reused

#: Pictures stay for so long before they make place for newer ones: a retry comes half a second later at the soonest, so
#: a place that is filled faster than that would keep nothing of use, and each one kept costs fresh memory.
STAY_SECONDS = 2.0
#: Requests that are over and whose answers are still there …
MOST_KEPT = 1000
#: … and those of which is known only that they were answered.
MOST_REMEMBERED = 10_000


class Album(msgspec.Struct, frozen=True):
    """What was made."""

    images: Sequence[Image]
    #: Under which the pictures can be fetched, where they were stored.
    names: tuple[str, ...] = ()


def replayed(failure: Failure) -> AdapterError:
    """Return the fault that a request was answered with before."""
    fault = failure.as_fault()
    fault.spent, fault.headers = True, {"idempotent-replayed": "true"}
    return fault


class Undertaking:
    """It belongs to nobody's connection."""

    def __init__(self, asking: Asking, now: float) -> None:
        self.asking = asking
        self.entry = Entry(
            scope=asking.scope,
            content=asking.content,
            mark=secrets.token_hex(16),
            began_at=now,
            keep_seconds=asking.keep_seconds,
        )
        #: Set once it is known whether it begins or stands for an earlier one.
        self.opened = asyncio.Event()
        #: The earlier request that it stands for.
        self.known: Known | None = None
        self.over = asyncio.Event()
        self.album: Album | None = None
        self.fault: AdapterError | None = None
        self.readers = 0
        #: Whether somebody was given the answer.
        self.answered = False
        #: When the last reader had left and the work was done.
        self.settled_at: float | None = None
        #: Whether the database knows of it; changed by whoever is alone with it.
        self.written = False
        self.alone = asyncio.Lock()
        #: Whether nobody was there to take its pictures, and they are on disk.
        self.kept = False
        #: What it holds until it is settled.
        self.holding = ExitStack()

    @property
    def is_written_down(self) -> bool:
        """Whether its answer can be found elsewhere once it is forgotten here."""
        return self.kept or self.known is not None or self.asking.has_key

    @property
    def size(self) -> int:
        """Bytes of its pictures in memory."""
        return size_of(self.album.images) if self.album else 0


class Undertakings:
    """Those under way, and those that are over, for `RETRY_SECONDS`: their pictures as far as there is place."""

    def __init__(self, place: int) -> None:
        """Take the bytes that pictures of the past may have in memory."""
        self._place = place
        self._taken = 0
        self._all: dict[str, Undertaking] = {}
        #: Those of them that are over, the oldest first.
        self._over: dict[str, Undertaking] = {}
        #: When those ended of which nothing else is known, the oldest first.
        self._lost: dict[str, float] = {}

    def find(self, asking: Asking, now: float) -> Undertaking | None:
        """Return the one that a request joins.

        A first attempt joins what nobody was given yet and somebody waits for; a repetition also what is over.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`.
            AnswerLost: it is the retry of a request that was answered, and the answer is gone.
        """
        one = self._all.get(asking.scope)
        if not asking.is_repetition:
            return None if one is None or one.answered or one.settled_at is not None else one
        if one is None:
            if self._lost.get(asking.scope, -RETRY_SECONDS) > now - RETRY_SECONDS:
                raise AnswerLost(
                    "This request was answered a moment ago. Its pictures are not kept, and none made now."
                )
            return None
        if one.settled_at is not None and one.settled_at <= now - RETRY_SECONDS:
            return None
        if one.asking.content != asking.content:
            raise key_reused()
        return one

    def add(self, one: Undertaking) -> None:
        """Let others join it."""
        self._drop(one.entry.scope)
        self._lost.pop(one.entry.scope, None)
        self._all[one.entry.scope] = one

    def remove(self, one: Undertaking) -> None:
        """Forget one."""
        if self._all.get(one.entry.scope) is one:
            self._drop(one.entry.scope)

    def settle(self, one: Undertaking, now: float) -> None:
        """Count one as over; the oldest make place for it if they have been there for a while."""
        one.settled_at = now
        if self._all.get(one.entry.scope) is not one:
            return
        self._over[one.entry.scope] = one
        self._taken += one.size
        while self._over and (self._taken > self._place or len(self._over) > MOST_KEPT):
            scope, first = next(iter(self._over.items()))
            if (first.settled_at or now) > now - STAY_SECONDS:
                scope, first = next(reversed(self._over.items()))
            self._drop(scope)
            if not first.is_written_down:
                self._lost.pop(scope, None)
                self._lost[scope] = now
        while self._lost and (len(self._lost) > MOST_REMEMBERED or self._oldest_loss <= now - RETRY_SECONDS):
            del self._lost[next(iter(self._lost))]

    @property
    def _oldest_loss(self) -> float:
        return next(iter(self._lost.values()))

    def _drop(self, scope: str) -> None:
        self._all.pop(scope, None)
        over = self._over.pop(scope, None)
        self._taken -= over.size if over else 0

    @property
    def under_way(self) -> Sequence[Undertaking]:
        """Those whose work is not done."""
        return [one for one in self._all.values() if not one.over.is_set()]


class Viewing:
    """One request's share in an undertaking. It has to be closed."""

    def __init__(
        self, one: Undertaking, leave: Callable[[Undertaking], None], wait: Callable[[asyncio.Event], Awaitable[bool]]
    ) -> None:
        """Take whom to tell when it is closed, and how to wait for a sign of life."""
        self._one = one
        self._leave = leave
        self._wait = wait
        self._closed = False
        one.readers += 1
        #: Whether the answer was there before the request came.
        self.is_replay = one.over.is_set()

    @property
    def mark(self) -> str:
        """The name of the execution: the same for every request that it answers."""
        return self._one.known.mark if self._one.known else self._one.entry.mark

    @property
    def began_at(self) -> float:
        """When it began, in Unix seconds: as `mark`."""
        return self._one.known.began_at if self._one.known else self._one.entry.began_at

    async def opened(self) -> None:
        """Wait until it is known what this is.

        Raises:
            AdapterError: it is nothing.
        """
        await self._one.opened.wait()
        self.is_replay |= self._one.known is not None
        if self._one.fault:
            self._result()

    async def album(self) -> Album:
        """Wait for the pictures.

        Raises:
            AdapterError: what kept them from being made.
        """
        await self._one.over.wait()
        return self._result()

    async def watch(self) -> AsyncGenerator[Album | None, None]:
        """Yield None after each spell of silence, and at the end the pictures (as `album`)."""
        while not await self._wait(self._one.over):
            yield None
        yield self._result()

    def _result(self) -> Album:
        if self._one.fault:
            raise replayed(Failure.of(self._one.fault)) if self.is_replay else self._one.fault.copy()
        if self._one.album is None:
            raise AnswerLost("The pictures of this request are not there any more.")
        return self._one.album

    def close(self, *, delivered: bool) -> None:
        """Let go; say whether the client was given all of the answer. Only the first time counts."""
        if self._closed:
            return
        self._closed = True
        self._one.readers -= 1
        self._one.answered |= delivered
        self._leave(self._one)
