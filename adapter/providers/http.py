"""The HTTP client of all providers, over aiohttp: for a picture's bytes the cheapest (docs/measurements.md)."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
import msgspec
from yarl import URL

from adapter.errors import UpstreamBroken
from adapter.providers.failures import mapped_errors
from adapter.providers.reply import (
    HEADERS,
    Reply,
    broken,
    collect,
    deadline,
    too_long,
    unreachable,
)

MAX_CONNECTIONS = 512
#: What is taken from a socket before it is an answer's turn; the rest waits in the kernel.
READ_BYTES = 64 * 1024
#: Answers that are read at once. When many pictures come in the same moment, the first are passed on before the others
#: are begun: side by side all of them would be as late as the last, and all in memory.
READERS = 4
#: And the longest wait for a turn, so that answers that come slowly do not keep others waiting.
TURN_SECONDS = 0.25
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a request may take."""

    #: Seconds until a connection stands, with its look-up and TLS.
    connect: float = 10.0
    #: Seconds of a whole download, and between two pieces of it.
    download: float = 900.0
    silence: float = 60.0
    #: Bytes of an answer. It is all in memory; ten 4K pictures of Flow in one are about 150 MB of base64.
    answer_bytes: int = 256 * 1024 * 1024


class HttpDownload:
    """A file on its way (the port of that name)."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    @property
    def status(self) -> int:
        """What the server answered."""
        return self._response.status

    def is_whole(self, size: int) -> bool:
        """Say whether so many bytes are all of it.

        A body of announced length has to have it. A chunked one that ended was whole: aiohttp raises on a torn one. A
        body that ends with its connection cannot be told from a cut one, and is none.
        """
        headers = self._response.headers
        if "content-length" in headers:
            return headers["content-length"] == str(size)
        return headers.get("transfer-encoding", "").lower() == "chunked"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they travel: never unpacked, so a small answer cannot swell."""
        with mapped_errors():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def read(self, limit: int) -> bytes:
        """Return all of it (the port of that name)."""
        data = await collect(aiter(self), limit)
        if not self.is_whole(len(data)):
            raise broken()
        return data


class Http:
    """Two kinds of connections: kept ones, and one that is opened for a request and thrown away.

    The second kind is for requests that cost money and cannot be told apart: on a kept connection that the other end
    has just closed, a request ends in an error that leaves open whether it was executed (reference: `reliability.md`
    section 2.2). Downloads use it as well.

    Nothing is read from the environment, neither proxies nor a netrc. No cookie is kept: one account's would go along
    with the next one's request. No redirect of a request is followed. aiohttp sends a POST once; a GET that finds its
    connection closed it may send a second time.
    """

    def __init__(self, trust: ssl.SSLContext | None = None, limits: HttpLimits | None = None) -> None:
        self._trust = trust
        self._limits = limits or HttpLimits()
        self._readers = asyncio.Semaphore(READERS)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep connections for as long as this lasts."""
        kept = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=self._trust or True)
        fresh = aiohttp.TCPConnector(limit=0, ssl=self._trust or True, force_close=True)
        async with self._session(kept) as self._kept, self._session(fresh) as self._fresh:
            yield

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            headers=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect),
            auto_decompress=False,
            read_bufsize=READ_BYTES,
            trust_env=False,
        )

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Send on a kept connection to an address as it is written; read the whole answer within `seconds`.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamSilent: no answer in time.
            UpstreamBroken: the connection broke.
        """
        async with deadline(seconds):
            return await self._send(self._kept, "POST", url, headers=headers, body=body)

    async def get(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, and changes nothing at Google."""
        async with deadline(seconds):
            return await self._send(self._kept, "GET", url, headers=headers, body=body)

    async def post_once(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, on a connection of its own; never sent a second time by any layer."""
        async with deadline(seconds):
            return await self._send(self._fresh, "POST", url, headers=headers, body=body)

    async def _send(
        self, session: aiohttp.ClientSession, method: str, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        with mapped_errors():
            request = session.request(method, _address(url), data=body or None, headers=headers, allow_redirects=False)
            async with request as answer:
                return Reply(answer.status, await self._read(answer))

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """Return the body, read in one go where its length is known: a wake-up for every piece costs more than it."""
        content, length = answer.content, answer.content_length
        if content.is_eof():
            return content.read_nowait()
        limit = self._limits.answer_bytes
        if length is not None and length > limit:
            raise too_long(limit)
        has_place = await self._has_place()
        try:
            content.set_read_chunk_size(length or limit)
            if length is None:
                return await collect(content.iter_any(), limit)
            begun = content.read_nowait()
            await content.wait_eof()
            return b"".join([begun, *[piece async for piece, _ in content.iter_chunks()]])
        finally:
            if has_place:
                self._readers.release()

    async def _has_place(self) -> bool:
        """Wait for a turn; False when that took too long."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                return await self._readers.acquire()
        except TimeoutError:
            return False

    @asynccontextmanager
    async def open_get(self, url: str, *, headers: Mapping[str, str]) -> AsyncIterator[HttpDownload]:
        """Open an answer of any status, on a connection of its own. A redirect is an answer: nothing follows it.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`.
        """
        async with deadline(self._limits.download), self._opened(url, headers) as answer:
            yield HttpDownload(answer)

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[HttpDownload]:
        """Open a signed link. No credential goes along, and redirects lead only to https or back to the same origin.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`; any other status than 200 is broken.
        """
        target, origin = url, _origin(url)
        async with deadline(self._limits.download):
            for _ in range(MAX_REDIRECTS + 1):
                async with self._opened(target, {}) as answer:
                    location = answer.headers.get("location")
                    if answer.status not in REDIRECTS or not location:
                        yield HttpDownload(_checked(answer))
                        return
                target = _joined(target, location)
                if not target.startswith("https:") and _origin(target) != origin:
                    break
        raise UpstreamBroken("Google's media link leads nowhere.")

    @asynccontextmanager
    async def _opened(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open an answer. What its reader raises passes through as it is."""
        with mapped_errors():
            timeout = aiohttp.ClientTimeout(total=None, connect=self._limits.connect, sock_read=self._limits.silence)
            answer = await self._fresh.get(_address(url), headers=headers, allow_redirects=False, timeout=timeout)
        try:
            yield answer
        finally:
            answer.close()


def _checked(answer: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
    if answer.status != 200:
        raise UpstreamBroken(f"Google's media link answered {answer.status}.")
    return answer


def _address(url: str) -> URL:
    try:
        return URL(url, encoded=True)
    except ValueError as error:
        raise unreachable("address") from error


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise UpstreamBroken("Google's media link leads nowhere.") from error


def _origin(url: str) -> URL:
    """Return scheme, host and port.

    Raises:
        UpstreamBroken: it is no http address.
    """
    try:
        return URL(url, encoded=True).origin()
    except ValueError as error:
        raise UpstreamBroken("Google's media link is no address.") from error
