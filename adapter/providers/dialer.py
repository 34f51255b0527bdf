"""Opens connections: to a host, or by a proxy to it."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from ipaddress import ip_address
from typing import Final, NamedTuple, TypeVar

import structlog
from aiohappyeyeballs import AddrInfoType, start_connection

from adapter.errors import UnreachableCause, UpstreamUnreachable
from adapter.providers import proxy as words
from adapter.providers.failures import connect_errors
from adapter.providers.framing import LONGEST_HEAD
from adapter.providers.proxy import Proxy, ProxyError
from adapter.providers.session import HttpNetwork, Route

log = structlog.get_logger()

#: A host's next address is tried beside the first after so many seconds (RFC 8305, section 5).
EYEBALLS_SECONDS: Final = 0.25

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)


class Origin(NamedTuple):
    """Where connections lead."""

    is_tls: bool
    host: str
    port: int


class Dialer:
    """Opens connections within a time, and logs why there is none."""

    def __init__(self, network: HttpNetwork, *, seconds: float) -> None:
        """Take certificates and proxies, and the seconds until a connection stands."""
        self._network = network
        self._seconds = seconds

    async def open(self, origin: Origin, make: Callable[[], _Protocol], *, addresses: Sequence[str] = ()) -> _Protocol:
        """Open a connection and return its protocol, which `make` makes.

        Args:
            origin: where it leads.
            make: makes the protocol.
            addresses: the IP addresses of the host, if it was looked up already. No other ones are connected to.

        Raises:
            UpstreamUnreachable: none stands in time.
        """
        route = self._network.route(origin.host, origin.port, is_tls=origin.is_tls)
        try:
            with connect_errors():
                async with asyncio.timeout(self._seconds):
                    if route is None:
                        return await self._direct(origin, make, addresses)
                    return await self._tunnelled(route, origin, make, addresses)
        except UpstreamUnreachable as fault:
            self.log(fault, origin.host, route)
            raise

    def log(self, fault: UpstreamUnreachable, host: str, route: Route | None = None) -> None:
        """Say why a host is not reached."""
        error = fault.__cause__
        said = error.said if isinstance(error, ProxyError) else None
        facts = {"proxy": route.proxy.address if route else None, "said": said}
        known = {name: fact for name, fact in facts.items() if fact is not None}
        log.log(self._network.log_level, "upstream.unreachable", cause=fault.cause, host=host, **known)

    async def _direct(self, origin: Origin, make: Callable[[], _Protocol], addresses: Sequence[str]) -> _Protocol:
        loop = asyncio.get_running_loop()
        with ExitStack() as undo:
            if addresses:
                opened = await self._open_pinned(addresses, origin.port)
            else:
                opened = await _open_socket(origin.host, origin.port)
            undo.callback(opened.close)
            _, protocol = await loop.create_connection(
                make,
                sock=opened,
                ssl=self._tls if origin.is_tls else None,
                server_hostname=origin.host if origin.is_tls else None,
            )
            undo.pop_all()
        return protocol

    async def _open_pinned(self, addresses: Sequence[str], port: int) -> socket.socket:
        found = [_found(address, port) for address in addresses]
        opening = self._network.open_socket
        return await start_connection(found, happy_eyeballs_delay=EYEBALLS_SECONDS, socket_factory=opening)

    async def _tunnelled(
        self, route: Route, origin: Origin, make: Callable[[], _Protocol], addresses: Sequence[str]
    ) -> _Protocol:
        """Open a connection by a proxy. The end-to-end TLS is inside of it."""
        user = await route.user.read() if route.user else ""
        target = addresses[0] if addresses else origin.host if route.proxy.looks_up else await _look_up(origin)
        with ExitStack() as undo:
            with proxy_errors():
                reader, transport = await self._reach(route.proxy)
                undo.callback(transport.abort)
                ask = _ask_socks if route.proxy.is_socks else _ask_http
                await ask(reader, transport, (target, origin.port), user)
                await _check_silence(reader)
            protocol = await self._take_over(transport, origin, make())
            undo.pop_all()
        return protocol

    async def _reach(self, proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.Transport]:
        """Connect to a proxy. A `StreamWriter` would close the connection when it is let go."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LONGEST_HEAD)
        is_tls = proxy.scheme == "https"
        with ExitStack() as undo:
            opened = await _open_socket(proxy.host, proxy.port)
            undo.callback(opened.close)
            transport, _ = await loop.create_connection(
                lambda: asyncio.StreamReaderProtocol(reader),
                sock=opened,
                ssl=self._tls if is_tls else None,
                server_hostname=proxy.host if is_tls else None,
            )
            undo.pop_all()
        return reader, transport

    async def _take_over(self, transport: asyncio.Transport, origin: Origin, protocol: _Protocol) -> _Protocol:
        """Hand the connection over to the protocol that it is for."""
        if not origin.is_tls:
            transport.set_protocol(protocol)
            protocol.connection_made(transport)
            return protocol
        loop = asyncio.get_running_loop()
        inner = await loop.start_tls(transport, protocol, self._tls, server_hostname=origin.host)
        if inner is None:  # asyncio's word for a connection that ended meanwhile
            raise ConnectionResetError
        # `start_tls` does not say it to the protocol.
        protocol.connection_made(inner)
        return protocol

    @property
    def _tls(self) -> ssl.SSLContext:
        return system_trust() if self._network.trust is None else self._network.trust


@cache
def system_trust() -> ssl.SSLContext:
    """Return the certificates of the system, which take megabytes. All dialers of the process share them."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _open_socket(host: str, port: int) -> socket.socket:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await start_connection(found, happy_eyeballs_delay=EYEBALLS_SECONDS)


def _found(address: str, port: int) -> AddrInfoType:
    """Return what the name service would say of an IP address."""
    if ip_address(address).version == 4:
        return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
    return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)


async def _look_up(origin: Origin) -> str:
    found = await asyncio.get_running_loop().getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    return str(found[0][4][0])


async def _ask_http(
    reader: asyncio.StreamReader, transport: asyncio.Transport, target: tuple[str, int], user: str
) -> None:
    transport.write(words.connect_request(*target, user))
    words.check_connect_answer(await reader.readuntil(b"\r\n\r\n"))


async def _check_silence(reader: asyncio.StreamReader) -> None:
    """Look whether more came than the answer of the proxy. Neither TLS nor HTTP begins with the server.

    Raises:
        ProxyError: it did: a page in the place of a way, such as that of a captive portal.
    """
    reader.feed_eof()
    if await reader.read():
        raise ProxyError("proxy_odd")


async def _ask_socks(
    reader: asyncio.StreamReader, transport: asyncio.Transport, target: tuple[str, int], user: str
) -> None:
    transport.write(words.socks_greeting(user))
    if words.wants_password(await reader.readexactly(2), user):
        transport.write(words.socks_password(user))
        words.check_password_answer(await reader.readexactly(2))
    transport.write(words.socks_request(*target))
    # A refusal may be shorter than an answer: the reply code is what counts.
    begun = await reader.readexactly(2)
    if begun[1]:
        words.socks_rest(begun + b"\0\1\0")
    await reader.readexactly(words.socks_rest(begun + await reader.readexactly(3)))


@contextmanager
def proxy_errors() -> Iterator[None]:
    """Turn the exceptions of a proxy that cannot be asked into `ProxyError`.

    Raises:
        ProxyError: Google was not asked.
    """
    try:
        yield
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ProxyError("proxy_odd") from error
    except OSError as error:
        raise ProxyError(_away(error)) from error


def _away(error: OSError) -> UnreachableCause:
    match error:
        case ssl.SSLError():
            return "proxy_tls"
        case socket.gaierror():
            return "proxy_dns"
        case _:
            return "proxy_away"
