"""The shared connections to Google, over aiohttp: for a picture's bytes the cheapest client (docs/measurements.md)."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import aiohttp
from yarl import URL

from adapter.providers.reply import (
    CONNECT_SECONDS,
    HEADERS,
    MAX_ANSWER_BYTES,
    Reply,
    broken,
    collect,
    deadline,
    silent,
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


class Pool:
    """Kept connections, for all calls that are not counted one by one.

    No proxy or key file of the environment is read, and no cookie is kept: one account's would go along with the next
    one's request. aiohttp itself repeats only methods that may be repeated; a POST it sends once.
    """

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        self._trust = trust
        self._readers = asyncio.Semaphore(READERS)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep connections for as long as this lasts."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=self._trust or True),
            headers=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
            auto_decompress=False,
            read_bufsize=READ_BYTES,
        ) as self._session:
            yield

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Send to an address as it is written, and read the whole answer within `seconds`.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamSilent: no answer in time.
            UpstreamBroken: the connection broke.
        """
        return await self._send("POST", url, headers=headers, body=body, seconds=seconds)

    async def get(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`; aiohttp may repeat it on another connection."""
        return await self._send("GET", url, headers=headers, body=body, seconds=seconds)

    async def _send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        async with deadline(seconds):
            with mapped_errors():
                request = self._session.request(
                    method, _address(url), data=body or None, headers=headers, allow_redirects=False
                )
                async with request as answer:
                    return Reply(answer.status, await self._read(answer))

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """Return the body, read in one go where its length is known: a wake-up for every piece costs more than it."""
        content, length = answer.content, answer.content_length
        if content.is_eof():
            return content.read_nowait()
        if length is not None and length > MAX_ANSWER_BYTES:
            raise too_long(MAX_ANSWER_BYTES)
        has_place = await self._has_place()
        try:
            content.set_read_chunk_size(length or MAX_ANSWER_BYTES)
            if length is None:
                return await collect(content.iter_any(), MAX_ANSWER_BYTES)
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


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn aiohttp's exceptions into ours. Messages are our own: aiohttp puts URLs into its."""
    try:
        yield
    except (
        aiohttp.ClientConnectorError,
        aiohttp.ConnectionTimeoutError,
        aiohttp.InvalidURL,
        aiohttp.NonHttpUrlClientError,
    ) as error:
        raise unreachable() from error
    except aiohttp.ServerTimeoutError as error:
        raise silent() from error
    except (aiohttp.ClientError, ValueError) as error:
        raise broken() from error


def _address(url: str) -> URL:
    try:
        return URL(url, encoded=True)
    except ValueError as error:
        raise unreachable() from error
