"""Downloads from addresses that clients give us. Addresses that are not on the public internet are refused.

Each hop is resolved once, all its addresses have to be public, and the connection goes to one of those very
addresses, while the name stays in `Host` and in the certificate check (reference: `reliability.md` sections 2.7 and 3).
httpcore is used without httpx around it: it follows nothing, keeps no cookies, reads no proxies from the environment
and unpacks nothing. What a server packed although it was asked not to is unpacked here, within the limit.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from typing import Final

import httpcore
import msgspec
import structlog

from adapter.errors import InvalidRequest
from adapter.media.packing import layers, unpacked
from adapter.network.links import REDIRECTS, Link, Rules, read_link, redirected, refusal
from adapter.network.lookup import Resolver, addresses_of, resolve

log = structlog.get_logger()

MAX_REDIRECTS: Final = 5
#: Beside the name of the program; `identity`, because pictures do not become smaller by packing.
HEADERS: Final = (("accept", "*/*"), ("accept-encoding", "identity"))


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The network, and its time limits."""

    resolver: Resolver = resolve
    backend: httpcore.AsyncNetworkBackend = msgspec.field(default_factory=httpcore.AnyIOBackend)
    #: The certificates that are trusted; None: those of the system and of certifi, which are loaded when needed.
    tls: ssl.SSLContext | None = None
    #: For a look-up, for a connection, and for each step of TLS.
    connect_seconds: float = 10.0
    #: For all of it, redirects included.
    seconds: float = 30.0


class SafeFetcher:
    """Downloads pictures that clients link to (the port `PictureFetcher`)."""

    def __init__(
        self,
        *,
        http: bool = False,
        trusted: Iterable[str] = (),
        agent: str = "adapter",
        network: Network | None = None,
    ) -> None:
        """Take the operator's settings.

        Args:
            http: whether addresses without TLS are fetched too.
            trusted: `host:port` of servers that may be private, of any port, and without TLS.
            agent: what we call ourselves (`agent.py`).
            network: the world outside; the real one by default.

        Raises:
            WrongConfiguration: a trusted server is no HOST:PORT.
        """
        self._rules = Rules.reading(http=http, trusted=trusted)
        self._agent = agent
        self._network = network or Network()

    async def fetch(self, url: str, *, limit: int) -> bytes:
        """Return the file at an address (the port of that name)."""
        try:
            return await self._fetch(self._rules.admit(read_link(url)), limit)
        except InvalidRequest as fault:
            cause = fault.__cause__
            log.info("media.not_fetched", says=fault.message, because=repr(cause) if cause else None)
            raise

    async def _fetch(self, link: Link, limit: int) -> bytes:
        """Limit the time, and turn errors of the network into an error for the client.

        A private host, a host that does not exist and a silent host get the same message: a client cannot scan with us.
        """
        try:
            async with asyncio.timeout(self._network.seconds):
                try:
                    return await self._follow(link, limit)
                except (OSError, ValueError, httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    # ValueError: a name that the resolver or TLS cannot encode.
                    raise refusal(
                        f"'{link.host}', or where it redirects to, cannot be reached: it does not answer, has no valid "
                        "certificate, or is not public."
                    ) from error
                except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
                    raise refusal(f"The connection to '{link.host}' broke before the file was complete.") from error
        except TimeoutError as error:
            raise refusal(f"'{link.host}' did not send the file within {self._network.seconds:g} seconds.") from error

    async def _follow(self, first: Link, limit: int) -> bytes:
        link = first
        for _ in range(MAX_REDIRECTS + 1):
            async with self._get(link) as response:
                location = _header(response, b"location")
                if response.status not in REDIRECTS or not location:
                    return await _read(response, first.host, limit)
            try:
                link = self._rules.admit(redirected(link, location))
            except InvalidRequest as fault:
                raise refusal(f"'{first.host}' redirects to an address that is not fetched.") from fault
        raise refusal(f"'{first.host}' redirects more than {MAX_REDIRECTS} times.")

    async def _addresses(self, link: Link) -> Sequence[str]:
        """Return where a link may be connected to (`network/lookup.py`)."""
        network, is_trusted = self._network, self._rules.trusts(link)
        return await addresses_of(link, network.resolver, seconds=network.connect_seconds, may_be_private=is_trusted)

    @asynccontextmanager
    async def _get(self, link: Link) -> AsyncIterator[httpcore.Response]:
        """Open a link, once, on a connection of its own, with nothing that could tell who asks."""
        door = _Door(self._network.backend, await self._addresses(link))
        url = httpcore.URL(scheme=link.scheme, host=link.host, port=link.port, target=link.target)
        tls = self._network.tls
        if tls is None and link.scheme == "https":
            tls = await asyncio.to_thread(trusted_certificates)
        connection = httpcore.AsyncHTTPConnection(url.origin, tls, network_backend=door)
        headers = [("host", link.host_header), ("user-agent", self._agent), *HEADERS]
        patience = {"connect": self._network.connect_seconds}
        try:
            async with connection.stream("GET", url, headers=headers, extensions={"timeout": patience}) as response:
                yield response
        finally:
            await connection.aclose()
            await door.aclose()


@cache
def trusted_certificates() -> ssl.SSLContext:
    """Return the certificates that are trusted. They take 1.5 MB, and 40 ms to be read."""
    return httpcore.default_ssl_context()


class _Door(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, whatever name it is asked for."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, addresses: Sequence[str]) -> None:
        self._backend = backend
        self._addresses = addresses
        self._stream: httpcore.AsyncNetworkStream | None = None

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - a name, and names were looked up already
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Try one address after the other, each for its share of the time."""
        connect = partial(
            self._backend.connect_tcp,
            port=port,
            timeout=timeout and timeout / len(self._addresses),
            local_address=local_address,
            socket_options=socket_options,
        )
        *others, last = self._addresses
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                self._stream = await connect(address)
                return self._stream
        self._stream = await connect(last)
        return self._stream

    async def aclose(self) -> None:
        """Close what is left: httpcore forgets a connection that is cancelled in the middle of TLS."""
        if self._stream:
            await self._stream.aclose()


async def _read(response: httpcore.Response, host: str, limit: int) -> bytes:
    """Return a body as it travels, if it is whole and not too long.

    httpcore raises on a body that is shorter than announced and on a torn chunk. One that ends with its connection
    cannot be told from a cut one, and half a picture would be sent to Google and paid for.
    """
    if response.status != 200:
        raise refusal(f"'{host}' answered with status {response.status} instead of the file.")
    try:
        packed = layers(_header(response, b"content-encoding"))
    except ValueError as error:
        raise refusal(f"'{host}' sent the file compressed with {error}, although it was asked not to.") from error
    length = _header(response, b"content-length")
    if not length and _header(response, b"transfer-encoding").lower() != b"chunked":
        raise refusal(f"'{host}' did not say how long the file is.")
    too_long = refusal(f"The file at '{host}' is longer than {limit} bytes.")
    if length and int(length) > limit:
        raise too_long
    data = bytearray()
    async for chunk in response.aiter_stream():
        data += chunk
        if len(data) > limit:
            raise too_long
    return await asyncio.to_thread(unpacked, bytes(data), packed, host, limit) if packed else bytes(data)


def _header(response: httpcore.Response, name: bytes) -> bytes:
    """Return a header's value, several of a name joined (RFC 9110 section 5.3), or nothing."""
    return b", ".join(value for key, value in response.headers if key.lower() == name)
