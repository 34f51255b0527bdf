"""The HTTP client of all providers, over aiohttp: for a picture's bytes the cheapest (docs/measurements.md)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
from yarl import URL

from adapter.domain.answer_memory import add_answer
from adapter.errors import UpstreamBroken
from adapter.network.links import Rules
from adapter.providers.download import Downloader, HttpDownload, OwnOrigin
from adapter.providers.failures import mapped_errors
from adapter.providers.reply import Reply, collect, deadline, too_long, unreachable
from adapter.providers.session import HttpLimits, HttpNetwork, fresh_connections, kept_connections, session

MAX_CONNECTIONS = 512
#: Answers that are read at once. When many pictures come in the same moment, the first are passed on before the others
#: are begun: side by side all of them would be as late as the last, and all in memory.
READERS = 4
#: And the longest wait for a turn, so that answers that come slowly do not keep others waiting.
TURN_SECONDS = 0.25


class Http:
    """Two kinds of connections: kept ones, and one that is opened for a request and thrown away.

    The second kind is for requests that cost money and cannot be told apart: on a kept connection that the other end
    has just closed, a request ends in an error that leaves open whether it was executed (reference: `reliability.md`
    section 2.2). Downloads use it as well.

    Nothing is read from the environment, neither proxies nor a netrc. No cookie is kept: one account's would go along
    with the next one's request. No redirect of a request is followed. aiohttp sends a POST once; a GET that finds its
    connection closed it may send a second time.
    """

    def __init__(
        self, network: HttpNetwork | None = None, limits: HttpLimits | None = None, rules: Rules | None = None
    ) -> None:
        """Take the outside world.

        Args:
            network: certificates, name service and sockets; the system's by default.
            limits: what a request may take.
            rules: which links may be opened; by default public hosts over https.
        """
        self._network = network or HttpNetwork()
        self._limits = limits or HttpLimits()
        self._downloader = Downloader(rules or Rules.reading(http=False, trusted=()), self._network, self._limits)
        self._readers = asyncio.Semaphore(READERS)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep connections for as long as this lasts."""
        async with (
            session(kept_connections(self._network, MAX_CONNECTIONS), self._limits) as self._kept,
            session(fresh_connections(self._network), self._limits) as self._fresh,
        ):
            yield

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
        self, way: aiohttp.ClientSession, method: str, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        with mapped_errors():
            request = way.request(method, _address(url), data=body or None, headers=headers, allow_redirects=False)
            async with request as answer:
                return Reply(answer.status, await self._read(answer))

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """Return the body, read in one go where its length is known: a wake-up for every piece costs more than it."""
        content, length = answer.content, answer.content_length
        if content.is_eof():
            return content.read_nowait()
        limit = self._limits.answer_bytes
        if length is not None:
            if length > limit:
                raise too_long(limit)
            await add_answer(length)
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

    def open_answer(self, url: str, own: OwnOrigin) -> AbstractAsyncContextManager[HttpDownload]:
        """Open an answer of any status, on a connection of its own.

        The credential of `own` is sent to its origin and to no other one. Redirects are followed, each to where a link
        may lead.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`; a link that may not be followed is broken.
        """
        return self._downloader.open(url, own)

    async def post_for_header(
        self, url: str, header: str, *, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[Reply, str]:
        """As `post_once`; return one header of the answer as well, empty if it is not there."""
        async with deadline(seconds):
            return await self._downloader.post_for_header(url, header, headers=headers, body=body)

    @asynccontextmanager
    async def download(self, url: str, own: OwnOrigin) -> AsyncIterator[HttpDownload]:
        """Open a file at a link, as `open_answer`.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`; any other status than 200 is broken.
        """
        async with self._downloader.open(url, own) as answer:
            if answer.status != 200:
                raise UpstreamBroken(f"Google's media link answered {answer.status}.")
            yield answer


def _address(url: str) -> URL:
    try:
        return URL(url, encoded=True)
    except ValueError as error:
        raise unreachable("address") from error
