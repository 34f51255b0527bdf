"""Streams of events that last for minutes: they go on after the framework has returned.

A stream inside the framework holds its request, the scope of each layer, all their frames and three tasks: 34 KB in
all. Here the framework sends the head of the answer and returns. What is left is 15 KB (docs/measurements.md).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from typing import cast

from litestar import Request
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.response import Response
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp, Receive, Scope, Send

from adapter.hang_up import HANG_UP, HangUp
from adapter.tasks import beside

#: Where a request keeps the place of its events.
_PLACE = "adapter.events"

Events = AsyncGenerator[bytes, None]


class _Place:
    """Takes the events of one request from its answer to the middleware."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events: Events | None = None


class EventStreams:
    """Wraps the application: what an `EventStream` has to send is sent when the framework has returned."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and send the events of its answer."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        place = _Place()
        await self._app(cast("Scope", {**scope, "state": {**scope.get("state", {}), _PLACE: place}}), receive, send)
        if place.events is None:
            return
        limit = asyncio.timeout(None)
        try:
            async with limit, _ending_with_client(limit, scope, receive), aclosing(place.events):
                async for event in place.events:
                    await send({"type": "http.response.body", "body": event, "more_body": True})
                    del event  # it would be held until the next one
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            if not limit.expired():
                raise


class EventStream(Response[bytes]):
    """An answer of events. A request that needs memory or a callback at its end cannot have one: both end earlier."""

    def __init__(self, events: Events, headers: Mapping[str, str]) -> None:
        super().__init__(b"", media_type="text/event-stream", headers=headers)
        self._events = events

    def to_asgi_response(
        self,
        app: object,  # noqa: ARG002 - the framework's name
        request: Request[object, object, State],
        **_options: object,
    ) -> ASGIResponse:
        """Return what sends the head, and leaves the events for the middleware."""
        place: _Place = request.scope["state"][_PLACE]
        return _Head(place, self._events, self.headers)


class _Head(ASGIResponse):
    _should_set_content_length = False

    def __init__(self, place: _Place, events: Events, headers: Mapping[str, str]) -> None:
        super().__init__(media_type="text/event-stream", headers=dict(headers))
        self._place = place
        self._events = events

    async def send_body(self, send: Send, receive: Receive) -> None:  # noqa: ARG002 - as above
        """Leave the events. They have not begun: an answer to HEAD, which ends before this, holds nothing open."""
        self._place.events = self._events


def _ending_with_client(limit: asyncio.Timeout, scope: Scope, receive: Receive) -> AbstractAsyncContextManager[object]:
    """Return what expires a limit when the client hangs up."""
    hang_up = cast("HangUp | None", (scope.get("extensions") or {}).get(HANG_UP))
    if hang_up is None:  # a server that can only be waited for
        return beside(_end_with_client(limit, receive))
    return _Watch(limit, hang_up)


class _Watch:
    """Expires a limit when the client hangs up. A task that waits for that would take 2 KB of each stream."""

    __slots__ = ("_hang_up", "_limit")

    def __init__(self, limit: asyncio.Timeout, hang_up: HangUp) -> None:
        self._limit = limit
        self._hang_up = hang_up

    async def __aenter__(self) -> None:
        self._hang_up.call(self._expire)

    async def __aexit__(self, _kind: object, _error: object, _trace: object) -> None:
        self._hang_up.forget()

    def _expire(self) -> None:
        self._limit.reschedule(asyncio.get_running_loop().time())


async def _end_with_client(limit: asyncio.Timeout, receive: Receive) -> None:
    """Expire a limit when the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    limit.reschedule(asyncio.get_running_loop().time())
