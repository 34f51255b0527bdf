"""One request of a connection, and how its answer is written: uvicorn's cycle, with few calls for each answer.

The head of an answer goes out in one write with the first piece of its body, and with the second one if the first is
short: a write for a few bytes wakes the client as one for a picture does. Everything else that was sent is with the
client before the application makes the next piece. HTTP/1.0 knows no chunks (RFC 9112, section 6.1): an answer of
unknown length ends with its connection there.
"""

import asyncio
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent

#: What no name and no value of a field may have (RFC 9110, sections 5.1 and 5.5).
_NO_NAME: Final = re.compile(rb"[\x00-\x1f\x7f()<>@,;:\[\]={} \t\\\"]")
_NO_VALUE: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
#: Lines of heads that are kept. Most are the same in each answer.
KEPT_LINES: Final = 256
#: Longer fields are not kept.
LONGEST_KEPT: Final = 512
#: A head with the beginning of its body, up to this size, waits for what follows in the same turn of the event loop.
SHORT_BEGINNING: Final = 4096
#: Statuses of answers without a body.
_BODILESS: Final = frozenset({204, 304})


class MessageEvent:
    """The event of a request, in the place of uvicorn's: an `asyncio.Event` has 0.7 KB, most of it an empty queue."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: tuple[asyncio.Future[None], ...] = ()

    def set(self) -> None:
        """Wake who waits."""
        self._is_set = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Have the next ones wait."""
        self._is_set = False

    async def wait(self) -> bool:
        """Wait until it is set."""
        if not self._is_set:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting = (*self._waiting, waiter)
            try:
                await waiter
            finally:
                self._waiting = tuple(each for each in self._waiting if each is not waiter)
        return True


class HeldHead:
    """The transport of a connection's answers. A head goes out in one write with what comes first of its body.

    Most bodies follow at once. If one does not, `flush` has to be called.
    """

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def hold(self, head: bytes) -> None:
        """Take a head."""
        self._head = head

    def write(self, data: bytes, *, is_followed: bool = False) -> None:
        """Write, behind the head if there is one. A short beginning that is followed by more waits."""
        if self._head and is_followed and len(self._head) + len(data) <= SHORT_BEGINNING:
            self._head += data
        elif self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write the head if it was not written."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        """Close when all is written."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Return whether it is closed, or will be."""
        return self._transport.is_closing()


class Exchange(RequestResponseCycle):
    """One request and its answer. `transport` is a `HeldHead`."""

    transport: HeldHead  # type: ignore[assignment] # it has what uvicorn's own methods call

    async def send(self, message: "ASGISendEvent") -> None:
        """Write a message of the application (ASGI).

        Raises:
            RuntimeError: the application sends what is no answer, as with uvicorn.
        """
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start" and not self.response_started:
            self._begin(message)
        elif message["type"] == "http.response.body" and self.response_started and not self.response_complete:
            is_last = not message.get("more_body", False)
            self._go_on(message.get("body", b""), is_last=is_last)
            if self.flow.write_paused and not is_last:
                await self.flow.drain()
        else:
            raise RuntimeError(f"Unexpected ASGI message '{message['type']}'.")

    def _begin(self, message: "HTTPResponseStartEvent") -> None:
        """Write the head, unless its body follows in this turn of the event loop."""
        self.response_started = True
        self.waiting_for_100_continue = False
        lines = [STATUS_LINE[message["status"]]]
        has_close = False
        for given, value in (*self.default_headers, *message.get("headers", ())):
            name, line = _kept_line(given, value) if len(value) <= LONGEST_KEPT else field_line(given, value)
            lines.append(line)
            if name == b"content-length" and self.chunked_encoding is None:
                self.expected_content_length = int(value)
                self.chunked_encoding = False
            elif name == b"transfer-encoding" and value.lower() == b"chunked":
                self.expected_content_length = 0
                self.chunked_encoding = True
            elif name == b"connection":
                has_close |= b"close" in map(bytes.strip, value.lower().split(b","))
        self.keep_alive &= not has_close
        if not self.keep_alive and not has_close:
            lines.append(b"connection: close\r\n")
        has_body = self.scope["method"] != "HEAD" and message["status"] not in _BODILESS
        if self.chunked_encoding is None and has_body and self.scope["http_version"] != "1.0":
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n")
        self.transport.hold(b"".join(lines))
        asyncio.get_running_loop().call_soon(self.transport.flush)

    def _go_on(self, body: bytes, *, is_last: bool) -> None:
        """Write a piece of the body."""
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
        elif self.chunked_encoding:
            size = len(body)
            chunk = (b"%x\r\n" % size, body, b"\r\n") if size else ()
            self.transport.write(b"".join((*chunk, b"0\r\n\r\n" if is_last else b"")))
        else:
            self._count(len(body))
            self.transport.write(body, is_followed=self.expected_content_length > 0)
        if is_last:
            if self.expected_content_length:
                raise RuntimeError("Response content shorter than Content-Length")
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    def _count(self, size: int) -> None:
        """Count a piece of a body that is not in chunks. One without a length ends with its connection."""
        if self.chunked_encoding is None and self.scope["http_version"] == "1.0":
            return
        if size > self.expected_content_length:
            raise RuntimeError("Response content longer than Content-Length")
        self.expected_content_length -= size


def field_line(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return the name of a field in small letters, and its line.

    Raises:
        RuntimeError: it could be read as something else than this field.
    """
    if _NO_NAME.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if _NO_VALUE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    small = name.lower()
    return small, b"%b: %b\r\n" % (small, value)


_kept_line = lru_cache(maxsize=KEPT_LINES)(field_line)
