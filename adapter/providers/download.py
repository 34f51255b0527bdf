"""Files at links that an upstream answered with. A link is as foreign as one that a client gave.

Allowed are the provider's configured origin, servers that the operator trusts, and public hosts over https on its port.
Each hop is parsed by the strict parser, looked up once, and connected to at one of the addresses that were checked.
A connection that is kept leads to such an address, so its next file needs no look-up.
A name that a proxy looks up is checked by its words only, and the proxy has to keep out what is private.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager
from functools import partial
from typing import Final

import structlog

from adapter.errors import InvalidRequest, UpstreamBroken
from adapter.network.links import REDIRECTS, Link, Rules, read_link, redirected
from adapter.network.lookup import NotPublicError, addresses_of, is_ip_address, is_local_name
from adapter.providers.connection import HttpAnswer, HttpConnection, LostError
from adapter.providers.dialer import Dialer
from adapter.providers.failures import AnswerErrors
from adapter.providers.limits import HttpLimits
from adapter.providers.origin import LONGEST_LINK, OwnOrigin
from adapter.providers.pool import Pool
from adapter.providers.reply import broken, collect, deadline, silent, unreachable
from adapter.providers.request import UpstreamRequest, target_of_link
from adapter.providers.session import HttpNetwork

log = structlog.get_logger()

MAX_REDIRECTS: Final = 5
#: A file is handed over in blocks of so many bytes. The store takes as many at once.
BLOCK_BYTES: Final = 1024 * 1024


class HttpDownload:
    """A file on its way (the port of that name)."""

    def __init__(self, answer: HttpAnswer, silence: "SilenceLimit") -> None:
        self._answer = answer
        self._silence = silence

    @property
    def status(self) -> int:
        """What the server answered."""
        return self._answer.head.status

    @property
    def location(self) -> str:
        """Where it sends us; empty: nowhere."""
        return self._answer.head.value("location")

    def is_whole(self, size: int) -> bool:
        """Say whether so many bytes are all of it.

        A body of announced length has to have it. A chunked one that ended was whole: a torn one is an error. A
        body that ends with its connection cannot be told from a cut one, and is none.
        """
        head = self._answer.head
        return head.is_chunked if head.length is None else head.length == size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they travel: never unpacked, so a small answer cannot swell."""
        with self._silence.errors():
            async with aclosing(self._answer.blocks(BLOCK_BYTES)) as blocks:
                async for block in blocks:
                    yield block

    async def read(self, limit: int) -> bytes:
        """Return all of it (the port of that name)."""
        data = await collect(aiter(self), limit)
        if not self.is_whole(len(data)):
            raise broken()
        return data


class SilenceLimit:
    """Closes a connection on which nothing has come for some seconds, while something waited for it."""

    def __init__(self, connection: HttpConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        #: Whether it has closed the connection.
        self.is_over = False
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(seconds, self._look)

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        end = self._connection.heard_at + self._seconds if self._connection.is_waiting else now + self._seconds
        if end > now:
            self._timer = self._loop.call_at(end, self._look)
        else:
            self.is_over = True
            self._connection.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the exceptions of the connection into ours.

        Raises:
            UpstreamSilent: it was closed because nothing came.
            UpstreamBroken: it broke.
        """
        with AnswerErrors():
            try:
                yield
            except LostError as error:
                if self.is_over:
                    raise silent() from error
                raise


class Downloader:
    """Opens links. Connections whose file was read to its end are kept for a while."""

    def __init__(self, rules: Rules, network: HttpNetwork, limits: HttpLimits, dialer: Dialer) -> None:
        self._rules = rules
        self._network = network
        self._limits = limits
        self._dialer = dialer
        #: One for links that may lead to a private address, and one for all others.
        self._private, self._public = (
            Pool(dialer, connect_seconds=limits.connect, idle_seconds=limits.idle_of_files) for _ in range(2)
        )

    def close(self) -> None:
        """Close all idle connections."""
        self._private.close()
        self._public.close()

    @asynccontextmanager
    async def open(self, url: str, own: OwnOrigin) -> AsyncIterator[HttpDownload]:
        """Open an answer of any status but a redirect, which is followed.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `Http.post`; a link that may not be followed is
                broken.
        """
        async with deadline(self._limits.download):
            with refused_links():
                link = self._admitted(read_link(url, longest=LONGEST_LINK), own)
            for _ in range(MAX_REDIRECTS + 1):
                with ExitStack() as lent:
                    answer = await self._opened(link, own, lent)
                    location = answer.location
                    if answer.status not in REDIRECTS or not location:
                        yield answer
                        return
                target = location.encode(errors="surrogateescape")
                with refused_links():
                    link = self._admitted(redirected(link, target, longest=LONGEST_LINK), own)
        raise UpstreamBroken(f"Google's media link redirects more than {MAX_REDIRECTS} times.")

    def _admitted(self, link: Link, own: OwnOrigin) -> Link:
        return link if own.has(link) else self._rules.admit(link)

    async def _opened(self, link: Link, own: OwnOrigin, lent: ExitStack) -> HttpDownload:
        """Open one hop. Its connection is lent until the stack closes."""
        is_own = own.has(link)
        relay = {} if self._network.headers is None else await self._network.headers.at(link.url)
        headers = {**relay, **(own.credential if is_own else {})}
        request = UpstreamRequest("GET", target_of_link(link), headers, b"")
        may_be_private = is_own or self._rules.trusts(link)
        try:
            return await self._asked(request, link, lent, may_be_private=may_be_private, is_fresh=False)
        except StaleError:
            return await self._asked(request, link, lent, may_be_private=may_be_private, is_fresh=True)

    async def _asked(
        self, request: UpstreamRequest, link: Link, lent: ExitStack, *, may_be_private: bool, is_fresh: bool
    ) -> HttpDownload:
        pool = self._private if may_be_private else self._public
        look_up = partial(self._addresses, link, may_be_private=may_be_private)
        connection = await pool.lend(request.origin, is_fresh=is_fresh, look_up=look_up)
        lent.callback(pool.take_back, request.origin, connection, is_fresh=False)
        silence = SilenceLimit(connection, self._limits.silence)
        lent.callback(silence.stop)
        with silence.errors():
            try:
                return HttpDownload(await connection.ask(request.pieces), silence)
            except LostError as error:
                if error.is_stale and not (is_fresh or silence.is_over):
                    raise StaleError from error
                raise

    async def _addresses(self, link: Link, *, may_be_private: bool) -> Sequence[str]:
        """Return where a link may be connected to; empty: a proxy looks its host up.

        Raises:
            UpstreamBroken: nowhere that is public.
            UpstreamUnreachable: its host is not known.
        """
        route = self._network.route(link.host, link.port, is_tls=link.scheme == "https")
        if route is not None and route.proxy.looks_up and not is_ip_address(link.host):
            if not may_be_private and is_local_name(link.host):
                log.warning("upstream.link_refused", reason=f"{link.host} is a name of a private network")
                raise UpstreamBroken("Google's media link leads to an address that is not public.")
            return ()
        try:
            return await addresses_of(
                link, self._network.resolver, seconds=self._limits.connect, may_be_private=may_be_private
            )
        except NotPublicError as error:
            log.warning("upstream.link_refused", reason=str(error))
            raise UpstreamBroken("Google's media link leads to an address that is not public.") from error
        except (OSError, ValueError) as error:
            fault = unreachable("dns")
            self._dialer.log(fault, link.host)
            raise fault from error


class StaleError(Exception):
    """A kept connection was closed before anything of the answer came. A file may be asked for again."""


@contextmanager
def refused_links() -> Iterator[None]:
    """Turn the refusal of a link into a fault of the upstream. The message names no address."""
    try:
        yield
    except InvalidRequest as fault:
        log.warning("upstream.link_refused", reason=fault.message)
        raise UpstreamBroken("Google's media link leads to an address that is not fetched.") from fault
