"""The HTTP client of all providers. A picture's bytes go from the socket into the buffer that they stay in."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, aclosing, asynccontextmanager

from adapter.domain.answer_memory import add_answer
from adapter.errors import UpstreamBroken
from adapter.network.links import Rules
from adapter.providers.connection import HttpAnswer, LostError
from adapter.providers.dialer import Dialer
from adapter.providers.download import Downloader, HttpDownload
from adapter.providers.failures import AnswerErrors
from adapter.providers.framing import Head
from adapter.providers.limits import HttpLimits
from adapter.providers.origin import OwnOrigin
from adapter.providers.pool import Pool
from adapter.providers.reply import Reply, deadline, too_long
from adapter.providers.request import UpstreamRequest, target_of
from adapter.providers.session import HttpNetwork
from adapter.providers.turns import Turns

#: Answers that are read and passed on at once, and the seconds after which one that is slow holds up no other.
READERS = 4
TURN_SECONDS = 0.25


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
    section 2.2). Downloads have kept connections of their own (`download.py`).

    No netrc is read, and the environment's proxies only where the network of the client says so. No cookie is kept: one
    account's would go along with the next one's request. No redirect of a request is followed. A POST is sent once; a
    GET that finds its kept connection closed is sent a second time.
    """

    def __init__(
        self,
        network: HttpNetwork | None = None,
        limits: HttpLimits | None = None,
        rules: Rules | None = None,
    ) -> None:
        """Take the outside world.

        Args:
            network: certificates, name service and sockets; the system's by default.
            limits: what a request may take.
            rules: which links may be opened; by default public hosts over https.
        """
        network = network or HttpNetwork()
        #: What a request may take. Callers take their seconds from it.
        self.limits = limits or HttpLimits()
        self._network = network
        self._rules = rules or Rules.reading(http=False, trusted=())
        self._dialer = Dialer(network, seconds=self.limits.connect)
        self._downloader = Downloader(self._rules, network, self.limits, self._dialer)
        self._pool = Pool(self._dialer, connect_seconds=self.limits.connect, idle_seconds=self.limits.idle)
        self._turns = Turns(READERS, TURN_SECONDS)
        #: Clients with another network. They end with this one.
        self._others: list[Http] = []

    def through(self, network: HttpNetwork, limits: HttpLimits) -> "Http":
        """Return a client with another network or other limits. It ends with this one, and shares its turns."""
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
        self._downloader.close()
        for other in self._others:
            other._close()  # noqa: SLF001 - of the same class

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Send on a kept connection to an address as it is written; read the whole answer.

        `seconds` begin when the connection stands: what is late before that was provably not sent.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamSilent: no answer in time.
            UpstreamBroken: the connection broke.
        """
        return await self._send(await self._request("POST", url, headers, body), seconds)

    async def get(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, and changes nothing at Google."""
        return await self._send(await self._request("GET", url, headers, body), seconds)

    async def post_once(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, on a connection of its own; never sent a second time by any layer."""
        return await self._send(await self._request("POST", url, headers, body), seconds, is_fresh=True)

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
            seconds: from when the connection stands until the answer begins.
            silence: seconds between two pieces of it.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`.
        """
        request = await self._request("POST", url, headers, body)
        with ExitStack() as lent:
            with AnswerErrors():
                answer = await self._begin(request, lent, seconds)
            yield StreamedAnswer(answer, silence)

    async def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> UpstreamRequest:
        """Return a request, with the headers of a relay if it goes there."""
        if self._network.headers is not None:
            headers = {**await self._network.headers.at(url), **headers}
        return UpstreamRequest(method, target_of(url), headers, body)

    async def _begin(self, request: UpstreamRequest, lent: ExitStack, seconds: float) -> HttpAnswer:
        """Return an answer whose connection is lent until the stack closes."""
        try:
            return await self._asked(request, lent, seconds, is_fresh=False)
        except LostError as error:
            if not error.is_stale:
                raise
        return await self._asked(request, lent, seconds, is_fresh=True)

    async def _asked(self, request: UpstreamRequest, lent: ExitStack, seconds: float, *, is_fresh: bool) -> HttpAnswer:
        connection = await self._pool.lend(request.origin, is_fresh=is_fresh)
        lent.callback(self._pool.take_back, request.origin, connection, is_fresh=is_fresh)
        async with deadline(seconds):
            return await connection.ask(request.pieces)

    async def _send(self, request: UpstreamRequest, seconds: float, *, is_fresh: bool = False) -> Reply:
        with AnswerErrors():
            try:
                _, reply = await self._exchange(request, seconds, is_fresh=is_fresh)
            except LostError as error:
                if not (error.is_stale and request.is_repeatable):
                    raise
            else:
                return reply
            _, reply = await self._exchange(request, seconds, is_fresh=True)
            return reply

    async def _exchange(self, request: UpstreamRequest, seconds: float, *, is_fresh: bool) -> tuple[Head, Reply]:
        connection = await self._pool.lend(request.origin, is_fresh=is_fresh)
        try:
            async with deadline(seconds):
                answer = await connection.ask(request.pieces)
                return answer.head, Reply(answer.head.status, await self._read(answer))
        finally:
            self._pool.take_back(request.origin, connection, is_fresh=is_fresh)

    async def _read(self, answer: HttpAnswer) -> bytes | bytearray:
        """Return the body. One that is not here yet waits for its turn."""
        length, limit = answer.head.length, self.limits.answer_bytes
        if length is not None:
            if length > limit:
                raise too_long(limit)
            await add_answer(length)
        if answer.is_here:
            return answer.take()
        async with self._turns.turn():
            return await answer.read_growing(_admission(limit)) if length is None else await answer.read(length)

    @asynccontextmanager
    async def open_answer(self, url: str, own: OwnOrigin) -> AsyncIterator[HttpDownload]:
        """Open an answer of any status.

        The credential of `own` is sent to its origin and to no other one. Redirects are followed, each to where a link
        may lead.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`; a link that may not be followed is broken.
        """
        async with self._downloader.open(url, own) as answer:
            yield answer

    async def post_for_header(
        self, url: str, header: str, *, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[Reply, str]:
        """As `post_once`; return one header of the answer as well, empty if it is not there."""
        request = await self._request("POST", url, headers, body)
        with AnswerErrors():
            head, reply = await self._exchange(request, seconds, is_fresh=True)
        return reply, head.value(header)

    @asynccontextmanager
    async def download(self, url: str, own: OwnOrigin) -> AsyncIterator[HttpDownload]:
        """Open a file at a link, as `open_answer`.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`; any other status than 200 is broken.
        """
        async with self.open_answer(url, own) as answer:
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
