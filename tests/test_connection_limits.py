"""Slow and rude clients on the socket: what is too large, too slow, too many or never read. Time is the tests' own."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import msgspec
import pytest
from structlog.testing import capture_logs
from uvicorn import Config
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

from adapter.connection_table import (
    LEAST_UNSENT_BYTES,
    LEAVING_SECONDS,
    LOOK_SECONDS,
    MOST_UNSENT_BYTES,
    RATE_SECONDS,
    SWEPT,
    ConnectionLimits,
    ConnectionPhase,
    ConnectionTable,
)
from adapter.connections import BEGUN_BYTES, SENT_AHEAD, Protocol
from tests.fakes import FakeClock
from tests.raw_client import PATIENCE, Answer, Connect, echo, serving

GET = b"GET / HTTP/1.1\r\nHost: here\r\n"
POST = b"POST / HTTP/1.1\r\nHost: here\r\n"
LIMITS = ConnectionLimits()
PIECE = 4096


class Server(NamedTuple):
    """A server whose time passes when a test says so."""

    connect: Connect
    table: ConnectionTable
    clock: FakeClock
    made: list[Protocol]

    async def wait(self, seconds: float) -> None:
        """Let time pass, and look at the connections as often as the server does."""
        await self.settle()
        for _ in range(round(seconds)):
            await self.clock.advance(1.0)
            self.table.sweep()
        await self.settle()

    async def settle(self) -> None:
        """Let what was sent arrive."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def until_open(self, count: int) -> None:
        """Wait until so many connections are open."""
        await self.until(lambda: len(self.table) == count)
        assert len(self.table) == count

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, or patience ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not is_so():
                    await asyncio.sleep(0)


@asynccontextmanager
async def limited(app: ASGI3Application = echo, **limits: float) -> AsyncIterator[Server]:
    """Serve an application under limits."""
    clock = FakeClock()
    table = ConnectionTable(msgspec.structs.replace(LIMITS, **limits), clock.now)
    made: list[Protocol] = []

    def make(config: Config, server_state: ServerState, app_state: dict[str, object]) -> Protocol:
        made.append(Protocol(config, server_state, app_state, table=table))
        return made[-1]

    async with serving(make, app) as connect:
        yield Server(connect, table, clock, made)


def unsent_bytes(connection: Protocol) -> int:
    """Return how many unsent bytes the kernel takes from a connection."""
    taken = connection.transport.get_extra_info("socket")
    return int(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT))


class Held:
    """An application that answers when a test lets it; it notes what it hears of its clients."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.heard: list[str] = []
        self.scopes: list[Scope] = []
        self.ended = 0

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Read the body, wait, and answer."""
        self.scopes.append(scope)
        more = True
        while more:
            message = await receive()
            self.heard.append(message["type"])
            more = message["type"] == "http.request" and message["more_body"]
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok", "more_body": False})
        self.ended += 1


def code(answer: Answer) -> str:
    """Return the code of an error in OpenAI's form."""
    error = msgspec.json.decode(answer.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return str(error["code"])


ENDLESS = {
    "a value": (GET + b"X-Long: ", b"a" * PIECE),
    "a name": (GET, b"a" * PIECE),
    "an address": (b"GET /", b"a" * PIECE),
    "many fields": (GET, b"X-A: " + b"b" * (PIECE - 7) + b"\r\n"),
    "empty lines": (b"", b"\r\n" * (PIECE // 2)),
    "the offer of another protocol": (GET + b"Connection: upgrade\r\nUpgrade: ", b"a" * PIECE),
}


@pytest.mark.parametrize(("begin", "piece"), ENDLESS.values(), ids=ENDLESS.keys())
async def test_a_header_without_an_end_is_refused_when_it_is_too_large(begin: bytes, piece: bytes) -> None:
    """And what comes after that is thrown away until the connection is closed."""
    async with limited() as server:
        client = await server.connect()
        await client.send(begin, *[piece] * (LIMITS.header_bytes // PIECE + 1))
        await client.flood(piece, 100)
        answer = await client.answer()

        assert (answer.status, code(answer)) == (431, "request_header_too_large")
        assert "65536 bytes" in answer.body.decode()
        assert (answer.headers["connection"], answer.headers["x-should-retry"]) == ("close", "false")
        assert await client.rest() == b""
        await server.wait(LEAVING_SECONDS)
        await server.until_open(0)


async def test_a_header_of_the_largest_size_is_served() -> None:
    """Whole, byte by byte at its end, and with a body in the same packet."""
    async with limited(header_bytes=2048) as server:
        client = await server.connect()
        whole = POST + b"Content-Length: 3000\r\nX-Long: "
        whole += b"a" * (2048 - len(whole) - 4) + b"\r\n\r\n"
        for packets in ([whole + bytes(3000)], [whole[:2000], whole[2000:2047], whole[2047:], bytes(3000)]):
            await client.send(*packets)

            assert (await client.answer()).status == 200
        await client.send(whole.replace(b"aa", b"aaa", 1))

        assert (await client.answer()).status == 431


async def test_a_header_behind_a_body_is_measured_from_its_own_beginning() -> None:
    """The body that came in the same packet does not count."""
    async with limited(header_bytes=2048) as server:
        client = await server.connect()
        second = GET + b"X-Long: " + b"a" * 1500 + b"\r\n\r\n"
        first = POST + b"Content-Length: 9000\r\n\r\n"
        await client.send(first, bytes(9000) + second[:700], second[700:])

        assert [(await client.answer()).status for _ in range(2)] == [200, 200]

        await client.send(first, bytes(9000) + second[:-4], b"a" * 2049)

        assert [(await client.answer()).status for _ in range(2)] == [200, 431]


@pytest.mark.parametrize(("fields", "status"), [(199, 200), (200, 431)])
async def test_a_header_has_so_many_fields(fields: int, status: int) -> None:
    """`Host` is one of them."""
    async with limited() as server:
        client = await server.connect()
        await client.send(GET + b"X-A: 1\r\n" * fields + b"\r\n")

        assert (await client.answer()).status == status


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
WITHOUT_PAYLOAD = {
    "a chunk's extension": (CHUNKED + b"1;", b"a" * PIECE),
    "a chunk's length": (CHUNKED, b"0" * PIECE),
    "a trailer": (CHUNKED + b"0\r\nX-Long: ", b"a" * PIECE),
    "trailers": (CHUNKED + b"0\r\n", b"X-A: " + b"b" * 4089 + b"\r\n"),
}


@pytest.mark.parametrize(("begin", "piece"), WITHOUT_PAYLOAD.values(), ids=WITHOUT_PAYLOAD.keys())
async def test_a_body_of_wrapping_without_content_is_refused(begin: bytes, piece: bytes) -> None:
    """Chunks have parts without an end too (RFC 9112, section 7.1)."""
    app = Held()
    async with limited(app) as server:
        client = await server.connect()
        await client.flood(begin, 1)
        await client.flood(piece, LIMITS.header_bytes // PIECE + 1)

        assert (await client.answer()).status in {400, 431}
        assert await client.rest() == b""
        assert app.heard == []


async def test_fields_behind_a_body_are_no_header() -> None:
    """Neither of their own request nor of the next one on the connection."""
    app = Held()
    app.go_on.set()
    async with limited(app) as server:
        client = await server.connect()
        await client.send(CHUNKED + b"2\r\nok\r\n0\r\nAuthorization: Bearer other\r\nX-B: 1\r\n\r\n", GET + b"\r\n")
        answers = [await client.answer() for _ in range(2)]

        assert [answer.status for answer in answers] == [200, 200]
        for scope in app.scopes:
            assert scope["type"] == "http"
            assert {name for name, _ in scope["headers"]} <= {b"host", b"transfer-encoding"}


async def test_a_broken_request_does_not_disturb_the_answer_before_it() -> None:
    """The answer comes whole, and then the connection ends."""
    app = Held()
    async with limited(app) as server:
        client = await server.connect()
        await client.send(GET + b"\r\n", b"nonsense\r\n\r\n", GET + b"\r\n")
        app.go_on.set()
        answer = await client.answer()

        assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"ok", "close")
        assert await client.rest() == b""
        assert app.ended == 1


async def test_so_many_requests_may_be_sent_ahead() -> None:
    """The others are not begun, and the connection ends after the last answer."""
    app = Held()
    async with limited(app) as server:
        client = await server.connect()
        await client.send((GET + b"\r\n") * 5000)
        app.go_on.set()
        answers = [await client.answer() for _ in range(SENT_AHEAD + 1)]

        assert [answer.status for answer in answers] == [200] * (SENT_AHEAD + 1)
        assert answers[-1].headers["connection"] == "close"
        assert await client.rest() == b""
        assert len(app.scopes) == SENT_AHEAD + 1


async def test_a_connection_that_says_nothing_is_closed() -> None:
    """Without an answer: a client that opens connections in advance would take it for that of its first request."""
    async with limited() as server:
        client = await server.connect()
        await server.wait(LIMITS.header_seconds - 1)
        await server.until_open(1)

        await server.wait(1)

        assert await client.rest() == b""
        await server.until_open(0)


@pytest.mark.parametrize("is_first", [True, False], ids=["the first request", "a later one"])
async def test_a_header_that_drips_is_refused_after_its_time(is_first: bool) -> None:
    """Each byte buys no more time."""
    async with limited() as server:
        client = await server.connect()
        if not is_first:
            await client.send(GET + b"\r\n")
            await client.answer()
            await server.wait(40)
        await client.send(GET + b"X-Slow: ")
        for _ in range(9):
            await server.wait(1)
            await client.send(b"a")
        await server.until_open(1)
        await server.wait(1)
        answer = await client.answer()

        assert (answer.status, code(answer)) == (408, "request_timeout")
        assert "10 s" in answer.body.decode()
        assert await client.rest() == b""


async def test_a_refused_client_that_does_not_close_is_left() -> None:
    """It has two seconds to read its answer, in which it may still send."""
    async with limited() as server:
        client = await server.connect()
        await client.send(b"nonsense\r\n\r\n")
        await client.send(*[b"more"] * 10)
        await server.wait(LEAVING_SECONDS - 1)
        await server.until_open(1)

        await server.wait(1)
        await server.until_open(0)

        assert (await client.answer()).status == 400


async def test_a_kept_connection_is_closed_after_its_time() -> None:
    """The time begins with each answer."""
    async with limited() as server:
        client = await server.connect()
        for _ in range(2):
            await client.send(GET + b"\r\n")
            assert (await client.answer()).status == 200
            await server.wait(LIMITS.idle_seconds - 1)
            await server.until_open(1)

        await server.wait(1)

        assert await client.rest() == b""


@pytest.mark.parametrize("begun", [0, BEGUN_BYTES])
async def test_a_body_that_drips_is_refused(begun: int) -> None:
    """The application hears that its client is gone, if it has begun: it does so with the end of a small body."""
    app = Held()
    async with limited(app) as server:
        client = await server.connect()
        await client.send(POST + b"Content-Length: 1000000\r\n\r\n" + bytes(begun))
        await server.wait(RATE_SECONDS if begun else 0)  # these came fast
        for _ in range(round(RATE_SECONDS) - 1):
            await client.send(b"a" * 1000)
            await server.wait(1)
        await server.until_open(1)
        await server.wait(1)
        answer = await client.answer()

        assert (answer.status, code(answer)) == (408, "request_timeout")
        assert "1024 bytes per second" in answer.body.decode()
        assert answer.headers["x-should-retry"] == "true"
        assert await client.rest() == b""
        assert app.heard[-1:] == (["http.disconnect"] if begun else [])


async def test_a_body_at_the_least_rate_is_taken() -> None:
    """For as long as a body may take."""
    async with limited(body_seconds=100.0) as server:
        client = await server.connect()
        await client.send(POST + b"Content-Length: 200000\r\n\r\n")
        for _ in range(100):
            await client.send(b"a" * 1024)
            await server.wait(1)
        await server.until_open(1)
        for _ in range(20):
            await client.send(b"a" * 1024)
            await server.wait(1)
        answer = await client.answer()

        assert answer.status == 408
        assert "100 s" in answer.body.decode()


async def test_a_client_is_not_to_blame_while_its_body_is_not_read() -> None:
    """It waits for the word to go on, or for memory: the application reads later."""
    for head in (POST + b"Expect: 100-continue\r\n", POST):
        go_on = asyncio.Event()

        async def late(
            scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable, go_on: asyncio.Event = go_on
        ) -> None:
            await go_on.wait()
            await echo(scope, receive, send)

        async with limited(late) as server:
            client = await server.connect()
            await client.send(head + b"Content-Length: 200000\r\n\r\n")
            if head == POST:
                await client.send(bytes(100_000))
            await server.wait(3 * RATE_SECONDS - 1)
            go_on.set()
            await server.wait(1)
            if head != POST:
                assert (await client.head())[0] == 100
                await client.send(bytes(100_000))
            await client.send(bytes(100_000))

            assert (await client.answer()).status == 200


async def test_a_body_may_come_as_slowly_as_it_likes_if_the_operator_says_so() -> None:
    """`limits.body_bytes_per_second = 0`."""
    async with limited(body_bytes_per_second=0) as server:
        client = await server.connect()
        await client.send(POST + b"Content-Length: 2\r\n\r\n")
        await server.wait(600)
        await client.send(b"ok")

        assert (await client.answer()).body == b"POST / ok"


@pytest.mark.parametrize(("length", "begins"), [(BEGUN_BYTES - 1, False), (BEGUN_BYTES, True)])
async def test_the_application_begins_with_the_end_of_a_body_or_when_enough_of_it_is_there(
    length: int, begins: bool
) -> None:
    """So a thousand bodies that drip are a thousand connections, and not a thousand requests."""
    app = Held()
    app.go_on.set()
    async with limited(app) as server:
        client = await server.connect()
        await client.send(POST + b"Content-Length: 100000\r\n\r\n", bytes(length))
        await server.until(lambda: len(app.scopes) == begins)
        await server.settle()
        assert len(app.scopes) == begins

        await client.send(bytes(100_000 - length))

        assert (await client.answer()).status == 200


async def test_a_body_behind_another_request_has_to_come_too() -> None:
    """Its request was sent ahead, and is the next one when the answer before it is sent."""
    app = Held()
    async with limited(app) as server:
        client = await server.connect()
        await client.send(GET + b"\r\n" + POST + b"Content-Length: 2\r\n\r\no")
        app.go_on.set()
        assert (await client.answer()).status == 200
        await server.settle()
        assert len(app.scopes) == 1

        await client.send(b"k")

        assert (await client.answer()).status == 200
        assert len(app.scopes) == 2


async def test_a_body_that_stands_still_on_a_kept_connection_is_refused() -> None:
    """An earlier request buys no time, neither in the middle of a body nor in that of a chunk."""
    for begin in (POST + b"Content-Length: 9\r\n\r\nabc", CHUNKED + b"9\r\nabc"):
        async with limited() as server:
            client = await server.connect()
            await client.send(GET + b"\r\n")
            assert (await client.answer()).status == 200
            await server.wait(LIMITS.idle_seconds - 1)
            await client.send(begin)
            await server.wait(RATE_SECONDS)

            assert (await client.answer()).status == 408
            assert await client.rest() == b""


async def test_a_process_that_ends_does_not_wait_for_bodies() -> None:
    """Their requests reach the application, which answers that the process ends."""
    app = Held()
    async with limited(app) as server:
        client = await server.connect()
        await client.send(POST + b"Content-Length: 9\r\n\r\nabc")
        for connection in server.made:
            connection.shutdown()
        await server.until(lambda: len(app.scopes) == 1)

        assert len(app.scopes) == 1


async def test_an_old_client_that_drips_is_refused() -> None:
    """HTTP/1.0 has the same limits; its connection ends with its answer."""
    old = b"POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\nabc"
    for begin, seconds in ((old, RATE_SECONDS), (b"GET / HTTP/1.0\r\nX-Slow: ", LIMITS.header_seconds)):
        async with limited() as server:
            client = await server.connect()
            await client.send(begin)
            await server.wait(seconds)

            assert (await client.answer()).status == 408
            assert await client.rest() == b""


async def test_an_offer_of_a_websocket_is_a_request_with_the_same_limits() -> None:
    """What follows it as if the offer were accepted is not HTTP."""
    offer = GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"
    async with limited() as server:
        client = await server.connect()
        await client.send(offer + b"\r\n")
        assert (await client.answer()).status == 200
        await client.send(b"\x81\x85\x00\x00\x00\x00hello")

        assert (await client.answer()).status == 400
        assert await client.rest() == b""


async def test_offers_that_are_sent_ahead_are_limited_too() -> None:
    """Each of them is read a second time, so they cost twice as much."""
    app = Held()
    async with limited(app) as server:
        client = await server.connect()
        await client.send((GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n") * 1000)
        app.go_on.set()
        answers = [await client.answer() for _ in range(SENT_AHEAD + 1)]

        assert answers[-1].headers["connection"] == "close"
        assert await client.rest() == b""
        assert len(app.scopes) == SENT_AHEAD + 1


class Stream:
    """An application that sends as fast as the connection takes it, and goes on when its reader is gone."""

    def __init__(self, piece: int) -> None:
        self._piece = bytes(piece)
        self.sent = 0
        self.was_cancelled = False
        self.end = asyncio.Event()

    async def __call__(self, _scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Send until a test says that it is enough."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while not self.end.is_set():
                await send({"type": "http.response.body", "body": self._piece, "more_body": True})
                self.sent += 1
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


@pytest.mark.parametrize("piece", [200, 256 * 1024], ids=["events", "a file"])
async def test_a_reader_without_progress_is_disconnected(piece: int) -> None:
    """The application goes on, and is not cancelled: what it makes may be paid for."""
    app = Stream(piece)
    async with limited(app) as server:
        client = await server.connect()
        await client.send(GET + b"\r\n")
        await stuck(app, server)
        await server.wait(LIMITS.reader_seconds - 1)
        await server.until_open(1)

        await server.wait(LOOK_SECONDS + 1)

        await server.until_open(0)
        sent = app.sent
        await server.settle()
        assert app.sent > sent
        app.end.set()
        await server.settle()
        assert not app.was_cancelled


async def stuck(app: Stream, server: Server) -> None:
    """Wait until the kernel takes nothing more of an answer."""
    sent = -1
    async with asyncio.timeout(PATIENCE):
        while app.sent != sent:
            sent = app.sent
            for _ in range(200):
                await server.settle()


async def test_a_reader_that_reads_slowly_stays() -> None:
    """However long it takes."""
    app = Stream(256 * 1024)
    async with limited(app) as server:
        client = await server.connect()
        await client.send(GET + b"\r\n")
        await stuck(app, server)
        for _ in range(20):
            await server.wait(LIMITS.reader_seconds - 5)
            await client.read(4 * 1024 * 1024)

        await server.until_open(1)
        app.end.set()


async def test_a_piece_is_read_before_the_next_one_is_made() -> None:
    """So a reader that reads nothing holds one piece, and not two."""
    size, is_taken = 32 * 1024 * 1024, asyncio.Event()

    async def pieces(_scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        headers = [(b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(size), "more_body": True})
        is_taken.set()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with limited(pieces) as server:
        client = await server.connect()
        await client.send(GET + b"\r\n")
        assert (await client.head())[0] == 200
        await server.settle()
        assert not is_taken.is_set()

        await client.read(size)
        await server.until(is_taken.is_set)

        assert is_taken.is_set()


async def test_the_kernel_takes_whole_pictures_from_the_first_connections_only() -> None:
    """It holds what is not read."""
    async with limited(unsent_bytes=2 * MOST_UNSENT_BYTES) as server:
        for _ in range(3):
            await server.connect()
        await server.until_open(3)

        taken = [unsent_bytes(each) for each in server.made]

    assert taken == [MOST_UNSENT_BYTES, MOST_UNSENT_BYTES, LEAST_UNSENT_BYTES]


async def test_a_stream_with_little_to_say_stays() -> None:
    """Its reader has read all that there is."""
    app = Held()
    async with limited(app) as server:
        client = await server.connect()
        await client.send(GET + b"\r\n")
        await server.wait(3600)
        app.go_on.set()

        assert (await client.answer()).body == b"ok"


async def test_an_answer_that_is_never_read_does_not_keep_a_closed_connection() -> None:
    """The connection is to close after the answer, which waits for its reader."""
    size = 32 * 1024 * 1024

    async def large(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        headers = [(b"content-length", b"%d" % size), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(size), "more_body": False})

    async with limited(large) as server:
        client = await server.connect()
        await client.send(GET + b"\r\n")
        await server.wait(LOOK_SECONDS + LIMITS.reader_seconds - 1)
        await server.until_open(1)

        await server.wait(LOOK_SECONDS)

        await server.until_open(0)


async def test_the_log_counts_what_is_closed() -> None:
    """In one line, and not in one for each connection."""
    async with limited() as server:
        with capture_logs() as logs:
            clients = [await server.connect() for _ in range(5)]
            for client in clients[:2]:
                await client.send(b"GET / HT")
            await server.wait(LIMITS.header_seconds)

        assert [line for line in logs if line["event"] == "connections.closed"] == [
            {"event": "connections.closed", "log_level": "info", "open": 2, "slow_header": 2, "silent": 3}
        ]


class Someone:
    """A connection, as the table knows it."""

    def __init__(self, table: ConnectionTable, phase: ConnectionPhase, rate: float = 0.0) -> None:
        self._table = table
        self._rate = rate
        self.was_evicted = self.has_expired = False
        table.enter(self, phase)

    def expire(self) -> None:
        self.has_expired = True
        self._table.leave(self)

    def evict(self) -> None:
        self.was_evicted = True

    def body_rate(self) -> float:
        return self._rate


def full(connections: Mapping[ConnectionPhase, int]) -> tuple[ConnectionTable, list[Someone]]:
    """Return a table that has no place left."""
    table = ConnectionTable(ConnectionLimits(connections=sum(connections.values())), FakeClock().now)
    return table, [Someone(table, phase) for phase, count in connections.items() for _ in range(count)]


def test_the_slowest_connection_is_closed_for_a_new_one() -> None:
    """First those that were refused, then those without a whole header, without a request, with a body, unread."""
    counts = dict.fromkeys(reversed(ConnectionPhase), 2)
    table, connections = full(counts)
    evicted = []
    while table.make_room():
        [one] = [each for each in connections if each.was_evicted]
        connections.remove(one)
        evicted.append(one)
        Someone(table, ConnectionPhase.SERVING)

    assert len(evicted) == 10
    assert not any(each.was_evicted for each in connections)
    assert len(table) == 12


def test_of_several_without_a_whole_header_the_oldest_is_closed() -> None:
    """So a new one has the time that it takes to send its header."""
    table, connections = full({ConnectionPhase.HEAD: 3})
    for each in connections:
        assert table.make_room()
        assert each.was_evicted
        Someone(table, ConnectionPhase.HEAD)


def test_of_several_bodies_the_slowest_is_closed() -> None:
    """By the rate, and not by the age."""
    table = ConnectionTable(ConnectionLimits(connections=3), FakeClock().now)
    connections = [Someone(table, ConnectionPhase.BODY, rate) for rate in (300.0, 20.0, 1000.0)]

    assert table.make_room()
    assert [each.was_evicted for each in connections] == [False, True, False]


async def test_a_sweep_closes_so_many_and_the_next_one_more() -> None:
    """Other work waits while connections are closed."""
    clock = FakeClock()
    table = ConnectionTable(clock=clock.now)
    connections = [Someone(table, ConnectionPhase.HEAD) for _ in range(SWEPT + 1)]
    await clock.advance(LIMITS.header_seconds)

    table.sweep()
    assert sum(each.has_expired for each in connections) == SWEPT
    table.sweep()
    assert sum(each.has_expired for each in connections) == SWEPT + 1


async def test_the_table_says_for_how_long_nothing_is_over() -> None:
    """The server looks no earlier. What is over and not closed yet is over at once."""
    clock = FakeClock()
    table = ConnectionTable(clock=clock.now)
    assert table.quiet_seconds() == math.inf

    Someone(table, ConnectionPhase.IDLE)
    Someone(table, ConnectionPhase.HEAD)
    assert table.quiet_seconds() == LIMITS.header_seconds
    await clock.advance(LIMITS.header_seconds + 1)
    assert table.quiet_seconds() == -1
    table.sweep()
    assert table.quiet_seconds() == LIMITS.idle_seconds - LIMITS.header_seconds - 1


async def test_a_connection_more_than_there_are_places_is_refused() -> None:
    """If all the others are served."""
    app = Held()
    async with limited(app, connections=10) as server:
        served = [await server.connect() for _ in range(10)]
        for client in served:
            await client.send(GET + b"\r\n")
        answer = await (await server.connect()).answer()

        assert (answer.status, code(answer)) == (503, "server_busy")
        assert answer.headers["x-should-retry"] == "true"
        app.go_on.set()
        assert [(await client.answer()).status for client in served] == [200] * 10


async def test_silent_connections_make_room_for_one_that_asks() -> None:
    """A healthy client is served while others fill all places."""
    async with limited(connections=10) as server:
        silent = [await server.connect() for _ in range(30)]
        await server.settle()
        client = await server.connect()
        await client.send(GET + b"\r\n")

        assert (await client.answer()).status == 200
        assert [await each.rest() for each in silent[:21]] == [b""] * 21
        assert len(server.table) == 10


async def test_an_address_has_so_many_connections() -> None:
    """If the operator says so; one that is closed makes room."""
    async with limited(connections_per_address=2) as server:
        first, _ = await server.connect(), await server.connect()
        refused = await (await server.connect()).answer()

        assert (refused.status, code(refused)) == (429, "rate_limit_exceeded")
        first.close()
        await server.wait(LEAVING_SECONDS)
        await server.until_open(1)
        client = await server.connect()
        await client.send(GET + b"\r\n")
        assert (await client.answer()).status == 200
