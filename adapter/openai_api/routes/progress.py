"""What a stream says while there is nothing to show yet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TypeVar

from adapter.domain.ports import Clock
from adapter.generation.heartbeats import heartbeats
from adapter.openai_api import sse
from adapter.openai_api.routes.services import Services
from adapter.openai_api.write import chat as write

#: After so many seconds a silence is broken by a line and not by a comment. With a silence of up to 15 s, which is what
#: proxies and front-ends want (`frontends.md` R4), nobody waits longer than 30 s for a line.
LINE_SECONDS = 15.0

_T = TypeVar("_T")


class ProgressReporter:
    """Tells one reader how things stand: in lines that a person sees, and in between by comments that nobody sees."""

    def __init__(self, answer: write.Answer, clock: Clock) -> None:
        self._answer = answer
        self._clock = clock
        self._line = ""
        self._told_at = clock.now()

    def line(self, line: str, *, is_news: bool = True) -> bytes:
        """Return a line, or a comment where it is none worth telling yet."""
        now = self._clock.now()
        is_due = now - self._told_at >= LINE_SECONDS
        if line == self._line or not (is_news or is_due):
            return sse.comment("still working")
        self._line, self._told_at = line, now
        return sse.frame(write.progress_chunk(self._answer, line))


async def pauses(services: Services, work: asyncio.Task[_T]) -> AsyncIterator[bytes]:
    """Yield a comment in each silence until work of a stream is done, such as storing its picture."""
    async with aclosing(heartbeats(work, services.clock, services.heartbeat_seconds)) as spells:
        async for _ in spells:
            yield sse.comment("still working")
