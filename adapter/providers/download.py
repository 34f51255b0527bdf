"""Files at links that an upstream answered with. A link is as foreign as one that a client gave.

Allowed are the provider's configured origin, servers that the operator trusts, and public hosts over https on its port.
Each hop is parsed by the strict parser, looked up once, and connected to at one of the addresses that were checked.
"""

import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from typing import Final

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from adapter.errors import InvalidRequest, UpstreamBroken
from adapter.network.links import REDIRECTS, Link, Rules, read_link, redirected
from adapter.network.lookup import NotPublicError, addresses_of
from adapter.providers.download_failures import mapped_errors
from adapter.providers.origin import LONGEST_LINK, OwnOrigin
from adapter.providers.reply import Reply, broken, collect, deadline, unreachable
from adapter.providers.session import HEADERS, HttpLimits, HttpNetwork

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

    def __init__(self, rules: Rules, network: HttpNetwork, limits: HttpLimits) -> None:
        self._rules = rules
        self._network = network
        self._limits = limits

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
        connector = aiohttp.TCPConnector(ssl=self._network.trust or True, force_close=True)
        async with session(connector, self._limits) as opened:
            with mapped_errors():
                asked = opened.post(URL(url, encoded=True), headers=headers, data=body, allow_redirects=False)
                async with asked as answer:
                    found = await collect(answer.content.iter_any(), self._limits.answer_bytes)
                    return Reply(answer.status, found), answer.headers.get(header, "")

    def _admitted(self, link: Link, own: OwnOrigin) -> Link:
        return link if own.has(link) else self._rules.admit(link)

    @asynccontextmanager
    async def _opened(self, link: Link, own: OwnOrigin) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open one hop. What the reader of its answer raises passes through as it is."""
        is_own = own.has(link)
        addresses = await self._addresses(link, may_be_private=is_own or self._rules.trusts(link))
        headers = own.credential if is_own else {}
        limits = self._limits
        timeout = aiohttp.ClientTimeout(total=None, connect=limits.connect, sock_read=limits.silence)
        async with session(pinned_connections(self._network, _Pinned(addresses)), limits) as opened:
            with mapped_errors():
                url = URL(link.url, encoded=True)
                answer = await opened.get(url, headers=headers, allow_redirects=False, timeout=timeout)
            try:
                yield answer
            finally:
                answer.close()

    async def _addresses(self, link: Link, *, may_be_private: bool) -> Sequence[str]:
        try:
            return await addresses_of(
                link, self._network.resolver, seconds=self._limits.connect, may_be_private=may_be_private
            )
        except NotPublicError as error:
            log.warning("upstream.link_refused", reason=str(error))
            raise UpstreamBroken("Google's media link leads to an address that is not public.") from error
        except (OSError, ValueError) as error:
            raise unreachable("dns") from error


def pinned_connections(network: HttpNetwork, resolver: AbstractResolver) -> aiohttp.TCPConnector:
    """Return a connector that connects to the addresses which `resolver` knows, and throws connections away."""
    return aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        ssl=network.trust or True,
        force_close=True,
        socket_factory=network.open_socket,
    )


def session(connector: aiohttp.TCPConnector, limits: HttpLimits) -> aiohttp.ClientSession:
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
