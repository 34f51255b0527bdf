"""HTTP/1 connections: uvicorn's protocol with support for unusual and old clients.

- A client may offer to speak another protocol. Every `HttpClient` of Java does on plain HTTP (`Upgrade: h2c`), and
  nginx passes offers on with its usual two lines. A server may ignore an offer (RFC 9110, section 7.8), and this one
  does: the request is served. The parser stops behind the head of such a request, and its body would be lost.
- HTTP/1.0 knows no chunks (RFC 9112, section 6.1). A body of unknown length ends with its connection there.
- Input that is not HTTP is refused in the same form as every other error.

The socket tests in `tests/test_connections.py` hold all of it for httptools, and for h11, which does it by itself and
serves where httptools does not run.
"""

import asyncio
import secrets
from array import array
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from adapter.errors import InvalidRequest
from adapter.openai_api.write.errors import error_body, error_headers

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

NOT_HTTP = "The request is not valid HTTP/1.1."


class Parser(httptools.HttpRequestParser):
    """Reads requests. One with an offer is read a second time without it."""

    def __init__(self, protocol: "Protocol") -> None:
        super().__init__(protocol)
        self._protocol = protocol
        # As in uvicorn: bytes after the last request of a connection do not keep it from its answer.
        self.set_dangerous_leniencies(lenient_data_after_close=True)

    def feed_data(self, data: "bytes | bytearray | memoryview[int] | array[int]") -> None:
        """Take what has arrived.

        Raises:
            httptools.HttpParserError: it is not HTTP.
        """
        parser = self
        while True:
            try:
                # By its name: this loop goes on with parsers that are made on the way.
                httptools.HttpRequestParser.feed_data(parser, data)
            except httptools.HttpParserUpgrade as offer:
                data = self._protocol.head_without_offer() + cast("bytes", data)[offer.args[0] :]
                # A new one: the old one reads no more after a request that ends its connection.
                parser = self._protocol.parser = Parser(self._protocol)
            else:
                return

    @property
    def has_offer(self) -> bool:
        """Whether the head that was just read offers another protocol. CONNECT asks for a tunnel and offers nothing."""
        return self.should_upgrade() and self.get_method() != b"CONNECT"


class Protocol(HttpToolsProtocol):
    """One connection."""

    parser: Parser

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin."""
        super().connection_made(transport)
        self.parser = Parser(self)

    def head_without_offer(self) -> bytes:
        """Return the head that was just read, without the offer of another protocol."""
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def on_headers_complete(self) -> None:
        """Begin to serve a request."""
        if self.parser.has_offer:
            return
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0":
            self.cycle.waiting_for_100_continue = False  # RFC 9110, section 10.1.1
            self.cycle.send = unchunked(self.cycle)  # type: ignore[assignment,method-assign] # no other way

    def on_message_complete(self) -> None:
        """Take the end of a request's body."""
        if not self.parser.has_offer:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words; ours are for clients
        """Refuse what is not HTTP, and close the connection."""
        fault = InvalidRequest(NOT_HTTP, code="bad_request")
        body = msgspec.json.encode(error_body(fault))
        headers = {
            **error_headers(fault),
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            "x-request-id": f"req_{secrets.token_hex(16)}",
        }
        lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.transport.write("\r\n".join(lines).encode() + body)
        self.transport.close()


def unchunked(cycle: RequestResponseCycle) -> "Callable[[ASGISendEvent], Coroutine[Any, Any, None]]":
    """Return how an answer is sent to a client that knows no chunks: without a length, it ends with its connection."""
    send = cycle.send
    is_endless = False

    async def sending(message: "ASGISendEvent") -> None:
        nonlocal is_endless
        if message["type"] == "http.response.start":
            is_endless = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
            if is_endless:
                cycle.chunked_encoding = False
        elif is_endless and message["type"] == "http.response.body":
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    return sending
