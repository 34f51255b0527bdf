"""Time, as an argument."""

import asyncio
from typing import Protocol


class Clock(Protocol):
    """Time, as an argument."""

    def now(self) -> float:
        """Return Unix seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that time."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Return True as soon as the event is set, False after that time."""
        ...
