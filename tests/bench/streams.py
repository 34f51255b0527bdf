"""Readers of progress: streams that are opened, counted, and read to their end. Events are counted, not kept."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import cast

from tests.bench.patience import within
from tests.bench.wire import HOST

#: Every connection reads into the same scratch.
SCRATCH = memoryview(bytearray(64 * 1024))
#: Connections that are being opened at once.
OPENING = 100
#: Patience with the first event of a stream, and with the end of all.
BEGIN_SECONDS = 60.0
END_SECONDS = 180.0
#: A stream that ends with this has lost its reader what was still to come.
ENDED_BY_FAULT = b"event: error\n"
#: What is sent when there is nothing to tell.
COMMENT = b": still working\n"
NUMBER = re.compile(rb"^id: (\d+)$", re.MULTILINE)


class Stream(asyncio.BufferedProtocol):
    """One reader of one job."""

    def __init__(self, heard: Callable[[float], None], job: int) -> None:
        #: Which of the jobs it watches.
        self.job = job
        #: The number of the last event; they have to count up by one.
        self.last = 0
        self.gaps = 0
        #: Comments, and the longest time in seconds in which nothing came, since the first event.
        self.comments = 0
        self.silence = 0.0
        self._came_at = time.perf_counter()
        self._heard = heard
        self._rest = b""
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, _hint: int) -> memoryview:
        """Offer the scratch."""
        return SCRATCH

    def buffer_updated(self, count: int) -> None:
        """Count the events that came."""
        now = time.perf_counter()
        text = self._rest + bytes(SCRATCH[:count])
        self.comments += text.count(COMMENT) - self._rest.count(COMMENT)
        whole, end, self._rest = text.rpartition(b"\n\n")
        self.silence = max(self.silence, now - self._came_at) if self.last else 0.0
        self._came_at = now
        for found in NUMBER.finditer(whole + end):
            number = int(found[1])
            self.gaps += number != self.last + 1
            self.last = number
            self._heard(now)
        if self.last and not self.begun.done():
            self.begun.set_result(None)
        if ENDED_BY_FAULT in text:
            self.gaps += 1
        if self._rest.endswith(b"0\r\n\r\n") and not self.ended.done():
            self.ended.set_result(True)

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell whoever waits that it was cut, unless it had come to its end."""
        if not self.ended.done():
            self.ended.set_result(False)
        if not self.begun.done():
            self.begun.set_exception(ConnectionResetError("a stream ended before its first event"))


async def open_streams(port: int, paths: Sequence[str], heard: Callable[[int, float], None]) -> list[Stream]:
    """Open one stream for each path, some at a time, and return them once each has had its first event."""
    loop = asyncio.get_running_loop()
    places = asyncio.Semaphore(OPENING)

    async def opened(number: int, path: str) -> Stream:
        async with places:
            async with within(BEGIN_SECONDS, f"a connection for {path}"):
                _, stream = await loop.create_connection(
                    lambda: Stream(lambda at: heard(number, at), number), HOST, port
                )
            head = f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer sk-bench\r\n\r\n"
            stream.transport.write(head.encode())
            async with within(BEGIN_SECONDS, f"the first event of {path}"):
                await stream.begun
            return stream

    return await asyncio.gather(*(opened(number, path) for number, path in enumerate(paths)))


async def broken_streams(streams: Sequence[Stream]) -> int:
    """Return how many streams have a gap in their numbers, or do not come to their end in time."""
    await asyncio.wait([stream.ended for stream in streams], timeout=END_SECONDS)
    return sum(not (stream.ended.done() and stream.ended.result()) or stream.gaps > 0 for stream in streams)
