"""What is written down beside the answer that it belongs to."""

import asyncio
from collections.abc import Coroutine


class BackgroundWrites:
    """Writes that no connection waits for. Tasks of their own: a client that hangs up ends its request, not these."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, writing: Coroutine[None, None, None]) -> None:
        """Begin with a write."""
        task = asyncio.create_task(writing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until every write so far is done."""
        if self._tasks:
            await asyncio.wait(self._tasks)
