"""The outermost layer: a request id for every answer, and one canonical line for every request."""

import secrets
import time
from collections.abc import Callable
from typing import TypeAlias, cast

import msgspec
import structlog
from litestar import HttpMethod
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send, WebSocketReceiveMessage

from adapter.domain.ports import Metrics
from adapter.domain.telemetry import Traffic
from adapter.errors import ClientLeft, OwnFault
from adapter.hang_up import HANG_UP, HangUp
from adapter.openai_api.routes.drain import AnswerHeaders
from adapter.openai_api.routes.failures import MISTAKE
from adapter.openai_api.routes.rate_headers import RATE_HEADERS
from adapter.openai_api.write.errors import error_body, error_headers

log = structlog.get_logger()

#: Asked for by machines every few seconds; not worth a line each.
QUIET_PATHS = frozenset({"/health", "/ready", "/metrics"})
#: By name, because what stands at an inner function is worked out with each request.
_Received: TypeAlias = HTTPReceiveMessage | WebSocketReceiveMessage
#: The status in the log of a request whose client hung up before it had the answer, as in nginx.
CLIENT_LEFT = ClientLeft.status


def unnamed(_method: str, _path: str) -> str:
    """Return no name, where nothing is counted by it."""
    return ""


class RequestLog:
    """Wraps the whole application: the framework's own 404 and 405 never reach a route's middleware."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        headers: AnswerHeaders | None = None,
        name_route: Callable[[str, str], str] = unnamed,
    ) -> None:
        """Take the application, where times are counted, the headers of every answer, and how routes are called."""
        self._app = app
        self._metrics = metrics
        self._headers = headers or AnswerHeaders()
        self._name_route = name_route
        #: What is open at the moment.
        self.traffic = Traffic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, name it, and write down how it went."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(16)}"
        seen = Seen()
        structlog.contextvars.clear_contextvars()
        RATE_HEADERS.set(None)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        hang_up = cast("HangUp | None", (scope.get("extensions") or {}).get(HANG_UP))
        started = time.perf_counter()
        traffic = self.traffic
        traffic.requests += 1

        async def receiving() -> _Received:
            message = await receive()
            seen.left |= message["type"] == "http.disconnect" and not seen.whole
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                seen.status = message["status"]
                seen.length = int(dict(headers).get(b"content-length", -1))
                seen.is_stream = seen.length < 0
                seen.whole = scope["method"] == HttpMethod.HEAD or seen.length == 0  # its head is all of it
                traffic.streams += seen.is_stream
                rate_headers = RATE_HEADERS.get()
                own = self._headers.pairs if rate_headers is None else (*self._headers.pairs, *rate_headers())
                message["headers"] = [*headers, (b"x-request-id", request_id.encode()), *own]
            elif message["type"] == "http.response.body":
                seen.left |= not seen.whole and hang_up is not None and hang_up.has_happened
                seen.size += len(message["body"])
                seen.whole = not message.get("more_body", False) or seen.size == seen.length
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        except Exception:  # the last resort: what even the framework's own handlers did not survive
            seen.crashed = True
            log.exception("request.crashed", path=scope["path"])
            if seen.status:
                raise
            await _apologise(sending)
        finally:
            seconds = time.perf_counter() - started
            traffic.requests -= 1
            traffic.streams -= seen.is_stream
            route = self._name_route(scope["method"], scope["path"])
            labels = {"route": route, "method": scope["method"], "status": str(seen.told)}
            self._metrics.observe("request_seconds", seconds, labels)
            if scope["path"] not in QUIET_PATHS:
                log.info(
                    "request.finished",
                    method=scope["method"],
                    path=scope["path"],
                    status=seen.told,
                    milliseconds=round(seconds * 1000, 1),
                    bytes=seen.size,
                    hung_up=True if seen.told == CLIENT_LEFT else None,
                )


async def _apologise(send: Send) -> None:
    fault = OwnFault(MISTAKE)
    steering = ((name.encode(), value.encode()) for name, value in error_headers(fault).items())
    headers = [(b"content-type", b"application/json"), *steering]
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(error_body(fault)), "more_body": False})


class Seen:
    """What went out."""

    def __init__(self) -> None:
        self.status = 0
        self.size = 0
        #: As announced; -1 for a stream.
        self.length = -1
        self.is_stream = False
        self.whole = False
        #: Whether the client hung up before it had all of it.
        self.left = False
        self.crashed = False

    @property
    def told(self) -> int:
        """The status for the log."""
        return CLIENT_LEFT if self.left or not (self.whole or self.crashed) else self.status
