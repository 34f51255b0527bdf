"""A file at an address comes whole, in time and within its limit, or not at all."""

import asyncio
import gzip
import random
import re
import ssl
import tracemalloc
import zlib
from ipaddress import ip_address
from pathlib import Path

import pytest

from adapter.errors import InvalidRequest, WrongConfiguration
from adapter.media.agent import user_agent
from adapter.media.fetch import Network, SafeFetcher, trusted_certificates
from adapter.network.addresses import is_public
from tests.media.certificates import Authority
from tests.media.internet import OK, PUBLIC, TLS, Answers, Behaviour, Internet, redirect, says, server
from tests.media.spellings import CORPUS, INNOCENT

HEAD = b"HTTP/1.1 200 OK\r\n"


async def fetch_from(behaviour: Behaviour, *, limit: int = 100, seconds: float = 5.0) -> bytes:
    """Fetch from a loopback server that the operator trusts."""
    async with server(behaviour) as port:
        network = Network(tls=TLS, seconds=seconds)
        fetcher = SafeFetcher(trusted=[f"127.0.0.1:{port}"], network=network)
        async with asyncio.timeout(10):
            return await fetcher.fetch(f"http://127.0.0.1:{port}/picture.png?a=b", limit=limit)


@pytest.mark.parametrize(
    "reply",
    [
        HEAD + b"content-length: 7\r\n\r\npicture",
        HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\npic\r\n4;x=y\r\nture\r\n0\r\n\r\n",
        *(
            HEAD + b"content-length: 7\r\nContent-Encoding: %b\r\n\r\npicture" % word
            for word in (b"identity", b"UTF-8", b"aws-chunked", b"binary", b"none", b"", b"aws-chunked, utf-8", b" , ")
        ),
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + HEAD + b"content-length: 7\r\n\r\npicture",
    ],
    ids=lambda reply: reply.split(b"\r\n\r\n")[0].decode(),
)
async def test_a_whole_file_comes_as_it_was_sent(reply: bytes) -> None:
    """Exactly as long as the limit is short enough."""
    assert await fetch_from(says(reply), limit=7) == b"picture"


@pytest.mark.parametrize(
    ("reply", "says_"),
    [
        (HEAD + b"content-length: 101\r\n\r\n", "longer than 100 bytes"),
        (HEAD + b"content-length: 99999999999999999999\r\n\r\n", "longer than 100 bytes"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"50\r\n" + b"x" * 80 + b"\r\n" + b"50\r\n", "broke"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n", "longer than 100 bytes"),
        (HEAD + b"content-length: 7\r\n\r\npict", "broke before"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n7\r\npict", "broke before"),
        (HEAD + b"\r\npicture", "how long"),
        (HEAD + b"content-length: 7\r\ncontent-length: 8\r\n\r\npicture", "broke before"),
        (HEAD + b"content-length: -7\r\n\r\npicture", "broke before"),
        (HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "broke before"),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\npicture", "status 404"),
        (b"HTTP/1.1 206 Partial\r\ncontent-length: 7\r\n\r\npicture", "status 206"),
        (b"HTTP/1.1 204 Nothing\r\n\r\n", "status 204"),
        (b"HTTP/1.1 302 Nowhere\r\ncontent-length: 0\r\n\r\n", "status 302"),
        (b"HTTP/1.1 304 Same\r\nlocation: /\r\n\r\n", "status 304"),
        (b"HTTP/1.1 101 Other\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "broke before"),
        (HEAD + b"x: " + b"y" * 1_000_000 + b"\r\n\r\n", "broke before"),
        (b"\x16\x03\x01 no HTTP\r\n\r\n", "broke before"),
        (b"", "broke before"),
    ],
)
async def test_anything_else_is_refused_in_one_sentence(reply: bytes, says_: str) -> None:
    """What the file's server did, without a word of it."""
    with pytest.raises(InvalidRequest, match=says_) as caught:
        await fetch_from(says(reply))

    assert caught.value.code == "failed_to_download_image"
    assert caught.value.message.count(". ") == 0


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", gzip.compress(b"picture", mtime=0)),
        (b"X-GZIP", gzip.compress(b"picture", mtime=0)),
        (b"gzip", gzip.compress(b"pic", mtime=0) + gzip.compress(b"ture", mtime=0)),
        (b"deflate", zlib.compress(b"picture")),
        (b"deflate", zlib.compress(b"picture")[2:-4]),
        (b"aws-chunked, gzip", gzip.compress(b"picture", mtime=0)),
        (b"deflate, gzip", gzip.compress(zlib.compress(b"picture"), mtime=0)),
    ],
)
async def test_a_file_that_comes_packed_unasked_is_unpacked(encoding: bytes, body: bytes) -> None:
    """Some servers do not listen; it is not the client's doing."""
    head = HEAD + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (encoding, len(body))

    assert await fetch_from(says(head, body)) == b"picture"


@pytest.mark.parametrize(
    ("encoding", "body", "says_"),
    [
        (b"br", b"picture", "compressed with br, although"),
        (b"zstd", b"picture", "compressed with zstd, although"),
        (b"gzip, br", b"picture", "compressed with br, although"),
        (b"x", b"picture", "compressed with x, although"),
        (b"\xff", b"picture", "compressed with unknown, although"),
        (b"gzip, gzip, gzip", b"picture", "although"),
        (b"gzip", b"picture", "compressed with gzip, and it is broken"),
        (b"gzip", gzip.compress(b"picture", mtime=0)[:-1], "compressed with gzip, and it is broken"),
        (b"gzip", gzip.compress(b"picture", mtime=0) + b"more", "compressed with gzip, and it is broken"),
        (b"deflate", b"picture", "compressed with deflate, and it is broken"),
        (b"gzip", b"", "compressed with gzip, and it is broken"),
    ],
)
async def test_a_file_that_cannot_be_unpacked_is_refused_by_the_kind(encoding: bytes, body: bytes, says_: str) -> None:
    """Cut, something else, or a kind for which there is no library here."""
    head = HEAD + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (encoding, len(body))
    with pytest.raises(InvalidRequest, match=says_) as caught:
        await fetch_from(says(head, body))
    assert caught.value.code == "failed_to_download_image"


@pytest.mark.parametrize("encoding", [b"gzip", b"identity, gzip", b"gzip, gzip"])
async def test_a_packed_file_does_not_swell_beyond_its_limit(encoding: bytes) -> None:
    """20 kB would become 20 MB; no more than the limit is ever unpacked, of any layer."""
    bomb = gzip.compress(bytes(20_000_000))
    if encoding == b"gzip, gzip":
        bomb = gzip.compress(bomb)
    head = HEAD + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (encoding, len(bomb))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequest, match="compressed, and it is longer than 1000000 bytes"):
            await fetch_from(says(head, bomb), limit=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


async def test_a_body_without_an_end_is_left_at_the_limit() -> None:
    """The server notices that nobody reads on, long before it has sent a hundred times as much."""
    sent = asyncio.Queue[int]()

    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        pieces = 0
        try:
            while pieces < 100_000:
                writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
                await writer.drain()
                pieces += 1
        finally:
            sent.put_nowait(pieces)

    with pytest.raises(InvalidRequest, match="longer than 1000000 bytes"):
        await fetch_from(pours, limit=1_000_000)
    assert await sent.get() < 1000


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, so that no single read ever times out."""
    writer.write(HEAD + b"content-length: 1000000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b" ")
        try:
            async with asyncio.timeout(0.01):
                await reader.read(1)
        except TimeoutError:
            continue


async def keeps_hinting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never come to the answer."""
    while not reader.at_eof():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async with asyncio.timeout(0.01):
                await reader.read(1)
        except TimeoutError:
            continue


async def is_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Wait until the client leaves."""
    await reader.read()


@pytest.mark.parametrize("behaviour", [drips, keeps_hinting, is_silent])
async def test_a_slow_server_is_left_in_time(behaviour: Behaviour) -> None:
    """However busy it looks."""
    with pytest.raises(InvalidRequest, match=r"within 0\.1 seconds"):
        await fetch_from(behaviour, limit=10_000_000, seconds=0.1)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_server_that_never_gets_to_tls_is_left_and_closed(*, cancelled: bool) -> None:
    """In time, and as well when the client of ours hangs up: no connection is forgotten."""
    left, reached = asyncio.Event(), asyncio.Event()

    async def is_mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)
        reached.set()
        await reader.read()
        left.set()

    async with server(is_mute) as port:
        internet = Internet({"mute.example": [[PUBLIC]]}, ways={PUBLIC: port})
        fetcher = internet.fetcher(seconds=5.0 if cancelled else 0.1)
        task = asyncio.create_task(fetcher.fetch("https://mute.example/", limit=9))
        async with asyncio.timeout(5):
            await reached.wait()
            if cancelled:
                task.cancel()
            with pytest.raises((asyncio.CancelledError, InvalidRequest)):
                await task
            await left.wait()


async def test_a_look_up_that_takes_too_long_is_left() -> None:
    """In the same words as any host that cannot be reached."""

    async def never(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    fetcher = SafeFetcher(network=Network(resolver=never, tls=TLS, connect_seconds=0.01))
    with pytest.raises(InvalidRequest, match="cannot be reached"):
        await fetcher.fetch("https://slow.example/", limit=9)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(status: int) -> None:
    """Each kind, as a GET without anything that the first server said."""
    first = redirect(b"https://b.example/there?x", status).replace(
        b"\r\n\r\n", b"\r\nset-cookie: a=b; domain=example\r\n\r\n"
    )
    internet = Internet({"*": [[PUBLIC]]}, [first, OK])

    assert await internet.fetcher().fetch("https://a.example/here?y#z", limit=9) == b"picture"
    assert internet.lookups == ["a.example", "b.example"]
    ours = "host: {}\r\nuser-agent: adapter\r\naccept: */*\r\naccept-encoding: identity\r\n\r\n"
    assert b"".join(internet.requests).decode() == "".join([
        "GET /here?y HTTP/1.1\r\n", ours.format("a.example"), "GET /there?x HTTP/1.1\r\n", ours.format("b.example"),
    ])  # fmt: skip


async def test_five_redirects_are_followed_and_a_sixth_is_not() -> None:
    """Loops end there too."""
    five = Internet({"*": [[PUBLIC]]}, [*[redirect(b"/again")] * 5, OK])
    assert await five.fetcher().fetch("https://a.example/", limit=9) == b"picture"

    loop = Internet({"*": [[PUBLIC]]}, [redirect(b"https://a.example/")])
    with pytest.raises(InvalidRequest, match="more than 5 times"):
        await loop.fetcher().fetch("https://a.example/", limit=9)
    assert len(loop.connections) == 6


@pytest.mark.parametrize("location", [b"http://a.example/", b"https://a.example:8443/", b"ftp://a.example/", b"//["])
async def test_a_redirect_to_what_is_not_fetched_names_only_the_first_host(location: bytes) -> None:
    """Where it leads to may be the secret of a server that the operator trusts."""
    internet = Internet({"*": [[PUBLIC]]}, [redirect(location)])
    with pytest.raises(InvalidRequest, match=r"^'first\.example' redirects to an address that is not fetched\.$"):
        await internet.fetcher().fetch("https://first.example/", limit=9)
    assert len(internet.connections) == 1


async def test_a_trusted_server_is_trusted_at_its_port_only() -> None:
    """The same host at another port is private again."""
    async with server(says(OK)) as port, server(says(OK)) as other:
        fetcher = SafeFetcher(http=True, trusted=[f"localhost:{port}"], network=Network(tls=TLS))

        assert await fetcher.fetch(f"http://localhost:{port}/", limit=9) == b"picture"
        for host in ("localhost", "127.0.0.1"):
            with pytest.raises(InvalidRequest, match="no other port"):
                await fetcher.fetch(f"http://{host}:{other}/", limit=9)
        with pytest.raises(InvalidRequest, match="no other port"):
            await fetcher.fetch(f"http://127.0.0.1:{port}/", limit=9)


async def test_a_server_is_told_who_asks() -> None:
    """Version and address, by the operator's wish; Wikimedia refuses programs that say neither."""
    internet = Internet({"*": [[PUBLIC]]}, [OK])
    network = Network(resolver=internet.resolve, backend=internet, tls=TLS)
    agent = user_agent("https://media.example/about")
    await SafeFetcher(agent=agent, network=network).fetch("https://a.example/", limit=9)

    assert f"user-agent: {agent}\r\n".encode() in b"".join(internet.requests)
    assert re.fullmatch(r"adapter/\S+ \(\+https://media\.example/about\)", agent)


def test_who_gives_no_address_is_still_no_bare_name() -> None:
    """It says what kind of program it is."""
    assert re.fullmatch(r"adapter/\S+ \(self-hosted; [^()]+\)", user_agent(""))


def test_a_wrong_exception_stops_the_start() -> None:
    """It would never match."""
    with pytest.raises(WrongConfiguration, match=r"fetching\.trusted: 'images' "):
        SafeFetcher(trusted=["images"])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that our own test trusts."""
    return Authority(tmp_path_factory.mktemp("tls"))


async def test_tls_is_checked_by_the_name_although_the_address_is_connected_to(authority: Authority) -> None:
    """The server is told the name as well (SNI)."""
    context, names = authority.server("pictures.example")
    async with server(says(OK), context) as port:
        internet = Internet({"*": [[PUBLIC]]}, ways={PUBLIC: port})
        fetcher = internet.fetcher(tls=authority.client())

        assert await fetcher.fetch("https://pictures.example/", limit=9) == b"picture"
        assert names == ["pictures.example"]
        assert internet.connections == [(PUBLIC, 443)]
        with pytest.raises(InvalidRequest, match="no valid certificate"):
            await fetcher.fetch("https://other.example/", limit=9)


async def test_a_certificate_that_nobody_vouches_for_is_refused(authority: Authority, tmp_path: Path) -> None:
    """Self-signed, or of an authority that we do not know; with the contexts of the real world."""
    for known in (httpcore_default(), Authority(tmp_path).client()):
        context, _ = authority.server("pictures.example")
        async with server(says(OK), context) as port:
            internet = Internet({"*": [[PUBLIC]]}, ways={PUBLIC: port})
            with pytest.raises(InvalidRequest, match="no valid certificate"):
                await internet.fetcher(tls=known).fetch("https://pictures.example/", limit=9)


def httpcore_default() -> ssl.SSLContext:
    """Return what a fetcher has that is told nothing."""
    return trusted_certificates()


async def test_whatever_a_client_sends_the_failure_is_the_clients() -> None:
    """Bytes, pieces of addresses in any order, names that the resolver chokes on; still nothing private is reached."""
    chance = random.Random(7)
    pieces = [
        *"/:@#?[]%\\. \n0a",
        "https://",
        "http://",
        INNOCENT,
        "127.0.0.1",
        "[::1]",
        "０",
        "。",
        "ß",
        "xn--",
        "\ud800",
    ]
    names: dict[str, list[Answers]] = {
        INNOCENT: [[PUBLIC]],
        "*": [["10.0.0.1"], OSError(), UnicodeError(), ["fe80::1%lo"]],
    }
    internet = Internet(names, [OK])
    fetcher = internet.fetcher()
    texts = [chance.randbytes(chance.randrange(40)).decode(errors="surrogateescape") for _ in range(2000)]
    texts += ["https://" + chance.randbytes(chance.randrange(40)).decode("latin-1") for _ in range(2000)]
    texts += ["".join(chance.choices(pieces, k=chance.randrange(8))) for _ in range(4000)]
    texts += ["https://" + "".join(chance.choices(pieces, k=chance.randrange(8))) for _ in range(4000)]
    texts += [text.replace(chance.choice(text), chance.choice(pieces)) for text in CORPUS]
    for text in texts:
        try:
            await fetcher.fetch(text, limit=9)
        except InvalidRequest:
            continue

    assert internet.connections
    assert {host for host, _ in internet.connections if not is_public(ip_address(host))} == set()


async def test_whatever_a_server_sends_the_failure_is_the_clients() -> None:
    """Answers with bytes changed, lost and doubled."""
    chance = random.Random(7)
    answers = [OK, redirect(b"https://b.example/"), HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\npic\r\n0\r\n\r\n"]
    for _ in range(3000):
        reply = bytearray(chance.choice(answers))
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(reply))
            reply[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        internet = Internet({"*": [[PUBLIC]]}, [bytes(reply), OK])
        try:
            assert len(await internet.fetcher().fetch("https://a.example/", limit=9)) <= 9
        except InvalidRequest:
            continue
