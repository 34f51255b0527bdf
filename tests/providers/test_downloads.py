"""Files at links: followed by hand, whole or not at all, and no credential goes along."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from adapter.errors import UpstreamBroken, UpstreamFault, UpstreamSilent
from adapter.providers.http import Http
from adapter.providers.limits import HttpLimits
from adapter.providers.origin import OwnOrigin
from tests.providers.helpers import HEAD, drips, says, server
from tests.upstream import Google, Upstream


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """A client that is open."""
    http = Http()
    async with http.open():
        yield http


async def fetched(upstream: Upstream, google: Google) -> bytes:
    """Return what a link leads to."""
    upstream.answer = google
    async with upstream.http.download(f"{upstream.url}/a.mp4", OwnOrigin(upstream.url)) as download:
        return b"".join([chunk async for chunk in download])


async def test_a_link_is_followed_by_hand(upstream: Upstream) -> None:
    """Redirects of a signed link lead on, relative ones too."""

    def google(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/a.mp4":
            return httpx.Response(302, headers={"location": "/b.mp4?x=%2F"})
        assert request.url.raw_path == b"/b.mp4?x=%2F"
        return httpx.Response(200, content=b"bytes")

    assert await fetched(upstream, google) == b"bytes"


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "http://cdn.example/b.mp4", "/a.mp4", "http://[/"])
async def test_a_link_that_leaves_https_or_runs_in_circles_is_broken(upstream: Upstream, target: str) -> None:
    """A downgrade is not followed, and nothing is followed for ever."""
    asked: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(302, headers={"location": target})

    with pytest.raises(UpstreamBroken):
        await fetched(upstream, google)
    assert len(asked) == (6 if target == "/a.mp4" else 1)


@pytest.mark.parametrize("status", [204, 206, 302, 401, 403, 404, 410, 500, 503])
async def test_any_other_answer_to_a_link_is_broken(upstream: Upstream, status: int) -> None:
    """An expired link or an error page is never taken for a video."""
    with pytest.raises(UpstreamBroken, match=str(status)):
        await fetched(upstream, lambda _: httpx.Response(status))


@pytest.mark.parametrize(
    "url",
    [
        "https://xn--\ud800/",
        "http://xn--a/x",
        "file:///etc/passwd",
        "nonsense",
        "",
        "http://a..b/x",
        f"https://{'a' * 64}/",
        "http://[",
    ],
)
async def test_a_link_that_is_no_address_is_a_fault_of_the_upstream(http: Http, url: str) -> None:
    """It comes from an answer of Google's."""
    with pytest.raises(UpstreamFault):
        async with http.download(url, OwnOrigin(url)):
            pass


async def test_a_file_that_stops_coming_is_silence() -> None:
    """Its connection stands, and nothing comes on it."""

    async def stops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"content-length: 5\r\n\r\n12")
        await reader.read()

    http = Http(limits=HttpLimits(silence=0.05))
    async with server(stops) as url, http.open(), asyncio.timeout(10):
        with pytest.raises(UpstreamSilent):
            async with http.download(url, OwnOrigin(url)) as download:
                await download.read(5)


async def test_a_file_has_to_come_in_time() -> None:
    """A byte now and then is no file."""
    http = Http(limits=HttpLimits(download=0.1))
    async with server(drips) as url, http.open(), asyncio.timeout(10):
        with pytest.raises(UpstreamSilent):
            async with http.download(url, OwnOrigin(url)) as download:
                await download.read(1_000_000)


async def fetch(http: Http, url: str) -> None:
    """Read a download to its end and insist that it is whole."""
    async with http.download(url, OwnOrigin(url)) as download:
        if not download.is_whole(sum([len(chunk) async for chunk in download])):
            raise UpstreamBroken("cut")


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
    async with server(says(*pieces)) as url, http.download(url, OwnOrigin(url)) as download:
        size = sum([len(chunk) async for chunk in download])
        assert (size, download.is_whole(size)) == (5, is_whole)


@pytest.mark.parametrize("head", [b"content-length: 50", b"transfer-encoding: chunked"])
async def test_a_download_that_breaks_off_is_a_fault(http: Http, head: bytes) -> None:
    """It is never taken for a short file."""
    async with server(says(HEAD + head + b"\r\n\r\n5\r\n123")) as url:
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


async def test_a_file_that_is_too_long_is_not_read_to_its_end(http: Http) -> None:
    """Posters and linked pictures are read into memory, up to a limit."""
    async with server(says(HEAD + b"content-length: 5\r\n\r\n12345")) as url:
        async with http.download(url, OwnOrigin(url)) as download:
            assert await download.read(5) == b"12345"
        async with http.download(url, OwnOrigin(url)) as download:
            with pytest.raises(UpstreamBroken, match="longer than 4"):
                await download.read(4)
