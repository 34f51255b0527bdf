"""What really happens on a socket, by both clients: only a connection that never stood proves that nothing was sent."""

import asyncio
import gzip
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from adapter.errors import UpstreamBroken, UpstreamFault, UpstreamSilent, UpstreamUnreachable
from adapter.providers.http import Http
from tests.providers.helpers import HEAD, Behaviour, says, server


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """The way out, over real sockets."""
    http = Http()
    async with http.open():
        yield http


@pytest.fixture(params=["post", "post_once", "get"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each of the two clients, and what only reads."""
    return str(request.param)


async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with a reset instead of words."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def is_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Wait until the client leaves."""
    await reader.read()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, so that no single read ever times out."""
    writer.write(HEAD + b"content-length: 1000000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b" ")
        try:
            await asyncio.wait_for(reader.read(1), 0.02)
        except TimeoutError:
            continue


async def post(http: Http, kind: str, url: str, seconds: float = 5.0) -> bytes:
    """Send and return the answer's body."""
    reply = await getattr(http, kind)(url, headers={"x-key": "k"}, body=b"", seconds=seconds)
    body: bytes = reply.body
    return body


@pytest.mark.parametrize(
    "pieces",
    [
        (HEAD, b"content-length: 2\r\n\r\n", b"{}"),
        (HEAD, b"content-length: 2\r\n\r\n{", b"}"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n{\r\n", b"1\r\n}\r\n0\r\n\r\n"),
        (HEAD + b"\r\n{}",),
        (b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"content-length: 2\r\n\r\n{}"),
    ],
)
async def test_a_whole_answer_is_read(http: Http, kind: str, pieces: tuple[bytes, ...]) -> None:
    """In one piece or several, by length, by chunks, or to the end of the connection."""
    async with server(says(*pieces)) as url:
        assert await post(http, kind, url) == b"{}"


@pytest.mark.parametrize(
    "behaviour",
    [
        says(),
        says(b"HTTP/1.1 200"),
        says(HEAD),
        says(HEAD + b"content-length: 100\r\n\r\n{"),
        says(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{"),
        says(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n", b"nonsense\r\n"),
        says(HEAD + b"content-length: two\r\n\r\n{}"),
        says(b"\x00\xff nonsense\r\n\r\n"),
        resets,
    ],
    ids=[
        "nothing",
        "half a line",
        "half a head",
        "half a body",
        "half a chunk",
        "no chunk",
        "no length",
        "nonsense",
        "reset",
    ],
)
async def test_an_answer_that_breaks_off_may_have_been_executed(http: Http, kind: str, behaviour: Behaviour) -> None:
    """The server had the request."""
    async with server(behaviour) as url:
        with pytest.raises(UpstreamBroken):
            await post(http, kind, url)


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", HEAD + b"content-length: 0\r\n\r\n"])
async def test_an_answer_may_be_empty(http: Http, kind: str, head: bytes) -> None:
    """By its status or by its length."""
    async with server(says(head)) as url:
        assert await post(http, kind, url) == b""


async def test_silence_may_have_been_executed(http: Http, kind: str) -> None:
    """No answer in time."""
    async with server(is_silent) as url:
        with pytest.raises(UpstreamSilent):
            await post(http, kind, url, seconds=0.05)


async def test_a_drip_is_silence(http: Http, kind: str) -> None:
    """A byte now and then is no answer: the time is for the whole of it."""
    async with server(drips) as url, asyncio.timeout(15):
        with pytest.raises(UpstreamSilent):
            await post(http, kind, url, seconds=0.2)


async def test_a_port_that_nobody_listens_on_proves_that_nothing_was_sent(http: Http, kind: str) -> None:
    """Refused before the first byte."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UpstreamUnreachable):
        await post(http, kind, f"http://127.0.0.1:{port}/")


async def test_a_name_that_does_not_resolve_proves_that_nothing_was_sent(http: Http, kind: str) -> None:
    """There was nobody to send it to."""
    with pytest.raises(UpstreamUnreachable):
        await post(http, kind, "http://nowhere.invalid/")


async def test_a_handshake_that_fails_proves_that_nothing_was_sent(http: Http, kind: str) -> None:
    """TLS comes before the request."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"this is not TLS\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(UpstreamUnreachable):
            await post(http, kind, f"https://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("pieces", "is_whole"),
    [
        ((HEAD + b"content-length: 5\r\n\r\n12345",), True),
        ((HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n",), True),
        ((HEAD + b"\r\n12345",), False),
    ],
)
async def test_a_download_is_whole_by_length_or_by_chunks(
    http: Http, pieces: tuple[bytes, ...], *, is_whole: bool
) -> None:
    """What ends with its connection proves nothing."""
    async with server(says(*pieces)) as url, http.download(url) as download:
        size = sum([len(chunk) async for chunk in download])
        assert (size, download.is_whole(size)) == (5, is_whole)


async def fetch(http: Http, url: str) -> None:
    """Read a download to its end and insist that it is whole."""
    async with http.download(url) as download:
        if not download.is_whole(sum([len(chunk) async for chunk in download])):
            raise UpstreamBroken("cut")


@pytest.mark.parametrize("head", [b"content-length: 50", b"transfer-encoding: chunked"])
async def test_a_download_that_breaks_off_is_a_fault(http: Http, head: bytes) -> None:
    """It is never taken for a short file."""
    async with server(says(HEAD + head + b"\r\n\r\n5\r\n123")) as url:
        with pytest.raises(UpstreamFault):
            await fetch(http, url)


async def test_a_submission_never_travels_on_a_used_connection(http: Http) -> None:
    """A pooled connection that was just closed ends in an error that proves nothing."""
    ports: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            ports.append(writer.get_extra_info("peername")[1])
            writer.write(HEAD + b"content-length: 2\r\n\r\n{}")
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return

    async with server(answer) as url:
        for kind in ("post", "post", "post_once", "post_once"):
            await post(http, kind, url)

    assert ports[0] == ports[1]
    assert len(set(ports)) == 3


async def test_no_cookie_of_one_request_goes_along_with_the_next(http: Http, kind: str) -> None:
    """Accounts share the client, not what Google remembers of them."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HEAD + b"set-cookie: sid=1; Path=/\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        for _ in range(2):
            # By name: a cookie jar keeps nothing for bare addresses.
            await post(http, kind, f"http://localhost:{port}/")

    assert b"cookie" not in heads[1].lower()


async def test_a_body_is_taken_as_it_is(http: Http, kind: str) -> None:
    """Never unpacked, though Google was asked not to pack: a small answer cannot swell."""
    packed = gzip.compress(b" " * 1_000_000)
    head = HEAD + f"content-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n".encode()
    async with server(says(head, packed)) as url:
        assert await post(http, kind, url) == packed


@pytest.mark.parametrize("url", ["http://a..b/x", f"https://{'a' * 64}/", "http://xn--a/x"])
async def test_a_link_to_a_name_that_cannot_be_is_a_fault(http: Http, url: str) -> None:
    """Whatever part of the way finds it out."""
    with pytest.raises(UpstreamFault):
        await fetch(http, url)


async def test_a_signed_link_is_asked_for_as_it_is_written(http: Http) -> None:
    """A signature may cover the very escapes."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    target = "/v/a%3Ac%40d%7Ee?X=a%2F2%40&Signature=x%2By%3D"
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}{target}"
        await fetch(http, url)

    assert heads[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


async def test_google_is_asked_not_to_pack(http: Http, kind: str) -> None:
    """Unpacking costs more than the bytes that it saves."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        await post(http, kind, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")

    assert b"accept-encoding: identity\r\n" in heads[0].lower()


async def test_a_file_that_is_too_long_is_not_read_to_its_end(http: Http) -> None:
    """Posters and linked pictures are read into memory, up to a limit."""
    async with server(says(HEAD + b"content-length: 5\r\n\r\n12345")) as url:
        async with http.download(url) as download:
            assert await download.read(5) == b"12345"
        async with http.download(url) as download:
            with pytest.raises(UpstreamBroken, match="longer than 4"):
                await download.read(4)
