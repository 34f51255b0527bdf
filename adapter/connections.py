"""HTTP/1 connections: uvicorn's protocol with limits, and with support for unusual and old clients.

- A client may offer to speak another protocol. Every `HttpClient` of Java does on plain HTTP (`Upgrade: h2c`), and
  nginx passes offers on with its usual two lines. A server may ignore an offer (RFC 9110, section 7.8), and this one
  does: the request is served. The parser stops behind the head of such a request, and its body would be lost.
- How an answer is written, also to a client of HTTP/1.0, is in `exchange.py`.
- Input that is not HTTP is refused in the same form as every other error.
- A header has a size, a number of fields and a time; a body has a rate and a time; a reader has to read; and requests
  that are sent ahead have a number. The parser joins the pieces of a header, and copies the whole for each piece. So
  bytes are counted before the parser gets them. `connection_table.py` knows when which time is over.

The socket tests in `tests/test_connections.py` hold the first three for httptools, and for h11, which does it by itself
and serves where httptools does not run. h11 limits the size of a header only. `tests/test_connection_limits.py` holds
the limits.
"""

import asyncio
import secrets
import socket
import struct
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from adapter.connection_table import ConnectionPhase, ConnectionTable
from adapter.errors import AdapterError, HeaderTooLarge, InvalidRequest, RateLimited, RequestStalled, ServerBusy
from adapter.exchange import Exchange, HeldHead, MessageEvent
from adapter.hang_up import HANG_UP, HangUp
from adapter.openai_api.write.errors import error_body, error_headers

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

NOT_HTTP = "The request is not valid HTTP/1.1."
#: Requests that may wait behind the one that is served. Then the connection is closed after the last of them; RFC 9112,
#: section 9.3.2, has the client send the others again.
SENT_AHEAD = 16
#: Where Linux tells how many bytes the client's machine has confirmed (`tcpi_bytes_acked` of `tcp_info`, linux/tcp.h).
BYTES_ACKED = 120
#: Bytes of a body with which the application begins. One that never gets so far never reaches it.
BEGUN_BYTES = 64 * 1024
#: A `struct linger` with which a connection that is closed is reset.
RESET = struct.pack("ii", 1, 0)


class Parser(httptools.HttpRequestParser):
    """Reads requests. One with an offer is read a second time without it."""

    def __init__(self, protocol: "Protocol") -> None:
        super().__init__(protocol)
        # As in uvicorn: bytes after the last request of a connection do not keep it from its answer.
        self.set_dangerous_leniencies(lenient_data_after_close=True)

    @property
    def has_offer(self) -> bool:
        """Whether the head that was just read offers another protocol. CONNECT asks for a tunnel and offers nothing."""
        return self.should_upgrade() and self.get_method() != b"CONNECT"


class Flow(FlowControl):
    """uvicorn's flow control. Its event is made when a reader is slow, and not for each connection: it is 0.9 KB."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.read_paused = False
        self.write_paused = False

    async def drain(self) -> None:
        """Wait until the reader has read."""
        if self.write_paused:
            await super().drain()

    def pause_writing(self) -> None:
        """Have writers wait."""
        if not self.write_paused:
            self._is_writable_event = asyncio.Event()
        super().pause_writing()


class Ahead(list[tuple[RequestResponseCycle, "ASGI3Application"]]):
    """The requests that were sent ahead, the newest first, in the place of uvicorn's deque: an empty one has 0.7 KB."""

    __slots__ = ()

    def appendleft(self, request: tuple[RequestResponseCycle, "ASGI3Application"]) -> None:
        """Add the newest. There are at most `SENT_AHEAD`."""
        self.insert(0, request)


class Protocol(HttpToolsProtocol):
    """One connection. A dictionary of more than thirty attributes shares its keys with no other: ours have slots."""

    __slots__ = (
        "_body_began",
        "_confirmed",
        "_fault",
        "_fed",
        "_fields",
        "_found",
        "_framing",
        "_hang_up",
        "_heads_read",
        "_is_begun",
        "_is_in_body",
        "_is_refused",
        "_limits",
        "_rate_began",
        "_rated",
        "_table",
        "_waiting_app",
        "_was_held",
        "_writer",
    )

    parser: Parser
    _writer: HeldHead

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        table: ConnectionTable | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.pipeline = Ahead()  # type: ignore[assignment] # uvicorn adds to its left, and pops
        self._table = ConnectionTable() if table is None else table  # an empty one is falsy
        self._limits = self._table.limits
        self._is_refused = False
        #: Why the parser was stopped, if it was not because of its input.
        self._fault: AdapterError | None = None
        #: Whether a head has begun; its bytes before the newest read; bytes and fields of it that the parser has found.
        self._is_begun = False
        self._fed = self._found = self._fields = 0
        self._heads_read = 0
        #: Whether the body of a request is coming; since when; its bytes in this look at its rate; bytes without any.
        self._is_in_body = False
        self._body_began = self._rate_began = 0.0
        self._rated = self._framing = 0
        self._was_held = False
        #: The application of the newest request, if its body has to come before it begins.
        self._waiting_app: ASGI3Application | None = None
        #: Of the newest request.
        self._hang_up: HangUp | None = None
        #: What the client had confirmed when its reader was last looked at.
        self._confirmed = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin."""
        super().connection_made(transport)
        self.flow = Flow(transport)
        self._writer = HeldHead(transport)
        self.parser = Parser(self)
        unsent = self._table.unsent_bytes()
        with suppress(AttributeError, OSError):  # not everywhere
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, unsent)
        has_room = self._table.make_room()
        self._table.enter(self, ConnectionPhase.HEAD)
        if not has_room:
            self.refuse(ServerBusy("All connections of this server are in use.", retry_after=1.0), "refused")
        elif self.client is not None and not self._table.count_address(self.client[0]):
            self.refuse(RateLimited("This address has too many connections.", retry_after=1.0), "refused")

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._table.leave(self)
        if self.client is not None:
            self._table.forget_address(self.client[0])
        is_cut = self._is_answering
        super().connection_lost(exc)
        if is_cut:
            self._tell_hang_up()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._is_refused:
            return
        try:
            self._feed(memoryview(data))
        except httptools.HttpParserError:
            fault, self._fault = self._fault or InvalidRequest(NOT_HTTP, code="bad_request"), None
            self.refuse(fault, fault.code or "")
        else:
            self._enter()

    def _feed(self, data: memoryview) -> None:
        """Give the parser what has arrived, and of an open head no more than it may have.

        Raises:
            httptools.HttpParserError: it is not HTTP, or too much of it.
        """
        while data:
            piece = data if self._is_in_body else data[: self._limits.header_bytes - self._fed]
            heads, was_in_body, self._framing = self._heads_read, self._is_in_body, self._framing + len(piece)
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as offer:
                piece = piece[: offer.args[0]]
                head = self.head_without_offer()
                # A new one: the old one reads no more after a request that ends its connection.
                self.parser = Parser(self)
                self.parser.feed_data(head)
            data = data[len(piece) :]
            if not (was_in_body or self._is_in_body) and heads == self._heads_read:
                self._fed += len(piece)
            if max(self._fed, self._framing if self._is_in_body else 0) >= self._limits.header_bytes:
                raise self._stop(self._too_large())

    def _stop(self, fault: AdapterError) -> httptools.HttpParserError:
        """Return what stops the parser, and remember the reason: the parser raises an error of its own."""
        self._fault = fault
        return httptools.HttpParserError(fault.message)

    def _too_large(self) -> HeaderTooLarge:
        return HeaderTooLarge(f"The request's header is longer than {self._limits.header_bytes} bytes.")

    def head_without_offer(self) -> bytes:
        """Return the head that was just read, without the offer of another protocol."""
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._is_begun = True
        self._found = self._fields = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the address."""
        self._find(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field. Those behind a body (RFC 9110, section 6.5) are no part of the request's header."""
        self._fields += 1
        if self._fields > self._limits.header_count:
            most = self._limits.header_count
            raise self._stop(HeaderTooLarge(f"The request's header has more than {most} fields."))
        self._find(len(name) + len(value))
        if not self._is_in_body:
            small = name.lower()
            self.headers.append((small, value))
            if small == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True

    def _find(self, size: int) -> None:
        self._found += size
        if self._found > self._limits.header_bytes:
            raise self._stop(self._too_large())

    def on_headers_complete(self) -> None:
        """Begin to serve a request."""
        if self.parser.has_offer:
            return
        self._is_begun = False
        self._fed = 0
        if len(self.pipeline) >= SENT_AHEAD:
            raise self._stop(RateLimited("Too many requests were sent ahead on one connection."))
        self._hang_up = HangUp()
        self.scope["extensions"] = {HANG_UP: self._hang_up}  # type: ignore[dict-item] # ASGI: a dictionary
        self._exchange()
        self._heads_read += 1
        self._is_in_body = True
        self._framing = 0
        self._body_began = self._rate_began = self._table.clock()
        self._rated = 0

    def _exchange(self) -> None:
        """Begin an exchange, or have it wait for those that came before. As uvicorn's `on_headers_complete`."""
        version, url = self.parser.get_http_version(), httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""
        earlier: RequestResponseCycle | None = self.cycle
        self.cycle = Exchange(
            scope=self.scope,
            transport=self._writer,  # type: ignore[arg-type] # it has what uvicorn's own methods call
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=MessageEvent(),  # type: ignore[arg-type] # as above
            expect_100_continue=self.expect_100_continue and version != "1.0",  # RFC 9110, section 10.1.1
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if earlier is None or earlier.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        """Let the application begin, at once if enough of the body is here or the client waits to be asked for it."""
        if cycle.more_body and len(cycle.body) < BEGUN_BYTES and not cycle.waiting_for_100_continue:
            self._waiting_app = app
        else:
            super()._start_asgi_task(cycle, app)

    def _begin(self) -> None:
        """Let the application of the newest request begin, if it waits for the body."""
        if (app := self._waiting_app) is not None:
            self._waiting_app = None
            super()._start_asgi_task(self.cycle, app)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._rated += len(body)
        self._framing = 0
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) >= BEGUN_BYTES:
            self._begin()
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Take the end of a request's body."""
        if not self.parser.has_offer:
            self._is_in_body = False
            if not self.cycle.response_complete:
                self.cycle.more_body = False
                self.cycle.message_event.set()
            self._begin()

    def on_response_complete(self) -> None:
        """Take the end of an answer. As uvicorn's own, without a timer: the table has the time of every phase."""
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())
        self._enter()

    def _enter(self) -> None:
        """Enter the phase in which the connection is now, if it is another one."""
        earlier, now = self._table.phase(self), self._present_phase()
        is_unread = earlier is ConnectionPhase.STALLED and now is ConnectionPhase.SERVING
        if not (earlier is None or earlier is ConnectionPhase.LEAVING or earlier is now or is_unread):
            self._table.enter(self, now)

    def _present_phase(self) -> ConnectionPhase:
        if self.transport.is_closing():
            return ConnectionPhase.SERVING  # what it still has to send is looked at
        if self._is_in_body:
            return ConnectionPhase.BODY
        if self._is_answering:
            return ConnectionPhase.SERVING
        return ConnectionPhase.HEAD if self._is_begun or self._fed or not self._heads_read else ConnectionPhase.IDLE

    @property
    def _is_answering(self) -> bool:
        """Whether the newest request has no whole answer yet."""
        return self._heads_read > 0 and not self.cycle.response_complete

    def expire(self) -> None:
        """Do what follows when the time of the phase is over."""
        match self._table.phase(self):
            case ConnectionPhase.HEAD if self._is_begun:
                seconds = self._limits.header_seconds
                self.refuse(RequestStalled(f"The request's header did not come within {seconds:g} s."), "slow_header")
            case ConnectionPhase.BODY:
                self._expire_rate()
            case ConnectionPhase.SERVING | ConnectionPhase.STALLED:
                self._expire_reader()
            case ConnectionPhase.IDLE if not self.transport.get_write_buffer_size():
                self._table.leave(self)
                self.transport.close()
            case ConnectionPhase.LEAVING:
                self._table.leave(self)
                self.evict()
            case phase:
                self._abort("slow_reader" if phase is ConnectionPhase.IDLE else "silent")

    def _expire_rate(self) -> None:
        """Look at the rate of a body. While we do not read, or have not asked for it, its client is not to blame."""
        is_held = self.flow.read_paused or self.cycle.waiting_for_100_continue
        least = self._limits.body_bytes_per_second
        now = self._table.clock()
        if now - self._body_began > self._limits.body_seconds:
            most = self._limits.body_seconds
            self.refuse(RequestStalled(f"The request's body did not come within {most:g} s."), "slow_body")
        elif not (is_held or self._was_held) and self.body_rate() < least:
            self.refuse(RequestStalled(f"The request's body comes at less than {least} bytes per second."), "slow_body")
        else:
            self._was_held = is_held
            self._rate_anew()
            self._table.enter(self, ConnectionPhase.BODY)

    def _rate_anew(self) -> None:
        self._rate_began = self._table.clock()
        self._rated = 0

    def body_rate(self) -> float:
        """Return how fast the body comes, in bytes per second, since the last look at it."""
        return self._rated / max(self._table.clock() - self._rate_began, 1.0)

    def _expire_reader(self) -> None:
        """Look whether the client reads its answer, if some of it waits here."""
        confirmed = self._confirmed_bytes()
        if not self.transport.get_write_buffer_size():
            self._table.enter(self, ConnectionPhase.SERVING)
        elif self._table.phase(self) is ConnectionPhase.SERVING or confirmed > self._confirmed:
            self._confirmed = confirmed
            self._table.enter(self, ConnectionPhase.STALLED)
        else:
            self._abort("slow_reader")

    def _confirmed_bytes(self) -> int:
        """Return how many bytes the client's machine has confirmed.

        That our own buffer shrinks is not enough: the kernel takes more only when a third of its megabytes is free.
        Where it does not tell, our own buffer has to do.
        """
        taken = self.transport.get_extra_info("socket")
        with suppress(AttributeError, OSError, struct.error):
            told = taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_ACKED + 8)
            return cast("int", struct.unpack_from("=Q", told, BYTES_ACKED)[0])
        return -self.transport.get_write_buffer_size()

    def evict(self) -> None:
        """Close at once."""
        self._is_refused = True
        if self.transport.get_write_buffer_size():
            # The kernel would keep the megabytes that it has, and offer them to the reader for minutes (socket(7)).
            with suppress(OSError):
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def _abort(self, reason: str) -> None:
        self._table.leave(self)
        self._table.count(reason)
        self.evict()

    def refuse(self, fault: AdapterError, reason: str) -> None:
        """Read no more from this client, and answer with an error if no other answer is on its way."""
        self._is_refused = True
        self._waiting_app = None
        self._table.count(reason)
        if self._is_answering and not self._is_in_body:
            self.cycle.keep_alive = False  # what was asked before is answered, and closes the connection
            self._enter()
        elif self._is_in_body and (self.pipeline or self.cycle.response_started):
            self.transport.close()
            self._enter()
        else:
            self._answer(fault)

    def _answer(self, fault: AdapterError) -> None:
        """Send an error and wait a moment for the client to close."""
        body = msgspec.json.encode(error_body(fault))
        headers = {
            **error_headers(fault),
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            "x-request-id": f"req_{secrets.token_hex(16)}",
        }
        status = f"HTTP/1.1 {fault.status} {HTTPStatus(fault.status).phrase}"
        lines = [status, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.transport.write("\r\n".join(lines).encode() + body)
        self.transport.write_eof()
        self._table.enter(self, ConnectionPhase.LEAVING)
        if self._is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._tell_hang_up()

    def _tell_hang_up(self) -> None:
        if self._hang_up is not None:
            self._hang_up.happen()

    def shutdown(self) -> None:
        """Close, or end after the answer that is on its way, because the process ends."""
        if self._table.phase(self) is ConnectionPhase.LEAVING:
            self.transport.close()
        self._begin()  # it answers that the process ends
        super().shutdown()
