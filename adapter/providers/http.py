"""The one way out: every request to Google leaves here, and every foreign exception ends here."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http.cookiejar import DefaultCookiePolicy

import aiohttp
import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport

from adapter.errors import UpstreamBroken, UpstreamFault, UpstreamSilent, UpstreamUnreachable

CONNECT_SECONDS = 10.0
#: A whole download, and between two pieces of it.
DOWNLOAD_SECONDS = 900.0
SILENCE_SECONDS = 60.0
MAX_REDIRECTS = 5
#: An answer is all in memory; ten 4K pictures of Flow in one are about 150 MB of base64.
MAX_ANSWER_BYTES = 256 * 1024 * 1024
MAX_CONNECTIONS = 512
#: What is taken from a socket before it has to wait: most of a picture.
READ_BYTES = 1024 * 1024

UNREACHABLE = "Google cannot be reached from here at the moment."
BROKEN = "The connection to Google broke before its answer was complete."


class Reply(msgspec.Struct, frozen=True):
    """What came back, whatever the status."""

    status: int
    body: bytes


class Download:
    """A file on its way (the port of that name)."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def is_whole(self, size: int) -> bool:
        """Say whether so many bytes are all of it.

        A body of announced length has to have it. A chunked one that ended was whole: httpx raises on a torn one. A
        body that ends with its connection cannot be told from a cut one, and is none.
        """
        headers = self._response.headers
        if "content-length" in headers:
            return bool(headers["content-length"] == str(size))
        return bool(headers.get("transfer-encoding", "").lower() == "chunked")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they travel: never unpacked, so a small answer cannot swell."""
        with mapped_errors():
            async for chunk in self._response.aiter_raw():
                yield chunk

    async def read(self, limit: int) -> bytes:
        """Return all of it (the port of that name)."""
        data = await _collect(self._response, limit)
        if not self.is_whole(len(data)):
            raise UpstreamBroken(BROKEN)
        return data


class Http:
    """Two clients: a shared one, and one that opens a connection for each request and throws it away.

    The second is for requests that cost money and cannot be told apart: on a pooled connection that the other end has
    just closed, a request ends in an error that leaves open whether it was executed
    (reference: `reliability.md` section 2.2). Signed links travel on it as well: it sends an address as it is written,
    where the shared one's transport would write some escapes in its own way.
    """

    def __init__(self, shared: httpx.AsyncClient, fresh: httpx.AsyncClient) -> None:
        self._shared = shared
        self._fresh = fresh

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Send on a shared connection and read the whole answer within `seconds`.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamSilent: no answer in time.
            UpstreamBroken: the connection broke.
        """
        return await _post(self._shared, url, headers, body, seconds)

    async def post_once(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, on a connection of its own; never sent a second time by any layer."""
        return await _post(self._fresh, url, headers, body, seconds)

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[Download]:
        """Open a signed link. No credential goes along, and redirects lead only to https or back to the same origin.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`; any other status than 200 is broken.
        """
        with mapped_errors():
            target = origin = httpx.URL(url)
            if target.scheme not in {"https", "http"} or not target.host:
                raise UpstreamBroken("Google's media link is no address.")
        async with deadline(DOWNLOAD_SECONDS):
            for _ in range(MAX_REDIRECTS + 1):
                with mapped_errors():
                    request = self._fresh.build_request("GET", target, timeout=_timeout(SILENCE_SECONDS))
                    response = await self._fresh.send(request, stream=True)
                try:
                    if response.next_request is None:
                        yield Download(_checked(response))
                        return
                    target = response.next_request.url
                finally:
                    await response.aclose()
                if target.scheme != "https" and (target.host, target.port) != (origin.host, origin.port):
                    break
        raise UpstreamBroken("Google's media link leads nowhere.")


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """End what takes longer: an upstream that drips a byte now and then is as good as silent."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise UpstreamSilent("Google did not answer in time.") from error


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn httpx's exceptions into ours. Messages are our own: httpx puts URLs into its."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise _not_connected(error) from error
    except (
        httpx.ConnectError,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.LocalProtocolError,
        httpx.UnsupportedProtocol,
    ) as error:
        raise UpstreamUnreachable(UNREACHABLE) from error
    except httpx.TimeoutException as error:
        raise UpstreamSilent("Google did not answer in time.") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, aiohttp.ClientError, ValueError) as error:
        # ValueError: a host name that IDNA does not know, in a link that Google sent.
        raise UpstreamBroken(BROKEN) from error


def _not_connected(error: httpx.ConnectTimeout) -> UpstreamFault:
    """Tell apart what the aiohttp transport throws together.

    It calls a server that hung up after the request a connect time-out as well; only a connection that never stood
    proves that nothing was sent.
    """
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(
        cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    ):
        return UpstreamBroken(BROKEN)
    return UpstreamUnreachable(UNREACHABLE)


async def _post(client: httpx.AsyncClient, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
    async with deadline(seconds):
        with mapped_errors():
            request = client.build_request("POST", url, headers=headers, content=body, timeout=_timeout(seconds))
            response = await client.send(request, stream=True)
        try:
            return Reply(response.status_code, await _collect(response, MAX_ANSWER_BYTES))
        finally:
            await response.aclose()


async def _collect(response: httpx.Response, limit: int) -> bytes:
    """Return a body as it travelled, if it is no longer than `limit`."""
    pieces, size = [], 0
    with mapped_errors():
        async for piece in response.aiter_raw():
            size += len(piece)
            if size > limit:
                raise UpstreamBroken(f"Google's answer is longer than {limit} bytes.")
            pieces.append(piece)
    return b"".join(pieces)


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code != 200:
        raise UpstreamBroken(f"Google's media link answered {response.status_code}.")
    return response


def clients(transport: httpx.AsyncBaseTransport | None = None) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    """Return the shared and the fresh client; a transport stands in for the network in tests.

    The shared one travels over aiohttp, which takes a quarter less CPU for a picture than httpx's own transport
    (docs/measurements.md). No proxy or key file of the environment is read, and no cookie is kept: one account's would
    go along with the next one's request. `identity`: unpacking gzip costs 6 ms a picture and saves a quarter of the
    bytes (measured in `dependencies.md` section 2.1).
    """
    fresh = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
    return _client(transport or AiohttpTransport(client=_session, trust_env=False)), _client(transport or fresh)


def _session() -> aiohttp.ClientSession:
    """Open the shared connections; called by the transport when there is an event loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=READ_BYTES,
    )


def _client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    client = httpx.AsyncClient(
        transport=transport, headers={"accept-encoding": "identity", "user-agent": "adapter"}, trust_env=False
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client
