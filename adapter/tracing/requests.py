"""A span for each request of a client."""

from collections.abc import Callable
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapter.domain.ports import Attributes, Tracer

#: The header of W3C's Trace Context, by which a client says what its request belongs to.
TRACEPARENT: Final = b"traceparent"
REQUEST_ID: Final = b"x-request-id"
#: Asked for by machines every few seconds.
UNTRACED: Final = frozenset({"/health", "/ready", "/metrics"})
FIRST_ERROR: Final = 500


class TracedRequests:
    """Wraps the whole application. Attributes are called as in OpenTelemetry's conventions for HTTP servers."""

    def __init__(self, app: ASGIApp, tracer: Tracer, name_route: Callable[[str, str], str]) -> None:
        """Take the application, the record, and how routes are called."""
        self._app = app
        self._tracer = tracer
        self._name_route = name_route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != ScopeType.HTTP or scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return
        method, route = scope["method"], self._name_route(scope["method"], scope["path"])
        attributes = {"http.request.method": method, "http.route": route, "url.path": scope["path"]}
        parents = [value.decode("latin-1") for name, value in scope["headers"] if name == TRACEPARENT]
        span = self._tracer.begin(f"{method} {route}", "server", attributes, parents[:1])
        status, request_id = 0, ""

        async def sending(message: Message) -> None:
            nonlocal status, request_id
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = _value(message["headers"], REQUEST_ID)
            await send(message)

        try:
            with span.active():
                await self._app(scope, receive, sending)
        finally:
            answered: Attributes = {"http.response.status_code": status, "adapter.request_id": request_id}
            span.end(answered if status else {}, is_failed=not 0 < status < FIRST_ERROR)


def _value(headers: object, wanted: bytes) -> str:
    pairs = headers if isinstance(headers, list) else []
    return next((value.decode("latin-1") for name, value in pairs if name.lower() == wanted), "")
