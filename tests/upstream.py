"""A server on a real socket that stands for Google: a test gives it a function that answers."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from aiohttp import web

from adapter.providers.http import Http

#: What stands for Google. It may be a coroutine function.
Google = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Awaitable[httpx.Response]]
#: What the server itself writes.
FRAMING = frozenset({"content-length", "transfer-encoding"})


class HangUpError(Exception):
    """Raised by a function that stands for Google: the connection breaks in the place of an answer."""


def hang_up(_: httpx.Request) -> httpx.Response:
    """Stand for a Google that takes a request and breaks its connection."""
    raise HangUpError


class Upstream:
    """The server, and a client that is open."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self.answer: Google = hang_up
        #: Scheme, host and port, without a slash at the end.
        self.url = ""

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with what the function says."""
        body = await request.content.read()
        asked = httpx.Request(request.method, f"{self.url}{request.raw_path}", headers=request.headers, content=body)
        try:
            said = self.answer(asked)
            response = await said if inspect.isawaitable(said) else said
        except HangUpError:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        headers = [pair for pair in response.headers.multi_items() if pair[0] not in FRAMING]
        return web.Response(status=response.status_code, headers=headers, body=response.content)


@asynccontextmanager
async def listening(http: Http) -> AsyncIterator[Upstream]:
    """Serve on a free port of the loopback interface, for a client that is open as long."""
    upstream = Upstream(http)
    runner = web.ServerRunner(web.Server(upstream.serve), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with http.open():
            yield upstream
    finally:
        await runner.cleanup()
