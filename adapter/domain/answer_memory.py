"""Memory for answers of the upstream, reserved as they arrive.

A provider's interface does not speak of memory: what reads an answer asks for it here. The work at hand is known by a
context variable, which the tasks of a provider inherit.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from adapter.domain.ports import Reservation
from adapter.errors import UpstreamBroken

#: An answer is held twice: as it came, and as it goes out.
COPIES_OF_AN_ANSWER = 2
#: More than was expected is reserved in steps of so many bytes.
STEP_BYTES = 1024 * 1024
#: The most that an answer without a picture may have. It is not in the budget. The largest one is the status of 500
#: videos of an account, with two links each: 1 MB as Flow's links are, and 8 MB if each has 8 KB.
SMALL_ANSWER_BYTES = 16 * 1024 * 1024


class AnswerMemory:
    """The memory that one piece of work has for answers."""

    def __init__(self, reservation: Reservation, expected: int, *, is_single: bool) -> None:
        """Take a reservation, how much of it is for answers, and whether there will be one answer only."""
        self._reservation = reservation
        self._is_single = is_single
        self._reserved = expected
        self._needed = 0

    async def add(self, size: int) -> None:
        """Count bytes that are about to be read, and wait for memory if they are more than was expected."""
        self._needed += COPIES_OF_AN_ANSWER * size
        lacking = self._needed - self._reserved
        if lacking > 0:
            lacking = max(lacking, STEP_BYTES)
            self._reserved += lacking
            with self._reservation.keep():  # an upload that requests share may go on after the one that began it
                await self._reservation.add_paid(lacking)

    def call_when_sent(self, callback: Callable[[], None]) -> bool:
        """Call a function when the reservation ends, if the work has one answer; say whether it will be called."""
        if self._is_single:
            self._reservation.call_at_end(callback)
        return self._is_single


_memory: ContextVar[AnswerMemory | None] = ContextVar("answer_memory", default=None)


def counted(reservation: Reservation | None, expected: int, *, is_single: bool = False) -> AbstractContextManager[None]:
    """Count the answers that are read meanwhile. `expected` bytes are reserved for them already.

    `is_single` says that there will be one answer only.
    """
    return _Counted(None if reservation is None else AnswerMemory(reservation, expected, is_single=is_single))


class _Counted(AbstractContextManager[None]):
    """A class, because each request has one, and a generator costs four times as much."""

    def __init__(self, memory: AnswerMemory | None) -> None:
        self._counting = memory

    def __enter__(self) -> None:
        self._token = _memory.set(self._counting)

    def __exit__(self, *_: object) -> None:
        _memory.reset(self._token)


class _Bound:
    def __init__(self, most: int) -> None:
        self.most = self.left = most

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise UpstreamBroken(f"Google's answer is longer than {self.most} bytes.")


_bound: ContextVar[_Bound | None] = ContextVar("answer_bound", default=None)


@contextmanager
def bounded(most: int) -> Iterator[None]:
    """Have the one answer that is read meanwhile refused by `add_answer` if it is larger than so many bytes."""
    token = _bound.set(_Bound(most))
    try:
        yield
    finally:
        _bound.reset(token)


async def add_answer(size: int) -> None:
    """Wait for memory for so many bytes of an answer. It is paid for, so it never fails for lack of memory.

    Raises:
        UpstreamBroken: it is larger than what it may be (`bounded`). It is not read to its end.
    """
    if (bound := _bound.get()) is not None:
        bound.take(size)
    memory = _memory.get()
    if memory is not None:
        await memory.add(size)


def call_when_sent(callback: Callable[[], None]) -> bool:
    """Call a function when the answer of the work at hand has gone out; say whether it will be called.

    For work with several answers it is not: they go out together, and would wait for each other.
    """
    memory = _memory.get()
    return memory is not None and memory.call_when_sent(callback)
