"""Videos that are being asked for. They are begun even where nobody waits for them any more."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine

from adapter.domain.job import VideoJob
from adapter.domain.ports import Clock
from adapter.errors import Draining
from adapter.generation.patience import Patience


class Beginnings:
    """Begins videos in tasks of their own: the provider may take long to answer, and its answer is paid for."""

    def __init__(self, clock: Clock, patience: Patience) -> None:
        self._clock = clock
        self._patience = patience
        self._tasks: set[asyncio.Task[VideoJob]] = set()

    async def watch(
        self, begin: Callable[[], Coroutine[None, None, VideoJob]]
    ) -> AsyncGenerator[VideoJob | None, None]:
        """Yield None if nothing is known after a first moment, then after each spell of silence; at the end the job.

        Raises:
            AdapterError: what `begin` raises.
            Draining: the process is shutting down.
        """
        over = asyncio.Event()
        task = asyncio.create_task(begin())
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        task.add_done_callback(lambda _: over.set())
        seconds = self._patience.opening
        while not await self._clock.wait(over, seconds):
            yield None
            seconds = self._patience.heartbeat
        if task.cancelled():
            raise Draining("The server is restarting. Ask again: a video that was begun goes on and is found again.")
        yield task.result()

    def _forget(self, task: asyncio.Task[VideoJob]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # who asked may be gone; asyncio would complain that nobody looked

    async def end(self) -> None:
        """Let go of those that are still waiting: their jobs, as far as there are any, go on without them."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
