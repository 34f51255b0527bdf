"""Files at links that an upstream answered with. A link is as foreign as one that a client gave.

Allowed are the provider's configured origin, servers that the operator trusts, and public hosts over https on its port.
Each hop is parsed by the strict parser, looked up once, and connected to at one of the addresses that were checked.
A name that a proxy looks up is checked by its words only, and the proxy has to keep out what is private.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from typing import Final

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from adapter.errors import InvalidRequest, UpstreamBroken, UpstreamUnreachable
from adapter.network.links import REDIRECTS, Link, Rules, read_link, redirected
from adapter.network.lookup import NotPublicError, addresses_of, is_ip_address, is_local_name
from adapter.providers.dialer import Dialer, Origin
from adapter.providers.download_failures import mapped_errors
from adapter.providers.origin import LONGEST_LINK, OwnOrigin
from adapter.providers.reply import Reply, broken, collect, deadline, unreachable
from adapter.providers.session import HEADERS, HttpLimits, HttpNetwork, Route

log = structlog.get_logger()

MAX_REDIRECTS: Final = 5
#: What is taken from a socket before it is read; the rest waits in the kernel.
READ_BYTES: Final = 64 * 1024


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


class Downloader:
    """Opens links, each hop on a connection of its own."""

    def __init__(self, rules: Rules, network: HttpNetwork, limits: HttpLimits, dialer: Dialer) -> None:
        self._rules = rules
        self._network = network
        self._limits = limits
        self._dialer = dialer

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
                async with self._opened(link, own) as answer:
                    location = answer.headers.get("location")
                    if answer.status not in REDIRECTS or not location:
                        yield HttpDownload(answer)
                        return
                target = location.encode(errors="surrogateescape")
                with refused_links():
                    link = self._admitted(redirected(link, target, longest=LONGEST_LINK), own)
        raise UpstreamBroken(f"Google's media link redirects more than {MAX_REDIRECTS} times.")

    async def post_for_header(
        self, url: str, header: str, *, headers: Mapping[str, str], body: bytes
    ) -> tuple[Reply, str]:
        """Send to an address as it is written, on a connection of its own; return the answer and one header of it.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `Http.post`.
        """
        address = URL(url, encoded=True)
        async with session(self._connector(address), self._limits) as opened:
            fields = {**await self._relay_headers(url), **headers}
            with self._logged(address), mapped_errors():
                asked = opened.post(address, headers=fields, data=body, allow_redirects=False)
                async with asked as answer:
                    found = await collect(answer.content.iter_any(), self._limits.answer_bytes)
                    return Reply(answer.status, found), answer.headers.get(header, "")

    def _connector(self, address: URL) -> aiohttp.BaseConnector:
        """Return what connects to an address that the operator configured."""
        if self._route(address.host or "", is_tls=address.scheme == "https"):
            return Tunnels(self._dialer)
        return aiohttp.TCPConnector(ssl=self._network.trust or True, force_close=True)

    @contextmanager
    def _logged(self, address: URL) -> Iterator[None]:
        """Log why a host is not reached. If there is a proxy, the dialer has done so."""
        try:
            yield
        except UpstreamUnreachable as fault:
            host = address.host or ""
            if self._route(host, is_tls=address.scheme == "https") is None:
                self._dialer.log(fault, host)
            raise

    def _route(self, host: str, *, is_tls: bool) -> Route | None:
        return self._network.route(host, is_tls=is_tls)

    async def _relay_headers(self, url: str) -> Mapping[str, str]:
        return {} if self._network.headers is None else await self._network.headers.at(url)

    def _admitted(self, link: Link, own: OwnOrigin) -> Link:
        return link if own.has(link) else self._rules.admit(link)

    @asynccontextmanager
    async def _opened(self, link: Link, own: OwnOrigin) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open one hop. What the reader of its answer raises passes through as it is."""
        is_own = own.has(link)
        connector = await self._checked_connector(link, may_be_private=is_own or self._rules.trusts(link))
        headers = {**await self._relay_headers(link.url), **(own.credential if is_own else {})}
        limits = self._limits
        timeout = aiohttp.ClientTimeout(total=None, connect=limits.connect, sock_read=limits.silence)
        async with session(connector, limits) as opened:
            url = URL(link.url, encoded=True)
            with self._logged(url), mapped_errors():
                answer = await opened.get(url, headers=headers, allow_redirects=False, timeout=timeout)
            try:
                yield answer
            finally:
                answer.close()

    async def _checked_connector(self, link: Link, *, may_be_private: bool) -> aiohttp.BaseConnector:
        """Return what connects to the host of a link, after the look at where that is."""
        route = self._route(link.host, is_tls=link.scheme == "https")
        if route is not None and route.proxy.looks_up and not is_ip_address(link.host):
            if not may_be_private and is_local_name(link.host):
                log.warning("upstream.link_refused", reason=f"{link.host} is a name of a private network")
                raise UpstreamBroken("Google's media link leads to an address that is not public.")
            return Tunnels(self._dialer)
        addresses = await self._addresses(link, may_be_private=may_be_private)
        if route is not None:
            return Tunnels(self._dialer, addresses[0])
        return pinned_connections(self._network, _Pinned(addresses))

    async def _addresses(self, link: Link, *, may_be_private: bool) -> Sequence[str]:
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


def pinned_connections(network: HttpNetwork, resolver: AbstractResolver) -> aiohttp.TCPConnector:
    """Return a connector that connects to the addresses which `resolver` knows, and throws connections away."""
    return aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        ssl=network.trust or True,
        force_close=True,
        socket_factory=network.open_socket,
    )


class Tunnels(aiohttp.BaseConnector):
    """Connects by a proxy, and throws connections away."""

    allowed_protocol_schema_set = frozenset({"http", "https"})

    def __init__(self, dialer: Dialer, address: str = "") -> None:
        """Take what opens connections, and the address of the host if it was looked up."""
        super().__init__(force_close=True)
        self._dialer = dialer
        self._address = address

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: object,  # noqa: ARG002 - aiohttp's signature
        timeout: object,  # noqa: ARG002, ASYNC109 - the same
    ) -> ResponseHandler:
        """Open a connection (as aiohttp wants it)."""
        url = req.url
        origin = Origin(url.scheme == "https", str(url.host), int(url.port or 0))
        loop = asyncio.get_running_loop()
        return await self._dialer.open(origin, lambda: ResponseHandler(loop=loop), address=self._address)


def session(connector: aiohttp.BaseConnector, limits: HttpLimits) -> aiohttp.ClientSession:
    """Return a session over a connector, which it closes.

    It reads nothing from the environment, keeps no cookie and unpacks nothing.
    """
    return aiohttp.ClientSession(
        connector=connector,
        headers=HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect),
        auto_decompress=False,
        read_bufsize=READ_BYTES,
        trust_env=False,
    )


class _Pinned(AbstractResolver):
    """Knows the addresses that were checked, whatever name it is asked for."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - aiohttp's signature; each address has its own
    ) -> list[ResolveResult]:
        """Return them (as aiohttp wants it)."""
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ip_address(each).version == 6 else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for each in self._addresses
        ]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


@contextmanager
def refused_links() -> Iterator[None]:
    """Turn the refusal of a link into a fault of the upstream. The message names no address."""
    try:
        yield
    except InvalidRequest as fault:
        log.warning("upstream.link_refused", reason=fault.message)
        raise UpstreamBroken("Google's media link leads to an address that is not fetched.") from fault
