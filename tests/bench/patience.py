"""The limit of every wait: the bench fails and says what it waited for, instead of standing still."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import uvloop

#: The longest that one measuring may take. The longest one on a slow machine takes about four minutes.
MEASURING_SECONDS = 900.0

Found = TypeVar("Found")


class StillWaiting(Exception):
    """What was waited for did not come in time."""


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Limit a wait.

    Raises:
        StillWaiting: it took longer; the message says what was waited for.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise StillWaiting(f"waited {seconds:g} s for {what}") from error


def run(what: str, measuring: Coroutine[Any, Any, Found], *, seconds: float = MEASURING_SECONDS) -> Found:
    """Run one measuring in an event loop of its own, at most so long.

    Raises:
        StillWaiting: it took longer.
    """

    async def limited() -> Found:
        async with within(seconds, what):
            return await measuring

    return uvloop.run(limited())
