"""The shared connections to Google, over aiohttp: a picture costs half of what it costs over httpx.

Figures: docs/measurements.md.
"""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import aiohttp
from yarl import URL

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

MAX_CONNECTIONS = 512
#: What is taken from a socket before it has to wait: most of a picture.
READ_BYTES = MAX_ANSWER_BYTES


class Pool:
    """Kept connections, for all calls that are not counted one by one.

    No proxy or key file of the environment is read, and no cookie is kept: one account's would go along with the next
    one's request. aiohttp itself repeats only methods that may be repeated; a POST it sends once.
    """

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        self._trust = trust

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep connections for as long as this lasts."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, ssl=self._trust or True),
            headers=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
            auto_decompress=False,
            read_bufsize=READ_BYTES,
        ) as self._session:
            yield

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Send to an address as it is written, and read the whole answer within `seconds`.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamSilent: no answer in time.
            UpstreamBroken: the connection broke.
        """
        async with deadline(seconds):
            with mapped_errors():
                request = self._session.post(_address(url), data=body, headers=headers, allow_redirects=False)
                async with request as answer:
                    return Reply(answer.status, await _body(answer))


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    length, content = answer.content_length, answer.content
    if length is None or length > MAX_ANSWER_BYTES or content.exception():
        return await collect(content.iter_any(), MAX_ANSWER_BYTES)
    await content.wait_eof()
    return content.read_nowait()


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn aiohttp's exceptions into ours. Messages are our own: aiohttp puts URLs into its."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.NonHttpUrlClientError) as error:
        raise unreachable() from error
    except aiohttp.ServerTimeoutError as error:
        raise silent() from error
    except (aiohttp.ClientError, ValueError) as error:
        raise broken() from error


def _address(url: str) -> URL:
    try:
        return URL(url, encoded=True)
    except ValueError as error:
        raise unreachable() from error
