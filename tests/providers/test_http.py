"""What really happens on a socket, by each way: only a connection that never stood proves that nothing was sent."""

import asyncio
import gzip
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapter.errors import UpstreamBroken, UpstreamFault, UpstreamSilent, UpstreamUnreachable
from adapter.providers.http import Http
from adapter.providers.limits import HttpLimits
from adapter.providers.session import HttpNetwork
from tests.providers.helpers import (
    HEAD,
    Behaviour,
    drips,
    endless,
    free_port,
    is_silent,
    raw_server,
    resets,
    says,
    server,
)
from tests.providers.identity import identity_of_localhost
from tests.support import ROOT


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


async def post(http: Http, kind: str, url: str, seconds: float = 5.0) -> bytes:
    """Send and return the answer's body."""
    reply = await getattr(http, kind)(url, headers={"x-key": "k"}, body=b"", seconds=seconds)
    return bytes(reply.body)


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
        says(b"HTTP/1.1 two hundred OK\r\ncontent-length: 2\r\n\r\n{}"),
        says(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
        says(HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}"),
        says(HEAD),
        says(HEAD + b"content-length: 100\r\n\r\n{"),
        says(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{"),
        says(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n", b"nonsense\r\n"),
        says(HEAD + b"content-length: two\r\n\r\n{}"),
        says(b"\x00\xff nonsense\r\n\r\n"),
        says(HEAD + b"x: y\r\n" * 20_000),
        says(b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000),
        says(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        resets,
    ],
    ids=[
        "nothing",
        "half a line",
        "no status",
        "two lengths",
        "a length and chunks",
        "half a head",
        "half a body",
        "half a chunk",
        "no chunk",
        "no length",
        "nonsense",
        "endless head",
        "endless interim answers",
        "another protocol",
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
    with pytest.raises(UpstreamUnreachable) as caught:
        await post(http, kind, f"http://127.0.0.1:{free_port()}/")
    assert caught.value.cause == "refused"


async def test_a_name_that_does_not_resolve_proves_that_nothing_was_sent(http: Http, kind: str) -> None:
    """There was nobody to send it to."""
    with pytest.raises(UpstreamUnreachable) as caught:
        await post(http, kind, "http://nowhere.invalid/")
    assert caught.value.cause == "dns"


async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a handshake with something else."""
    await reader.read(1)
    writer.write(b"this is not TLS\r\n")
    writer.close()


async def test_a_handshake_that_fails_proves_that_nothing_was_sent(http: Http, kind: str) -> None:
    """TLS comes before the request."""
    async with raw_server(greets) as port:
        with pytest.raises(UpstreamUnreachable) as caught:
            await post(http, kind, f"https://127.0.0.1:{port}/")
    assert caught.value.cause == "tls"


async def test_a_handshake_that_breaks_off_proves_that_nothing_was_sent(http: Http, kind: str) -> None:
    """As above."""
    async with raw_server(resets) as port:
        with pytest.raises(UpstreamUnreachable) as caught:
            await post(http, kind, f"https://127.0.0.1:{port}/")
    assert caught.value.cause == "network"


async def test_a_strangers_certificate_proves_that_nothing_was_sent(http: Http, kind: str, tmp_path: Path) -> None:
    """The handshake comes before the request, so a stranger has seen nothing of it."""
    certificate = identity_of_localhost(tmp_path)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(certificate)
    trusting = Http(HttpNetwork(trust=ssl.create_default_context(cafile=certificate)))

    async with server(says(HEAD + b"content-length: 2\r\n\r\n{}"), identity) as url, trusting.open():
        with pytest.raises(UpstreamUnreachable) as caught:
            await post(http, kind, url)
        assert await post(trusting, kind, url) == b"{}"
    assert caught.value.cause == "tls"


async def test_a_connection_that_does_not_stand_in_time_proves_that_nothing_was_sent(kind: str) -> None:
    """Here its TLS is never answered."""
    hasty = Http(limits=HttpLimits(connect=0.05))
    async with raw_server(is_silent) as port, hasty.open():
        with pytest.raises(UpstreamUnreachable) as caught:
            await post(hasty, kind, f"https://127.0.0.1:{port}/")
    assert caught.value.cause == "timeout"


@pytest.mark.parametrize("url", ["http://[::1/", "file:///etc/passwd", "nonsense", "", "http:///x"])
async def test_what_is_no_address_proves_that_nothing_was_sent(http: Http, kind: str, url: str) -> None:
    """A mistake in the configuration."""
    with pytest.raises(UpstreamUnreachable) as caught:
        await post(http, kind, url)
    assert caught.value.cause == "address"


async def test_an_error_names_no_address(http: Http, kind: str) -> None:
    """A key may stand in it."""
    async with server(says()) as url:
        for asked in (f"http://127.0.0.1:{free_port()}/?key=secret", f"{url}?key=secret", "http://[?key=secret"):
            with pytest.raises(UpstreamFault) as caught:
                await post(http, kind, asked)
            assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["a\r\nx-other: b", "a\nb", "a\rb", "a\0b", "a\udcff"])
async def test_a_header_that_cannot_be_sent_is_not_sent(http: Http, value: str) -> None:
    """It would end its line, and what is behind it would be another header."""
    google = Counting()
    async with server(google) as url:
        with pytest.raises(UpstreamFault):
            await http.post(url, headers={"x-key": value}, body=b"", seconds=5.0)
    assert google.asked == 0


async def test_a_name_and_a_password_in_an_address_are_sent_as_a_header(http: Http, kind: str) -> None:
    """A relay may want them."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        await post(http, kind, f"http://ada:secret@127.0.0.1:{listening.sockets[0].getsockname()[1]}/")

    assert b"authorization: Basic YWRhOnNlY3JldA==\r\n" in heads[0]
    assert b"secret" not in heads[0]


class Counting:
    """Reads each request and hangs up; counts them."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        writer.close()


@pytest.mark.parametrize("kind", ["post", "post_once"])
async def test_a_post_is_sent_once(http: Http, kind: str) -> None:
    """What becomes of an unanswered one is decided elsewhere; for all that is known here it was executed."""
    google = Counting()
    async with server(google) as url:
        with pytest.raises(UpstreamBroken):
            await post(http, kind, url)
    assert google.asked == 1


@pytest.mark.parametrize("status", [b"301", b"302", b"303", b"307", b"308"])
async def test_a_redirect_is_an_answer_like_any_other(http: Http, kind: str, status: bytes) -> None:
    """It would carry `x-goog-api-key` to another host (measured of httpx, `reliability.md` section 0.5)."""
    elsewhere = Counting()
    async with server(elsewhere) as other:
        moved = b"HTTP/1.1 %s Moved\r\nlocation: %s\r\ncontent-length: 2\r\n\r\n{}" % (status, other.encode())
        async with server(says(moved)) as url:
            assert await post(http, kind, url) == b"{}"
    assert elsewhere.asked == 0


async def test_an_endless_answer_is_not_read_to_its_end(kind: str) -> None:
    """An answer is all in memory."""
    small = Http(limits=HttpLimits(answer_bytes=1_000_000))
    async with server(endless) as url, small.open(), asyncio.timeout(20):
        with pytest.raises(UpstreamBroken, match="longer than 1000000 bytes"):
            await post(small, kind, url)


async def test_an_answer_that_announces_too_much_is_not_begun(http: Http, kind: str) -> None:
    """As above."""
    async with server(says(HEAD + b"content-length: %d\r\n\r\n{" % (HttpLimits().answer_bytes + 1))) as url:
        with pytest.raises(UpstreamBroken, match="longer than"):
            await post(http, kind, url)


def test_nothing_is_read_from_the_environment(tmp_path: Path) -> None:
    """Neither proxies nor a netrc: both would see or send what an operator did not mean."""
    (tmp_path / "netrc").write_text("default login ada password secret\n")
    proxy = f"http://127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), proxy),
        "NETRC": str(tmp_path / "netrc"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.providers.environment"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )

    heads = done.stdout.lower()
    assert heads.count("http/1.1") == 4
    assert "authorization" not in heads


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
