"""Connections on the socket: offers of other protocols, HTTP/1.0, and what is not HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import cast

import httptools
import msgspec
import pytest
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from adapter.connections import Flow, Protocol
from adapter.exchange import SHORT_BEGINNING, Exchange, HeldHead, field_line
from adapter.hang_up import HANG_UP, HangUp
from tests.raw_client import PATIENCE, Connect, echo, serving

OFFERS = {
    "h2c, as Java": "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n",
    "h2c, as curl": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n",
    "TLS": "Upgrade: TLS/1.0\r\nConnection: Upgrade\r\n",
    "WebSocket": "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: AAAA\r\n",
    "several": "Upgrade: h2c, TLS/1.2\r\nUpgrade: foo/2\r\nConnection: keep-alive, UPGRADE\r\n",
    "nginx, nothing to pass on": 'Connection: "upgrade"\r\n',
    "Connection alone": "Connection: upgrade\r\n",
    "Upgrade alone": "Upgrade: h2c\r\n",
    "an empty one": "Upgrade: \r\nConnection: upgrade\r\n",
    "odd bytes": "Upgrade: h\xe4c\r\nConnection: upgrade\r\nX-Name: caf\xe9 \xff\r\n",
}
BODIES = {
    "with a length": ("Content-Length: 11\r\n", b"hello world"),
    "in chunks": ("Transfer-Encoding: chunked\r\n", b"6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"),
}


@pytest.fixture(params=[Protocol, H11Protocol], ids=["httptools", "h11"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Connections to an echo, by the parser in use and by the one where there is none in C."""
    async with serving(request.param, echo) as made:
        yield made


def head(offer: str, length: str, path: str = "/v1/images/generations") -> bytes:
    """Return a request without its body."""
    return f"POST {path} HTTP/1.1\r\nHost: here\r\n{offer}{length}\r\n".encode("latin-1")


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
@pytest.mark.parametrize(("length", "body"), BODIES.values(), ids=BODIES.keys())
async def test_an_offer_is_ignored_and_the_request_served(
    connect: Connect, offer: str, length: str, body: bytes
) -> None:
    """The body arrives: in the packet of the head, in the next one, and byte by byte."""
    whole = head(offer, length) + body
    client = await connect()
    for packets in ([whole], [head(offer, length), body], [whole[at : at + 1] for at in range(len(whole))]):
        await client.send(*packets)
        answer = await client.answer()

        assert (answer.status, answer.body) == (200, b"POST /v1/images/generations hello world")
        assert "upgrade" not in answer.headers


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
@pytest.mark.parametrize(("length", "body"), BODIES.values(), ids=BODIES.keys())
async def test_requests_behind_an_offer_are_served_in_turn(
    connect: Connect, offer: str, length: str, body: bytes
) -> None:
    """Pipelined in one packet, with offers of their own and without, with a body and without."""
    client = await connect()
    get = f"GET /second HTTP/1.1\r\nHost: here\r\n{offer}\r\n".encode("latin-1")
    plain = b"GET /last HTTP/1.1\r\nHost: here\r\n\r\n"
    await client.send(head(offer, length) + body + get + head(offer, length, "/third") + body + plain)

    said = [(await client.answer()).body for _ in range(4)]

    assert said == [
        b"POST /v1/images/generations hello world",
        b"GET /second ",
        b"POST /third hello world",
        b"GET /last ",
    ]


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
async def test_a_client_with_an_offer_may_wait_for_the_word_to_go_on(connect: Connect, offer: str) -> None:
    """`Expect: 100-continue`, as Java's and curl's clients send it."""
    client = await connect()
    await client.send(head(offer, "Content-Length: 5\r\nExpect: 100-continue\r\n"))
    status, _ = await client.head()
    await client.send(b"hello")

    assert status == 100
    assert (await client.answer()).body == b"POST /v1/images/generations hello"


async def test_a_client_with_an_offer_may_leave_afterwards(connect: Connect) -> None:
    """The last request of a connection is served as well."""
    client = await connect()
    await client.send(head("Connection: close, Upgrade\r\nUpgrade: h2c\r\n", "Content-Length: 2\r\n"), b"ok")
    answer = await client.answer()

    assert (answer.body, answer.headers["connection"]) == (b"POST /v1/images/generations ok", "close")
    assert await client.rest() == b""


async def test_a_large_body_behind_an_offer_arrives_whole(connect: Connect) -> None:
    """It is more than a connection takes at once."""
    client = await connect()
    body = bytes(range(256)) * 4096
    await client.send(head(OFFERS["h2c, as Java"], f"Content-Length: {len(body)}\r\n") + body)

    assert (await client.answer()).body == b"POST /v1/images/generations " + body


async def test_a_stream_behind_an_offer_has_chunks(connect: Connect) -> None:
    """It is HTTP/1.1 that goes on."""
    client = await connect()
    await client.send(head(OFFERS["h2c, as Java"], "Content-Length: 2\r\n", "/stream") + b"ok")
    answer = await client.answer()

    assert (answer.headers["transfer-encoding"], answer.body) == ("chunked", b"POST /stream ok")


@pytest.mark.parametrize("more", ["", "Connection: keep-alive\r\n", "Connection: upgrade\r\nUpgrade: h2c\r\n"])
@pytest.mark.parametrize(("path", "length"), [("/stream", None), ("/picture", "16")])
async def test_an_old_client_gets_no_chunks(connect: Connect, more: str, path: str, length: str | None) -> None:
    """HTTP/1.0: an answer without a length ends with its connection."""
    client = await connect()
    await client.send(f"POST {path} HTTP/1.0\r\n{more}Content-Length: 2\r\n\r\nok".encode())
    status, headers = await client.head()

    assert (status, headers.get("content-length"), headers["connection"]) == (200, length, "close")
    assert "transfer-encoding" not in headers
    assert await client.rest() == f"POST {path} ok".encode()


async def test_an_old_client_is_not_told_to_go_on(connect: Connect) -> None:
    """It would take `100 Continue` for its answer (RFC 9110, section 10.1.1)."""
    client = await connect()
    await client.send(b"POST /picture HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", b"ok")

    assert (await client.answer()).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Name: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: x\r\n\r\n",
        b"CONNECT here:443 HTTP/1.1\r\nHost: here:443\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused_in_the_shape_of_every_mistake(sent: bytes) -> None:
    """TLS on a plain port, HTTP/2 without an offer, a tunnel, nonsense."""
    async with serving(Protocol, echo) as connect:
        client = await connect()
        await client.send(sent)
        answer = await client.answer()

        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert msgspec.json.decode(answer.body)["error"]["code"] == "bad_request"
        assert answer.headers["x-request-id"].startswith("req_")
        assert await client.rest() == b""


def test_the_parser_is_the_one_in_c() -> None:
    """What is ours runs for requests with an offer only."""
    assert issubclass(Protocol.__annotations__["parser"], httptools.HttpRequestParser)


async def test_an_application_is_called_when_its_client_hangs_up() -> None:
    """No task has to wait for that. After the answer the application is not interested any more."""
    began, told = asyncio.Event(), asyncio.Event()

    async def waiting(scope: Scope, _receive: ASGIReceiveCallable, _send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        cast("HangUp", scope["extensions"][HANG_UP]).call(told.set)
        began.set()
        await asyncio.Event().wait()

    async with serving(Protocol, waiting) as connect, asyncio.timeout(PATIENCE):
        client = await connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await began.wait()
        assert not told.is_set()

        client.close()
        await told.wait()


async def test_an_application_is_not_called_when_its_client_closes_after_the_answer() -> None:
    """The client has what it wanted."""
    told: list[str] = []
    hang_ups: list[HangUp] = []

    async def answering(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        hang_ups.append(cast("HangUp", scope["extensions"][HANG_UP]))
        hang_ups[0].call(lambda: told.append("hung up"))
        await echo(scope, receive, send)

    async with serving(Protocol, answering) as connect:
        client = await connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await client.answer()
        client.close()
        await client.settle()

    assert told == []
    hang_ups[0].happen()
    hang_ups[0].happen()
    assert told == ["hung up"]


def test_what_is_called_of_a_client_that_has_hung_up_already_is_called_at_once() -> None:
    """It may leave before the application looks. What was forgotten is not called."""
    told: list[str] = []
    late, forgotten = HangUp(), HangUp()
    late.happen()
    late.call(lambda: told.append("late"))
    forgotten.call(lambda: told.append("forgotten"))
    forgotten.forget()
    forgotten.happen()

    assert told == ["late"]


async def test_a_head_whose_body_takes_long_goes_out_alone() -> None:
    """A stream is there for its client before its first event."""
    go_on = asyncio.Event()

    async def streaming(_scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"ok", "more_body": False})

    async with serving(Protocol, streaming) as connect:
        client = await connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        status, _ = await client.head()
        go_on.set()
        await client.read(2)

    assert status == 200


class Written(asyncio.Transport):
    """A transport that remembers its writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Remember one write."""
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Remember several pieces as the one write that they are."""
        self.writes.append(b"".join(list_of_data))

    def close(self) -> None:
        """Remember that."""
        self.writes.append(b"closed")


def test_a_head_goes_out_with_its_body_in_one_write_and_never_twice() -> None:
    """Each write of its own is a system call, and wakes the client."""
    joined, alone, closed = Written(), Written(), Written()
    heads = [HeldHead(transport) for transport in (joined, alone, closed)]
    for head in heads:
        head.hold(b"head ")
    assert joined.writes == []

    heads[0].write(b"body")
    heads[0].flush()
    heads[0].write(b"more")
    heads[1].flush()
    heads[1].write(b"body")
    heads[2].close()

    assert joined.writes == [b"head body", b"more"]
    assert alone.writes == [b"head ", b"body"]
    assert closed.writes == [b"head ", b"closed"]


def test_a_short_beginning_goes_out_with_its_head_and_with_what_follows() -> None:
    """The JSON in front of a picture. A long one is not copied, and nothing behind the head's own write is held."""
    short, alone, long = Written(), Written(), Written()
    heads = [HeldHead(transport) for transport in (short, alone, long)]
    beginning = bytes(SHORT_BEGINNING - len(b"head "))
    for head in heads:
        head.hold(b"head ")

    heads[0].write(beginning, is_followed=True)
    assert short.writes == []
    heads[0].write(b" picture", is_followed=True)
    heads[0].write(b" and", is_followed=True)
    heads[1].write(beginning, is_followed=True)
    heads[1].flush()
    heads[2].write(beginning + b".", is_followed=True)

    assert short.writes == [b"head " + beginning + b" picture", b" and"]
    assert alone.writes == [b"head " + beginning]
    assert long.writes == [b"head " + beginning + b"."]


async def test_an_answer_whose_beginning_is_short_goes_out_in_one_write() -> None:
    """If the application sends all of it in one turn of the event loop."""
    written = Written()
    exchange = Exchange(
        scope=cast("HTTPScope", {"type": "http", "method": "GET", "http_version": "1.1", "headers": []}),
        transport=HeldHead(written),  # type: ignore[arg-type] # it has what uvicorn's own methods call
        flow=Flow(written),
        logger=logging.getLogger(),
        access_logger=logging.getLogger(),
        access_log=False,
        default_headers=[],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=lambda: None,
    )
    await exchange.send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await exchange.send({"type": "http.response.body", "body": b"be", "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b"at", "more_body": False})

    assert written.writes == [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbeat"]


async def test_a_short_beginning_whose_rest_takes_long_goes_out_alone() -> None:
    """A client sees what there is, whether or not the length was announced."""
    go_on = asyncio.Event()

    async def pausing(_scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"be", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"at", "more_body": False})

    async with serving(Protocol, pausing) as connect:
        client = await connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await client.head()
        begun = await client.read(2)
        go_on.set()

        assert (begun, await client.read(2)) == (b"be", b"at")


@pytest.mark.parametrize(
    ("name", "value"), [(b"x-a", b"1\r\nx-b: 2"), (b"x-a", b"\x00"), (b"x a", b"1"), (b"x-a:", b"1"), (b"x-a\n", b"1")]
)
def test_a_field_that_could_be_read_as_two_is_not_written(name: bytes, value: bytes) -> None:
    """A value may come from a client or from Google."""
    with pytest.raises(RuntimeError, match="Invalid HTTP header"):
        field_line(name, value)


def test_the_line_of_a_field_has_its_name_in_small_letters() -> None:
    """Both forms of a name are one."""
    assert field_line(b"Content-Length", b"7") == (b"content-length", b"content-length: 7\r\n")
