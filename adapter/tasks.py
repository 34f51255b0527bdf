"""Tasks and their owners: the only module that starts a task.

Work that no caller waits for belongs to a `Tasks` group. Its owner finishes or cancels the group on the way out.
Work that one coroutine waits for runs in `beside` or in `all_of`: when those return, nothing of it is left.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

_T = TypeVar("_T")

#: A task that was cancelled and does not end is cancelled again after so many seconds.
AGAIN_SECONDS = 1.0


class Tasks:
    """A group of tasks with one owner. A task that crashes is logged and does not end the others."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Start work that has no result. A crash is logged."""
        self.begin(work).add_done_callback(self._log_crash)

    def begin(self, work: Coroutine[None, None, _T]) -> asyncio.Task[_T]:
        """Start work and return its task. The caller takes the outcome."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    @property
    def is_idle(self) -> bool:
        """Whether no task runs."""
        return not self._running

    async def settle(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - what is not done goes on
        """Wait for the tasks that run now, for so many seconds at most. Newer ones are not waited for."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=timeout)

    async def finish(self) -> None:
        """Wait until no task runs."""
        while self._running:
            await self.settle()

    async def cancel(self, *, again_after: float = AGAIN_SECONDS) -> None:
        """Cancel all tasks and wait for their end.

        They are cancelled again while they do not end. On Python 3.11 `asyncio.wait_for` loses a cancellation that
        comes at the moment of its result (CPython gh-86296, seen on 3.11.7). Our code and tests do not use it.
        SQLAlchemy's pool and asyncpg do not wait with it; a library might.
        """
        while self._running:
            for task in self._running:
                task.cancel()
            await self.settle(again_after)

    def _log_crash(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task.crashed", owner=self._owner, exc_info=error)


class Deadline:
    """One time limit for many pieces of work. It is set later: when the process is told to stop."""

    def __init__(self) -> None:
        self._limits: set[asyncio.Timeout] = set()
        self._end: float | None = None

    def expire_in(self, seconds: float) -> None:
        """Set the limit, for the work under way and for later work. A second call does not move it."""
        if self._end is None:
            self._end = asyncio.get_running_loop().time() + seconds
            for limit in self._limits:
                limit.reschedule(self._end)

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return self._end is not None and asyncio.get_running_loop().time() >= self._end

    def limit(self) -> "_Limited":
        """Do something under the limit.

        Raises:
            TimeoutError: it was not done in time.
        """
        return _Limited(self._limits, asyncio.timeout_at(self._end))


class _Limited:
    """Work under a limit. A class, because a generator costs four times as much."""

    def __init__(self, limits: set[asyncio.Timeout], limit: asyncio.Timeout) -> None:
        self._limits = limits
        self._limit = limit

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self._limits.add(self._limit)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.discard(self._limit)
        await self._limit.__aexit__(kind, error, trace)


def work_name(task: asyncio.Task[Any]) -> str:
    """Return the name of the function that a task runs."""
    work = task.get_coro()
    return str(getattr(work, "__qualname__", work))


@asynccontextmanager
async def beside(work: Coroutine[None, None, _T]) -> AsyncIterator[asyncio.Task[_T]]:
    """Run work beside the body. It ends with the body: it is cancelled if it is not done, and waited for."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        await _end([task])


async def all_of(works: Sequence[Coroutine[None, None, _T]]) -> list[_T]:
    """Run works side by side and return their results in order.

    The first that fails stops the others, and its error is raised as it is.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failed = (task for task in tasks if task.done() and not task.cancelled() and task.exception() is not None)
        if (first := next(failed, None)) is not None:
            first.result()
        return [task.result() for task in tasks]
    finally:
        await _end(tasks)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if left := [task for task in tasks if not task.done()]:
        await asyncio.wait(left)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # its outcome was taken in the body, or is not wanted any more
