"""The HTTP client of all providers. A picture's bytes go from the socket into the buffer that they stay in."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, aclosing, asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from yarl import URL

from adapter.domain.answer_memory import add_answer
from adapter.errors import UpstreamBroken
from adapter.network.links import Rules
from adapter.providers.connection import HttpAnswer, LostError
from adapter.providers.dialer import Dialer, Origin
from adapter.providers.failures import AnswerErrors
from adapter.providers.origin import OwnOrigin
from adapter.providers.pool import Pool
from adapter.providers.reply import Reply, broken, deadline, too_long, unreachable
from adapter.providers.session import HEADERS, HttpLimits, HttpNetwork
from adapter.providers.turns import Turns

if TYPE_CHECKING:
    from adapter.providers.download import Downloader, HttpDownload

#: Answers that are read and passed on at once, and the seconds after which one that is slow holds up no other.
READERS = 4
TURN_SECONDS = 0.25
#: Addresses that are read once.
KNOWN_ADDRESSES: Final = 256
#: A request up to this size is sent as one piece.
JOINED_BYTES: Final = 64 * 1024
SCHEMES: Final = ("http", "https")


class _Target(NamedTuple):
    """What an address says about a request."""

    origin: Origin
    #: The path with its query.
    path: str
    fields: Mapping[str, str]


class _Request:
    """A request, ready to be sent."""

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Write its head.

        Raises:
            UpstreamUnreachable: the address is none.
            UpstreamBroken: a header that cannot be sent.
        """
        target = _target(url)
        self.origin = target.origin
        self.is_repeatable = method == "GET"
        fields = {**target.fields, **headers}
        if body or not self.is_repeatable:
            fields["content-length"] = str(len(body))
        lines = [f"{method} {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        try:
            head = "\r\n".join(lines).encode()
        except UnicodeError as error:
            raise broken() from error
        ends = len(lines) - 1
        # A value may hold none of these: it would end its line.
        if head.count(b"\r") != ends or head.count(b"\n") != ends or b"\0" in head:
            raise broken()
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
        with AnswerErrors():
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

    No netrc is read, and the environment's proxies only where the network of the client says so. No cookie is kept: one
    account's would go along with the next one's request. No redirect of a request is followed. A POST is sent once; a
    GET that finds its kept connection closed is sent a second time.
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
        self._network = network
        self._rules = rules or Rules.reading(http=False, trusted=())
        self._downloader: Downloader | None = None
        self._dialer = Dialer(network, seconds=self._limits.connect)
        self._pool = Pool(self._dialer, connect_seconds=self._limits.connect, idle_seconds=self._limits.idle)
        self._turns = Turns(READERS, TURN_SECONDS)
        #: Clients with another network. They end with this one.
        self._others: list[Http] = []

    def through(self, network: HttpNetwork, limits: HttpLimits) -> "Http":
        """Return a client with another network. It ends with this one, and shares its turns."""
        other = Http(network, limits, self._rules)
        other._turns = self._turns
        self._others.append(other)
        return other

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep connections for as long as this lasts."""
        try:
            yield
        finally:
            self._close()

    def _close(self) -> None:
        self._pool.close()
        for other in self._others:
            other._close()  # noqa: SLF001 - of the same class

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Send on a kept connection to an address as it is written; read the whole answer within `seconds`.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamSilent: no answer in time.
            UpstreamBroken: the connection broke.
        """
        async with deadline(seconds):
            return await self._send(await self._request("POST", url, headers, body))

    async def get(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, and changes nothing at Google."""
        async with deadline(seconds):
            return await self._send(await self._request("GET", url, headers, body))

    async def post_once(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, on a connection of its own; never sent a second time by any layer."""
        async with deadline(seconds):
            return await self._send(await self._request("POST", url, headers, body), is_fresh=True)

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
        request = await self._request("POST", url, headers, body)
        with ExitStack() as lent:
            async with deadline(seconds):
                with AnswerErrors():
                    answer = await self._begin(request, lent)
            yield StreamedAnswer(answer, silence)

    async def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> _Request:
        """Return a request, with the headers of a relay if it goes there."""
        if self._network.headers is not None:
            headers = {**await self._network.headers.at(url), **headers}
        return _Request(method, url, headers, body)

    async def _begin(self, request: _Request, lent: ExitStack) -> HttpAnswer:
        """Return an answer whose connection is lent until the stack closes."""
        try:
            return await self._asked(request, lent, is_fresh=False)
        except LostError as error:
            if not error.is_stale:
                raise
        return await self._asked(request, lent, is_fresh=True)

    async def _asked(self, request: _Request, lent: ExitStack, *, is_fresh: bool) -> HttpAnswer:
        connection = await self._pool.lend(request.origin, is_fresh=is_fresh)
        lent.callback(self._pool.take_back, request.origin, connection, is_fresh=is_fresh)
        return await connection.ask(request.pieces)

    async def _send(self, request: _Request, *, is_fresh: bool = False) -> Reply:
        with AnswerErrors():
            try:
                return await self._exchange(request, is_fresh=is_fresh)
            except LostError as error:
                if not (error.is_stale and request.is_repeatable):
                    raise
            return await self._exchange(request, is_fresh=True)

    async def _exchange(self, request: _Request, *, is_fresh: bool) -> Reply:
        connection = await self._pool.lend(request.origin, is_fresh=is_fresh)
        try:
            answer = await connection.ask(request.pieces)
            return Reply(answer.head.status, await self._read(answer))
        finally:
            self._pool.take_back(request.origin, connection, is_fresh=is_fresh)

    async def _read(self, answer: HttpAnswer) -> bytes | bytearray:
        """Return the body. One that is not here yet waits for its turn."""
        length, limit = answer.head.length, self._limits.answer_bytes
        if length is not None:
            if length > limit:
                raise too_long(limit)
            await add_answer(length)
        if answer.is_here:
            return answer.take()
        async with self._turns.turn():
            return await answer.read_growing(_admission(limit)) if length is None else await answer.read(length)

    @asynccontextmanager
    async def open_answer(self, url: str, own: OwnOrigin) -> "AsyncIterator[HttpDownload]":
        """Open an answer of any status, on a connection of its own.

        The credential of `own` is sent to its origin and to no other one. Redirects are followed, each to where a link
        may lead.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`; a link that may not be followed is broken.
        """
        downloader = await self._loaded_downloader()
        async with downloader.open(url, own) as answer:
            yield answer

    async def post_for_header(
        self, url: str, header: str, *, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[Reply, str]:
        """As `post_once`; return one header of the answer as well, empty if it is not there."""
        async with deadline(seconds):
            downloader = await self._loaded_downloader()
            return await downloader.post_for_header(url, header, headers=headers, body=body)

    @asynccontextmanager
    async def download(self, url: str, own: OwnOrigin) -> "AsyncIterator[HttpDownload]":
        """Open a file at a link, as `open_answer`.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`; any other status than 200 is broken.
        """
        async with self.open_answer(url, own) as answer:
            if answer.status != 200:
                raise UpstreamBroken(f"Google's media link answered {answer.status}.")
            yield answer

    async def _loaded_downloader(self) -> "Downloader":
        """Return what opens links. It is loaded at the first one, in a thread."""
        if self._downloader is None:
            kind = await asyncio.to_thread(_load_downloader)
            self._downloader = kind(self._rules, self._network, self._limits, self._dialer)
        return self._downloader


def _load_downloader() -> "type[Downloader]":
    # aiohttp takes 9 MB and 0.1 s. Pictures of Gemini need none of it.
    from adapter.providers.download import Downloader  # noqa: PLC0415

    return Downloader


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


@lru_cache(maxsize=KNOWN_ADDRESSES)
def _target(url: str) -> _Target:
    """Read an address. Requests for pictures go to a few, again and again.

    Raises:
        UpstreamUnreachable: it is none.
    """
    address = _address(url)
    fields = {"host": str(address.host_port_subcomponent), "accept": "*/*", **HEADERS}
    if address.user is not None:  # of a relay; aiohttp, which was here before, did so too
        pair = f"{address.user}:{address.password or ''}"
        fields["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    origin = Origin(address.scheme == "https", str(address.host), int(address.port or 0))
    return _Target(origin, address.raw_path_qs, fields)


def _address(url: str) -> URL:
    try:
        address = URL(url, encoded=True)
        is_address = address.scheme in SCHEMES and bool(address.host) and bool(address.port)
    except ValueError as error:
        raise unreachable("address") from error
    if not is_address:
        raise unreachable("address")
    return address
