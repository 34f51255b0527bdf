"""HEAD: the headers of a GET and nothing else, on every path that answers GET."""

import asyncio
from collections.abc import Awaitable
from typing import cast

from litestar import HttpMethod
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from adapter.tasks import beside


class HeadRequests:
    """Wraps the application: a HEAD runs as a GET until its headers are sent.

    The body does not begin: no file is read, no stream starts, and nothing counts as delivered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != HttpMethod.HEAD:
            return self._app(scope, receive, send)
        return self._head(scope, receive, send)

    async def _head(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        answered = asyncio.Event()

        async def sending(message: Message) -> None:
            await send(message)
            answered.set()
            await asyncio.Event().wait()  # until it is cancelled: its body is not wanted

        async def answer() -> None:
            await self._app(cast("Scope", {**scope, "method": HttpMethod.GET}), receive, sending)

        async with beside(answer()) as running:
            running.add_done_callback(lambda _: answered.set())
            await answered.wait()
        if not running.cancelled():
            running.result()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
