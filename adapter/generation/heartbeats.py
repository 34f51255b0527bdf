"""Heartbeats while a reader waits for a piece of work."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

from adapter.domain.ports import Clock

_T = TypeVar("_T")


async def heartbeats(work: asyncio.Task[_T], clock: Clock, seconds: float) -> AsyncGenerator[None, None]:
    """Yield after each so many seconds until work is done."""
    done = asyncio.Event()
    work.add_done_callback(lambda _: done.set())
    while not await clock.wait(done, seconds):
        yield
