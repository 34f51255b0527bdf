"""Leads requests for media to their handlers without the framework's own steps.

The framework finds the route of a request, puts the arguments of its handler together, converts the result and catches
what is raised. That is a twelfth of what a small picture costs. The handlers here have the same two arguments always,
and paths without parameters: a look-up and a call do. What is not in the table goes through the framework.
"""

import re
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final, cast

from litestar import Request, Response
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapter.errors import AdapterError
from adapter.openai_api.routes.access import require_key
from adapter.openai_api.routes.failures import answer_fault, answer_framework
from adapter.openai_api.routes.services import OwnedRequest, Services

#: What a `Host` may look like here. The framework looks at every other one, and refuses what is none.
_HOST: Final = re.compile(rb"[0-9A-Za-z.:_\[\]-]*")


class DirectRoutes:
    """Wraps the framework: requests for some of its handlers do not pass it."""

    def __init__(self, framework: ASGIApp, handlers: Sequence[HTTPRouteHandler], prefixes: Sequence[str]) -> None:
        """Take the framework, and the handlers with the prefixes of their paths.

        A handler here takes a request and the services, after `require_key`, and nothing else.
        """
        self._framework = framework
        self._handlers: Mapping[tuple[str, str], HTTPRouteHandler] = {
            (method, f"{prefix.rstrip('/')}{path}"): handler
            for handler in handlers
            for method in handler.http_methods
            for path in handler.paths
            for prefix in prefixes
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on."""
        handler = self._handler(scope)
        if handler is None:
            return self._framework(scope, receive, send)
        return self._answer(handler, Request(scope, receive, send))

    def _handler(self, scope: Scope) -> HTTPRouteHandler | None:
        if scope["type"] != ScopeType.HTTP or scope.get("root_path"):
            return None
        handler = self._handlers.get((scope["method"], scope["path"]))
        if handler is None or not all(_HOST.fullmatch(value) for name, value in scope["headers"] if name == b"host"):
            return None
        return handler

    async def _answer(self, handler: HTTPRouteHandler, request: Request[object, object, State]) -> None:
        """Call a handler and send its answer. An answer that asks a provider may still be refused before it begins.

        What is raised and not foreseen is answered and logged by the outermost layer (`request_log.py`).
        """
        has_begun = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await request.send(message)

        try:
            await require_key(request)
            services: Services = request.app.state.services
            answer = await handler.fn(request=cast("OwnedRequest", request), services=services)
            await _send(answer, handler, request, sending)
        except AdapterError as fault:
            if has_begun:
                raise
            await _send(answer_fault(request, fault), handler, request, request.send)
        except HTTPException as error:
            if has_begun:
                raise
            await _send(answer_framework(request, error), handler, request, request.send)


async def _send(
    answer: ASGIApp | Response[bytes],
    handler: HTTPRouteHandler,
    request: Request[object, object, State],
    send: Send,
) -> None:
    if isinstance(answer, Response):
        answer = answer.to_asgi_response(None, request, status_code=handler.status_code)
    await answer(request.scope, request.receive, send)
