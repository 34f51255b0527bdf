"""One connection of the HTTP client. What arrives goes into memory of its reader, and not before it is asked for.

So an answer of known length is read into a buffer of its size: there are no pieces and nothing is joined. What nothing
asks for waits in the kernel. Heads, and short answers with them, are read into memory that all connections share, and
are looked at in the moment in which they come: a connection that waits for its answer holds nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final, cast

from adapter.providers.framing import LONGEST_HEAD, Chunks, FramingError, Head, HeadReader

#: Room for a piece of a body of unknown length.
PIECE_BYTES: Final = 256 * 1024
#: The same for an answer that is passed on as it comes: there may be many of these for minutes.
STREAM_PIECE_BYTES: Final = 16 * 1024
#: What an idle connection reads into. Whatever comes there was not asked for.
_IDLE_ROOM: Final = memoryview(bytearray(1))


def shared_room() -> memoryview:
    """Return memory for the heads of all connections of an event loop."""
    return memoryview(bytearray(LONGEST_HEAD))


class LostError(Exception):
    """The connection ended before the answer did."""

    def __init__(self, *, is_stale: bool) -> None:
        """Say whether the connection had served a request before, and nothing of this answer had come."""
        super().__init__()
        self.is_stale = is_stale


class HttpConnection(asyncio.BufferedProtocol):
    """A connection to a server. It has one request at a time."""

    _transport: asyncio.Transport

    def __init__(self, shared: memoryview) -> None:
        """Take the room for heads (`shared_room`)."""
        #: When it became idle, by the clock of the event loop.
        self.idle_since = 0.0
        #: When it began to wait, or something came last, by the same clock.
        self.heard_at = 0.0
        #: Whether the last answer was whole, and the server takes another request.
        self.is_kept = False
        self._shared = shared
        self._answers = 0
        self._waiter: asyncio.Future[None] | None = None
        #: Reads the head that is waited for.
        self._heads: HeadReader | None = None
        #: Takes the part of a body that is waited for, and the least that is.
        self._room = _IDLE_ROOM
        self._received = self._least = 0
        #: Whether more will come than is waited for.
        self._is_part = False
        self._has_ended = self._has_failed = False
        self._time = asyncio.get_running_loop().time

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, _hint: int) -> memoryview:
        """Offer the room that is left."""
        if self._heads is not None:
            return self._shared
        return self._room[self._received :] or _IDLE_ROOM

    def buffer_updated(self, count: int) -> None:
        """Take what came. What nothing waits for would be taken for the next answer."""
        self.heard_at = self._time()
        if self._waiter is None or self._waiter.done():
            self.close()
        elif self._heads is not None:
            self._take_head(self._heads, self._shared[:count], self._waiter)
        else:
            self._received += count
            if self._received >= self._least:
                self._end_wait(is_part=self._is_part)

    def _take_head(self, heads: HeadReader, data: memoryview, waiter: "asyncio.Future[None]") -> None:
        try:
            heads.feed(data)
        except FramingError as error:
            waiter.set_exception(error)
            return
        if heads.found is not None:
            head, behind = heads.found
            self._end_wait(is_part=not head.is_whole(len(behind)))

    def _end_wait(self, *, is_part: bool) -> None:
        if is_part:
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
    def is_waiting(self) -> bool:
        """Whether something waits for what comes."""
        return self._waiter is not None

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
        heads = self._heads = HeadReader()
        try:
            await self._wait()
        finally:
            self._heads = None
        if heads.found is None:
            raise LostError(is_stale=self._answers > 0 and not heads.has_begun)
        return HttpAnswer(self, *heads.found)

    async def receive(self, room: memoryview, least: int = 1, *, is_part: bool = True) -> int:
        """Wait for at least so many bytes, and return how many came. Fewer came if the connection has ended.

        `is_part` says that more may come. It is not read before it is asked for.
        """
        self._room, self._received, self._least, self._is_part = room, 0, least, is_part
        try:
            await self._wait()
        finally:
            self._room = _IDLE_ROOM
            received, self._received = self._received, 0
        return received

    async def _wait(self) -> None:
        if not self.is_open:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        self.heard_at = self._time()
        self._transport.resume_reading()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def end_answer(self, *, is_kept: bool) -> None:
        """Note that an answer is over. A connection that is still sending its request is not kept."""
        self._answers += 1
        self.is_kept = is_kept and self.is_open and not self._transport.get_write_buffer_size()
        if self.is_kept:
            self._transport.resume_reading()  # to hear of its end


class HttpAnswer:
    """An answer. Its body is read once, by one of three methods."""

    def __init__(self, connection: HttpConnection, head: Head, begun: bytes) -> None:
        self.head = head
        self._connection = connection
        #: What came with the head.
        self._begun = begun

    @property
    def is_here(self) -> bool:
        """Whether all of the body came with the head."""
        return self.head.is_whole(len(self._begun))

    def take(self) -> bytes:
        """Return a body that is here."""
        is_exact = len(self._begun) == self.head.length
        self._end(is_kept=is_exact)
        return self._begun if is_exact else self._begun[: self.head.length]

    async def read(self, length: int) -> bytearray:
        """Return a body of known length that is not here.

        Raises:
            LostError: the connection ended.
        """
        begun = len(self._begun)
        # One byte more shows an answer that is longer than it said.
        body = bytearray(length + 1)
        with memoryview(body) as view:
            view[:begun] = self._begun
            with view[begun:] as room:
                size = begun + await self._connection.receive(room, length - begun, is_part=False)
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
        piece = memoryview(self._begun)
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

    async def blocks(self, size: int) -> AsyncGenerator[bytes, None]:
        """Yield the body in blocks of so many bytes. A body of unknown length is yielded as it comes.

        Raises:
            LostError: the connection ended before the body did.
            FramingError: it is not chunked, although it should be.
        """
        if self.head.length is None:
            async with aclosing(self.pieces(size)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        missing = self.head.length
        # One byte more shows an answer that is longer than it said.
        room = memoryview(bytearray(min(size, missing) + 1))
        begun, self._begun = memoryview(self._begun), b""
        is_exact = True
        while missing:
            wanted = min(size, missing)
            missing -= wanted
            came = min(len(begun), wanted)
            room[:came] = begun[:came]
            begun = begun[came:]
            if came < wanted:
                rest = room[came : wanted + (not missing)]
                came += await self._connection.receive(rest, wanted - came, is_part=bool(missing))
            if came < wanted:
                raise LostError(is_stale=False)
            is_exact = came == wanted
            yield bytes(room[:wanted])
        self._end(is_kept=is_exact and not begun)

    async def pieces(self, size: int = STREAM_PIECE_BYTES) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes, in pieces of so many bytes at most.

        Raises:
            LostError: the connection ended before the body did.
            FramingError: it is not chunked, although it should be.
        """
        chunks = Chunks() if self.head.is_chunked else None
        missing = self.head.length
        piece, self._begun = memoryview(self._begun), b""
        room = memoryview(bytearray(size))
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
