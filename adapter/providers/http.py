"""The HTTP client of all providers. A picture's bytes go from the socket into the buffer that they stay in."""

import re
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager, nullcontext
from typing import Final

from yarl import URL

from adapter.domain.answer_memory import add_answer
from adapter.errors import UpstreamBroken
from adapter.network.links import Rules
from adapter.providers.connection import HttpAnswer, LostError
from adapter.providers.download import Downloader, HttpDownload, OwnOrigin
from adapter.providers.failures import answer_errors
from adapter.providers.pool import Origin, Pool
from adapter.providers.reply import Reply, broken, deadline, too_long, unreachable
from adapter.providers.session import HEADERS, HttpLimits, HttpNetwork
from adapter.providers.turns import Turns

#: Answers that are read and passed on at once, and the seconds after which one that is slow holds up no other.
READERS = 4
TURN_SECONDS = 0.25
#: What no line of a head may hold: it would end the line.
LINE_ENDS: Final = re.compile(rb"[\r\n\0]")
#: A request up to this size is sent as one piece.
JOINED_BYTES: Final = 64 * 1024
SCHEMES: Final = ("http", "https")


class _Request:
    """A request, ready to be sent."""

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write its head.

        Raises:
            UpstreamUnreachable: the address is none.
            UpstreamBroken: a header that cannot be sent.
        """
        address = _address(url)
        self.origin = Origin(address.scheme == "https", str(address.host), int(address.port or 0))
        self.is_repeatable = method == "GET"
        fields = {"host": address.host_port_subcomponent, "accept": "*/*", **HEADERS, **headers}
        if address.user is not None:  # of a relay; aiohttp, which was here before, did so too
            pair = f"{address.user}:{address.password or ''}"
            fields.setdefault("authorization", f"Basic {b64encode(pair.encode()).decode()}")
        if body or not self.is_repeatable:
            fields["content-length"] = str(len(body))
        lines = [f"{method} {address.raw_path_qs} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        try:
            encoded = [line.encode() for line in lines]
        except UnicodeError as error:
            raise broken() from error
        if any(map(LINE_ENDS.search, encoded)):
            raise broken()
        head = b"\r\n".join([*encoded, b"", b""])
        self.pieces = (head + body,) if len(body) < JOINED_BYTES else (head, body)


class StreamedAnswer:
    """An answer that is read as it comes."""

    def __init__(self, answer: HttpAnswer, silence: float) -> None:
        """Take the answer, and the seconds that may pass between two pieces of it."""
        self._answer = answer
        self._silence = silence

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return self._answer.head.status

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes.

        Raises:
            UpstreamSilent: nothing came for too long.
            UpstreamBroken: the connection broke.
        """
        with answer_errors():
            async with aclosing(self._answer.pieces()) as pieces:
                while True:
                    async with deadline(self._silence):
                        piece = await anext(pieces, None)
                    if piece is None:
                        return
                    yield piece


class Http:
    """Two kinds of connections: kept ones, and one that is opened for a request and thrown away.

    The second kind is for requests that cost money and cannot be told apart: on a kept connection that the other end
    has just closed, a request ends in an error that leaves open whether it was executed (reference: `reliability.md`
    section 2.2). Downloads use it as well.

    Nothing is read from the environment, neither proxies nor a netrc. No cookie is kept: one account's would go along
    with the next one's request. No redirect of a request is followed. A POST is sent once; a GET that finds its
    kept connection closed is sent a second time.
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
        network = network or HttpNetwork()
        self._limits = limits or HttpLimits()
        self._downloader = Downloader(rules or Rules.reading(http=False, trusted=()), network, self._limits)
        self._pool = Pool(network.trust, connect_seconds=self._limits.connect, idle_seconds=self._limits.idle)
        self._turns = Turns(READERS, TURN_SECONDS)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep connections for as long as this lasts."""
        try:
            yield
        finally:
            self._pool.close()

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Send on a kept connection to an address as it is written; read the whole answer within `seconds`.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamSilent: no answer in time.
            UpstreamBroken: the connection broke.
        """
        async with deadline(seconds):
            return await self._send(_Request("POST", url, headers, body))

    async def get(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, and changes nothing at Google."""
        async with deadline(seconds):
            return await self._send(_Request("GET", url, headers, body))

    async def post_once(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, on a connection of its own; never sent a second time by any layer."""
        async with deadline(seconds):
            return await self._send(_Request("POST", url, headers, body), is_fresh=True)

    @asynccontextmanager
    async def stream(
        self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float, silence: float
    ) -> AsyncIterator[StreamedAnswer]:
        """As `post`, for what is cheap. The answer is read as it comes, and a request may be sent a second time.

        That happens if its kept connection was closed already. The connection is closed in the end unless the answer
        was read to its end: so a request that is not waited for any more ends at the other side.

        Args:
            url: the address as it is written.
            headers: beside those of every request.
            body: the request's.
            seconds: until the answer begins.
            silence: seconds between two pieces of it.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`.
        """
        request = _Request("POST", url, headers, body)
        async with AsyncExitStack() as stack:
            async with deadline(seconds):
                with answer_errors():
                    answer = await self._begin(request, stack)
            yield StreamedAnswer(answer, silence)

    async def _begin(self, request: _Request, stack: AsyncExitStack) -> HttpAnswer:
        """Return an answer whose connection is lent until the stack closes."""
        async with AsyncExitStack() as lent:
            try:
                connection = await lent.enter_async_context(self._pool.connection(request.origin, is_fresh=False))
                answer = await connection.ask(request.pieces)
            except LostError as error:
                if not error.is_stale:
                    raise
            else:
                stack.push_async_exit(lent.pop_all())
                return answer
        connection = await stack.enter_async_context(self._pool.connection(request.origin, is_fresh=True))
        return await connection.ask(request.pieces)

    async def _send(self, request: _Request, *, is_fresh: bool = False) -> Reply:
        with answer_errors():
            try:
                return await self._exchange(request, is_fresh=is_fresh)
            except LostError as error:
                if not (error.is_stale and request.is_repeatable):
                    raise
            return await self._exchange(request, is_fresh=True)

    async def _exchange(self, request: _Request, *, is_fresh: bool) -> Reply:
        async with self._pool.connection(request.origin, is_fresh=is_fresh) as connection:
            answer = await connection.ask(request.pieces)
            return Reply(answer.head.status, await self._read(answer))

    async def _read(self, answer: HttpAnswer) -> bytes | bytearray:
        """Return the body. One that is not here yet waits for its turn."""
        length, limit = answer.head.length, self._limits.answer_bytes
        if length is not None:
            if length > limit:
                raise too_long(limit)
            await add_answer(length)
        async with nullcontext() if answer.is_here else self._turns.turn():
            return await answer.read_growing(_admission(limit)) if length is None else await answer.read(length)

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


def _admission(limit: int) -> Callable[[int], Awaitable[None]]:
    """Return what counts the pieces of a body of unknown length, and reserves memory for each."""
    size = 0

    async def admit(piece: int) -> None:
        nonlocal size
        size += piece
        if size > limit:
            raise too_long(limit)
        await add_answer(piece)

    return admit


def _address(url: str) -> URL:
    try:
        address = URL(url, encoded=True)
        is_address = address.scheme in SCHEMES and bool(address.host) and bool(address.port)
    except ValueError as error:
        raise unreachable("address") from error
    if not is_address:
        raise unreachable("address")
    return address
