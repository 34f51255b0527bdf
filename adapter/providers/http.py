"""The one way out: every request to Google leaves here, and every foreign exception ends here."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from http.cookiejar import DefaultCookiePolicy

import httpx

from adapter.errors import UpstreamBroken
from adapter.providers.pool import Pool
from adapter.providers.reply import (
    CONNECT_SECONDS,
    HEADERS,
    MAX_ANSWER_BYTES,
    Reply,
    broken,
    collect,
    deadline,
    silent,
    unreachable,
)

#: A whole download, and between two pieces of it.
DOWNLOAD_SECONDS = 900.0
SILENCE_SECONDS = 60.0
MAX_REDIRECTS = 5


class HttpDownload:
    """A file on its way (the port of that name)."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        """What the server answered."""
        return self._response.status_code

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
        data = await collect(aiter(self), limit)
        if not self.is_whole(len(data)):
            raise broken()
        return data


class Http:
    """Two ways: shared connections, and one that is opened for a request and thrown away.

    The second is for requests that cost money and cannot be told apart: on a pooled connection that the other end has
    just closed, a request ends in an error that leaves open whether it was executed
    (reference: `reliability.md` section 2.2). Signed links travel on it as well.

    A transport stands in for the network in tests, for both ways.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, trust: ssl.SSLContext | None = None) -> None:
        self._fresh = _client(transport or _fresh_connections(trust))
        self._pool = None if transport else Pool(trust)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep connections for as long as this lasts."""
        async with self._fresh, self._pool.open() if self._pool else nullcontext():
            yield

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Send on a shared connection and read the whole answer within `seconds`.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamSilent: no answer in time.
            UpstreamBroken: the connection broke.
        """
        post = self._pool.post if self._pool else self.post_once
        return await post(url, headers=headers, body=body, seconds=seconds)

    async def get(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, and changes nothing at Google."""
        if self._pool:
            return await self._pool.get(url, headers=headers, body=body, seconds=seconds)
        return await self._once("GET", url, headers=headers, body=body, seconds=seconds)

    async def post_once(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """As `post`, on a connection of its own; never sent a second time by any layer."""
        return await self._once("POST", url, headers=headers, body=body, seconds=seconds)

    async def _once(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        async with deadline(seconds):
            with mapped_errors():
                request = self._fresh.build_request(
                    method, url, headers=headers, content=body, timeout=_timeout(seconds)
                )
                response = await self._fresh.send(request, stream=True)
                try:
                    return Reply(response.status_code, await collect(response.aiter_raw(), MAX_ANSWER_BYTES))
                finally:
                    await response.aclose()

    @asynccontextmanager
    async def open_get(self, url: str, *, headers: Mapping[str, str]) -> AsyncIterator[HttpDownload]:
        """Open an answer of any status, on a connection of its own. A redirect is an answer: nothing follows it.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: as `post`.
        """
        async with deadline(DOWNLOAD_SECONDS):
            with mapped_errors():
                request = self._fresh.build_request("GET", url, headers=headers, timeout=_timeout(SILENCE_SECONDS))
                response = await self._fresh.send(request, stream=True)
            try:
                yield HttpDownload(response)
            finally:
                await response.aclose()

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[HttpDownload]:
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
                        yield HttpDownload(_checked(response))
                        return
                    target = response.next_request.url
                finally:
                    await response.aclose()
                if target.scheme != "https" and (target.host, target.port) != (origin.host, origin.port):
                    break
        raise UpstreamBroken("Google's media link leads nowhere.")


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn httpx's exceptions into ours. Messages are our own: httpx puts URLs into its."""
    try:
        yield
    except (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.LocalProtocolError,
        httpx.UnsupportedProtocol,
    ) as error:
        raise unreachable() from error
    except httpx.TimeoutException as error:
        raise silent() from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
        # ValueError: a host name that IDNA does not know, in a link that Google sent.
        raise broken() from error


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code != 200:
        raise UpstreamBroken(f"Google's media link answered {response.status_code}.")
    return response


def _fresh_connections(trust: ssl.SSLContext | None) -> httpx.AsyncHTTPTransport:
    return httpx.AsyncHTTPTransport(
        verify=trust or True, limits=httpx.Limits(max_keepalive_connections=0), trust_env=False
    )


def _client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """No proxy or key file of the environment is read, and no cookie is kept (as in the pool)."""
    client = httpx.AsyncClient(transport=transport, headers=HEADERS, trust_env=False)
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client
