"""The clients: kept connections that ask, wait for the whole answer, and ask again. Bodies are counted, not kept."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import NamedTuple, Self, cast

from tests.bench.patience import within
from tests.bench.wire import HOST, content_length

#: Every connection reads into the same scratch, which stays in the cache: the clients must not be the bottleneck.
SCRATCH = memoryview(bytearray(512 * 1024))
#: Stands for a number of as many digits.
SEED = b"1000000000"
_numbers = itertools.count(int(SEED))
#: What an answer may hold beside the picture.
WRAPPING = 4096
#: Between two looks at `/health`.
PULSE_SECONDS = 0.02
#: The longest wait for a last answer; after it the bench fails instead of hanging.
SILENCE_SECONDS = 30.0


def numbered(request: bytes) -> bytes:
    """Return a request with a number of its own in the place of `SEED`: the same one again would be joined."""
    return request.replace(SEED, b"%d" % next(_numbers), 1)


class IncompleteAnswer(Exception):
    """An answer that is no 200, is too short or too long, or broke off: what was measured is worth nothing."""


class Line(asyncio.BufferedProtocol):
    """A kept connection."""

    _done: asyncio.Future[int] | None = None

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect."""
        _, line = await asyncio.get_running_loop().create_connection(cls, HOST, port)
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> int:
        """Send a request and return the length of its answer's body, once all of it is here."""
        self._head = b""
        self._length = self._missing = 0
        if not self.is_open:
            raise IncompleteAnswer("the connection ended before the request")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._done = done
        self._transport.write(request)
        return await done

    def get_buffer(self, _hint: int) -> memoryview:
        """Offer the scratch."""
        return SCRATCH

    def buffer_updated(self, count: int) -> None:
        """Count what came. What came before anything was asked is no answer."""
        if self._done is None:
            return
        if self._missing:
            self._missing -= count
        else:
            self._head += bytes(SCRATCH[:count])
            head, end, begun = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 200 "):
                self._done.set_exception(IncompleteAnswer(self._head[:1000].decode(errors="replace")))
                return
            self._length = content_length(head)
            self._missing = self._length - len(begun)
        if self._missing == 0 and not self._done.done():  # done already: who asked no longer waits
            self._done.set_result(self._length)

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell whoever waits."""
        if self._done is not None and not self._done.done():
            self._done.set_exception(IncompleteAnswer(f"the connection ended with {self._missing} bytes to come"))

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it."""
        return not self._transport.is_closing()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


class Load(NamedTuple):
    """What is asked for, by how many clients at once, for how long."""

    #: With `SEED`, in the place of which each request has a number of its own: the same one again would be joined.
    request: bytes
    #: Length of the picture's base64.
    picture: int
    clients: int
    seconds: float


class Seen(NamedTuple):
    """How it went."""

    #: Seconds, one for each answer.
    latencies: Sequence[float]
    clients: int
    #: From the first request to the last answer.
    seconds: float

    @property
    def per_second(self) -> float:
        """Answers per second of clients that never pause. What the last ones take while others are done is left out."""
        return self.clients * len(self.latencies) / sum(self.latencies)


async def drive(port: int, load: Load) -> Seen:
    """Let all clients ask at once and again for the time given; each waits for its last answer."""
    lines = [await Line.open(port) for _ in range(load.clients)]
    started = time.perf_counter()
    async with within(load.seconds + SILENCE_SECONDS, "the last answers of a load"):
        latencies = await asyncio.gather(*(_keep_asking(line, load, started + load.seconds) for line in lines))
    seconds = time.perf_counter() - started
    for line in lines:
        line.close()
    return Seen([latency for of_line in latencies for latency in of_line], load.clients, seconds)


async def _keep_asking(line: Line, load: Load, end: float) -> Sequence[float]:
    latencies = []
    while (asked := time.perf_counter()) < end:
        await ask_for_picture(line, load.request, load.picture)
        latencies.append(time.perf_counter() - asked)
    return latencies


async def ask_for_picture(line: Line, request: bytes, picture: int) -> None:
    """Send a request with a number of its own, and take its picture, whose base64 has so many bytes.

    Raises:
        IncompleteAnswer: it is not there, or not whole.
    """
    length = await line.ask(numbered(request))
    if not picture < length < picture + WRAPPING:
        raise IncompleteAnswer(f"{length} bytes for a picture of {picture}")


async def drive_and_probe(port: int, load: Load, pulse: list[float]) -> Seen:
    """As `drive`, while somebody else asks for `/health` all the time; its latencies go into `pulse`."""
    probing = asyncio.create_task(probe(port, pulse))
    try:
        return await drive(port, load)
    finally:
        probing.cancel()


async def probe(port: int, pulse: list[float]) -> None:
    """Ask for `/health` all the time; the latencies go into `pulse`."""
    line = await Line.open(port)
    request = f"GET /health HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode()
    while True:
        asked = time.perf_counter()
        await line.ask(request)
        pulse.append(time.perf_counter() - asked)
        await asyncio.sleep(PULSE_SECONDS)
