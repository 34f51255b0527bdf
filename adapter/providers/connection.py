"""One connection of the HTTP client. What arrives goes into memory of its reader, and not before it is asked for.

So an answer of known length is read into a buffer of its size: there are no pieces and nothing is joined. What nothing
asks for waits in the kernel.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, cast

from adapter.providers.framing import Chunks, FramingError, Head, read_head

#: Room for a head, and for as much of a body as comes with it.
FIRST_BYTES: Final = 64 * 1024
#: Room for a piece of a body of unknown length.
PIECE_BYTES: Final = 256 * 1024
#: The same for an answer that is passed on as it comes: there may be many of these for minutes.
STREAM_PIECE_BYTES: Final = 16 * 1024
#: What an idle connection reads into. Whatever comes there was not asked for.
_IDLE_ROOM: Final = memoryview(bytearray(1))


class LostError(Exception):
    """The connection ended before the answer did."""

    def __init__(self, *, is_stale: bool) -> None:
        """Say whether the connection had served a request before, and nothing of this answer had come."""
        super().__init__()
        self.is_stale = is_stale


class HttpConnection(asyncio.BufferedProtocol):
    """A connection to a server. It has one request at a time."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        #: When it became idle, by the clock of the event loop.
        self.idle_since = 0.0
        #: Whether the last answer was whole, and the server takes another request.
        self.is_kept = False
        self._answers = 0
        self._room = _IDLE_ROOM
        self._received = self._least = 0
        self._waiter: asyncio.Future[None] | None = None
        self._has_ended = self._has_failed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, _hint: int) -> memoryview:
        """Offer the room that is left."""
        return self._room[self._received :]

    def buffer_updated(self, count: int) -> None:
        """Take what came. An idle connection expects nothing: what comes there would be taken for the next answer."""
        if self._waiter is None:
            self.close()
            return
        self._received += count
        if self._received >= self._least:
            self._transport.pause_reading()
            self._wake()

    def eof_received(self) -> None:
        """End. The transport closes by itself."""
        self._has_ended = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        self._has_ended = True
        self._has_failed |= error is not None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent, as far as is known."""
        return not (self._has_ended or self._transport.is_closing())

    @property
    def has_failed(self) -> bool:
        """Whether it ended by an error. Its last bytes may be missing then."""
        return self._has_failed

    def close(self) -> None:
        """Close at once."""
        self._transport.abort()

    async def ask(self, request: Sequence[bytes]) -> "HttpAnswer":
        """Send a request and return its answer, whose body has not been read.

        Raises:
            LostError: the connection ended.
            FramingError: what came is no answer.
        """
        self.is_kept = False
        self._transport.writelines(request)
        room, begin, end = memoryview(bytearray(FIRST_BYTES)), 0, 0
        while came := await self.receive(room[end:]):
            end += came
            while (head := read_head(room[begin:end])) is not None:
                begin += head.size
                if not head.is_interim:
                    return HttpAnswer(self, head, room[begin:end])
            if end == len(room):
                raise FramingError("length of the head")
        raise LostError(is_stale=self._answers > 0 and end == 0)

    async def receive(self, room: memoryview, least: int = 1) -> int:
        """Wait for at least so many bytes, and return how many came. Fewer came if the connection has ended."""
        if not self.is_open:
            return 0
        self._room, self._received, self._least = room, 0, least
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.resume_reading()
        try:
            await self._waiter
        finally:
            self._room, self._waiter = _IDLE_ROOM, None
            received, self._received = self._received, 0
        return received

    def end_answer(self, *, is_kept: bool) -> None:
        """Note that an answer is over. A connection that is still sending its request is not kept."""
        self._answers += 1
        self.is_kept = is_kept and self.is_open and not self._transport.get_write_buffer_size()
        if self.is_kept:
            self._transport.resume_reading()  # to hear of its end


class HttpAnswer:
    """An answer. Its body is read once, by one of three methods."""

    def __init__(self, connection: HttpConnection, head: Head, begun: memoryview) -> None:
        self.head = head
        self._connection = connection
        #: What came with the head.
        self._begun = begun

    @property
    def is_here(self) -> bool:
        """Whether all of the body came with the head."""
        return self.head.length is not None and len(self._begun) >= self.head.length

    async def read(self, length: int) -> bytes | bytearray:
        """Return a body of known length.

        Raises:
            LostError: the connection ended.
        """
        begun = len(self._begun)
        if begun >= length:
            self._end(is_kept=begun == length)
            return bytes(self._begun[:length])
        # One byte more shows an answer that is longer than it said.
        body = bytearray(length + 1)
        with memoryview(body) as view:
            view[:begun] = self._begun
            with view[begun:] as room:
                size = begun + await self._connection.receive(room, length - begun)
        if size < length:
            raise LostError(is_stale=False)
        del body[length:]
        self._end(is_kept=size == length)
        return body

    async def read_growing(self, admit: Callable[[int], Awaitable[None]]) -> bytes | bytearray:
        """Return a body of unknown length. `admit` is awaited with the size of each piece, before the next is read.

        Raises:
            LostError: the connection ended.
            FramingError: it is not chunked, although it should be.
        """
        chunks = Chunks() if self.head.is_chunked else None
        body = bytearray() if chunks is None else chunks.body
        room = memoryview(bytearray(PIECE_BYTES))
        piece = self._begun
        while True:
            await admit(len(piece))
            if chunks is None:
                body += piece
            else:
                chunks.feed(piece)
                if chunks.is_over:
                    self._end(is_kept=not chunks.behind)
                    return body
            came = await self._connection.receive(room)
            if not came:
                break
            piece = room[:came]
        if chunks is not None or self._connection.has_failed:
            raise LostError(is_stale=False)
        return body

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes.

        Raises:
            LostError: the connection ended before the body did.
            FramingError: it is not chunked, although it should be.
        """
        chunks = Chunks() if self.head.is_chunked else None
        missing = self.head.length
        piece, self._begun = self._begun, memoryview(b"")
        room = memoryview(bytearray(STREAM_PIECE_BYTES))
        while True:
            if chunks is not None:
                chunks.feed(piece)
                taken, is_over, is_clean = chunks.take(), chunks.is_over, not chunks.behind
            elif missing is not None:
                taken, is_clean = bytes(piece[:missing]), len(piece) <= missing
                missing -= len(taken)
                is_over = not missing
            else:
                taken, is_over, is_clean = bytes(piece), False, False
            if taken:
                yield taken
            if is_over:
                self._end(is_kept=is_clean)
                return
            came = await self._connection.receive(room)
            if not came:
                break
            piece = room[:came]
        if chunks is not None or missing is not None or self._connection.has_failed:
            raise LostError(is_stale=False)

    def _end(self, *, is_kept: bool) -> None:
        self._connection.end_answer(is_kept=is_kept and self.head.is_kept)
