"""Ending what runs beside the requests."""

import asyncio
from contextlib import suppress

import pytest

from adapter.drain import cancel


async def test_a_task_that_loses_its_cancellation_is_told_again() -> None:
    """Else the process would never end."""
    begun = asyncio.Event()

    async def deaf_once() -> None:
        with suppress(asyncio.CancelledError):
            begun.set()
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    running = asyncio.create_task(deaf_once())
    await begun.wait()
    async with asyncio.timeout(10):
        await cancel(running, again_after=0)
    assert running.cancelled()


async def test_a_task_that_broke_before_says_so() -> None:
    """A mistake of ours is not passed over."""

    async def broken() -> None:
        raise ZeroDivisionError

    running = asyncio.create_task(broken())
    await asyncio.wait({running})
    with pytest.raises(ZeroDivisionError):
        await cancel(running)
