"""Progress lines and comments of a stream before its result is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TypeVar

from adapter.domain.ports import Clock
from adapter.generation.heartbeats import heartbeats
from adapter.openai_api import sse
from adapter.openai_api.routes.services import Services
from adapter.openai_api.write import chat as write

#: After so many seconds without a line the next heartbeat is a line and not a comment. A heartbeat comes every 15 s at
#: the latest, as proxies and front-ends want (`frontends.md` R4), so a person waits 30 s at most for a line.
LINE_SECONDS = 15.0

_T = TypeVar("_T")


class ProgressReporter:
    """Reports progress to one reader: lines for the person, and comments that keep the connection open."""

    def __init__(self, answer: write.ChatHeading, clock: Clock) -> None:
        self._answer = answer
        self._clock = clock
        self._line = ""
        self._told_at = clock.now()

    def line(self, line: str, *, is_news: bool = True) -> bytes:
        """Return the line, or a comment if the line is not new and the last one is recent."""
        now = self._clock.now()
        is_due = now - self._told_at >= LINE_SECONDS
        if line == self._line or not (is_news or is_due):
            return sse.comment("still working")
        self._line, self._told_at = line, now
        return sse.frame(write.progress_chunk(self._answer, line))


async def pauses(services: Services, work: asyncio.Task[_T]) -> AsyncIterator[bytes]:
    """Yield a comment with each heartbeat until a piece of work is done, such as storing a picture."""
    async with aclosing(heartbeats(work, services.clock, services.heartbeat_seconds)) as spells:
        async for _ in spells:
            yield sse.comment("still working")
