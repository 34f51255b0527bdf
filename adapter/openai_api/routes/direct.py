"""Leads requests for media to their handlers without the framework's own steps.

The framework finds the route of a request, puts the arguments of its handler together, converts the result and catches
what is raised. That is a twelfth of what a small picture costs. The handlers here have the same two arguments always,
and the id of a video where it is in their path: a look-up and a call do. What is not in the table goes through the
framework.
"""

import re
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final, NamedTuple, cast

from litestar import Request, Response
from litestar.datastructures import Headers, State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapter.domain.ids import Id
from adapter.errors import AdapterError
from adapter.openai_api.routes.access import require_key
from adapter.openai_api.routes.failures import answer_fault, answer_framework
from adapter.openai_api.routes.services import OwnedRequest, Services

#: What a `Host` may look like here. The framework looks at every other one, and refuses what is none.
_HOST: Final = re.compile(rb"[0-9A-Za-z.:_\[\]-]*")
#: The parameter of a path, and a path with the id of a video in its place. Any other text there is the framework's.
_PARAMETER: Final = re.compile(r"\{([a-z_]+):str\}")
_VIDEO: Final = re.compile(rf"(.*/)({Id.VIDEO}[0-9A-Za-z]+)(/[a-z]+)?")
#: What stands for the parameter in the table.
_ANY: Final = "*"


class _Route(NamedTuple):
    """A handler, and the arguments that its path gives it."""

    handler: HTTPRouteHandler
    arguments: Mapping[str, str]


class _Entry(NamedTuple):
    """A handler of the table, and the name of its path's parameter; empty: it has none."""

    handler: HTTPRouteHandler
    parameter: str

    @classmethod
    def of(cls, handler: HTTPRouteHandler, path: str) -> "_Entry":
        """Return the entry of a handler under one of its paths."""
        found = _PARAMETER.search(path)
        return cls(handler, found[1] if found else "")


class _Request(Request[object, object, State]):
    """A request that keeps its headers. The framework's own looks them up in the scope each time."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._headers = super().headers

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self._headers


class DirectRoutes:
    """Wraps the framework: requests for some of its handlers do not pass it."""

    def __init__(self, framework: ASGIApp, handlers: Sequence[HTTPRouteHandler], prefixes: Sequence[str]) -> None:
        """Take the framework, and the handlers with the prefixes of their paths.

        A handler here takes a request and the services, after `require_key`, and the id of a video if that is in its
        path.
        """
        self._framework = framework
        self._handlers: Mapping[tuple[str, str], _Entry] = {
            (method, f"{prefix.rstrip('/')}{_PARAMETER.sub(_ANY, path)}"): _Entry.of(handler, path)
            for handler in handlers
            for method in handler.http_methods
            for path in handler.paths
            for prefix in prefixes
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on."""
        route = self._route(scope)
        if route is None:
            return self._framework(scope, receive, send)
        return self._answer(route, _Request(scope, receive, send))

    def _route(self, scope: Scope) -> _Route | None:
        if scope["type"] != ScopeType.HTTP or scope.get("root_path"):
            return None
        route = self._found(scope["method"], scope["path"])
        if route is None or not all(_HOST.fullmatch(value) for name, value in scope["headers"] if name == b"host"):
            return None
        return route

    def _found(self, method: str, path: str) -> _Route | None:
        if (entry := self._handlers.get((method, path))) is not None:
            return None if entry.parameter else _Route(entry.handler, {})
        if (parts := _VIDEO.fullmatch(path)) is None:
            return None
        entry = self._handlers.get((method, f"{parts[1]}{_ANY}{parts[3] or ''}"))
        return None if entry is None else _Route(entry.handler, {entry.parameter: parts[2]})

    async def _answer(self, route: _Route, request: Request[object, object, State]) -> None:
        """Call a handler and send its answer. An answer that asks a provider may still be refused before it begins.

        What is raised and not foreseen is answered and logged by the outermost layer (`request_log.py`).
        """
        handler, arguments = route
        has_begun = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await request.send(message)

        try:
            await require_key(request)
            services: Services = request.app.state.services
            answer = await handler.fn(request=cast("OwnedRequest", request), services=services, **arguments)
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
