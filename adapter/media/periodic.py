"""Runs a piece of work again and again, once an hour unless told otherwise."""

from collections.abc import Awaitable, Callable

import structlog

from adapter.domain.ports import Clock
from adapter.errors import StorageFailed

log = structlog.get_logger()

ROUND_SECONDS = 3600.0


async def run_periodically(
    run_once: Callable[[], Awaitable[None]],
    clock: Clock,
    *,
    first: float,
    failed: str,
    every: float = ROUND_SECONDS,
) -> None:
    """Run it after `first` seconds, then each `every` seconds, until cancelled.

    A failed run is logged as the event `failed`.
    """
    await clock.sleep(first)
    while True:
        try:
            await run_once()
        except StorageFailed as fault:
            log.warning(failed, code=fault.code)
        await clock.sleep(every)
