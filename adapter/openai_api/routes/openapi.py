"""`GET /openapi.json`: the description of every route. It needs no key.

It has no secret and nothing of the settings.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.routes import BaseRoute, HTTPRoute

from adapter.openai_api.openapi.document import Endpoint, document

#: The prefix under which the document shows the routes of the API. Under the others they are the same.
SHOWN = "/v1"


@get("/openapi.json")
async def read_document(request: Request[None, None, State]) -> Response[bytes]:
    """Describe every route."""
    return Response(describe(request.app.routes), media_type=MediaType.JSON)


def describe(routes: Sequence[BaseRoute]) -> bytes:
    """Return the document of a routing table."""
    return _document(tuple(sorted(endpoints_of(routes), key=lambda one: (one.path, one.method))))


def endpoints_of(routes: Sequence[BaseRoute]) -> Iterator[Endpoint]:
    """Yield the endpoints of a routing table, each at one of its addresses. Routes of other APIs are left out."""
    table = {route.path_format: route for route in routes if isinstance(route, HTTPRoute)}
    for path, route in table.items():
        if path.startswith(SHOWN * 2) or (not path.startswith(f"{SHOWN}/") and SHOWN + path in table):
            continue
        for handler in route.route_handlers:
            if not handler.resolve_include_in_schema():
                continue
            summary = (handler.fn.__doc__ or "").partition("\n")[0]
            # OPTIONS is litestar's own.
            yield from (
                Endpoint(handler.handler_name, method, path, summary) for method in handler.http_methods - {"OPTIONS"}
            )


@lru_cache(maxsize=1)
def _document(endpoints: tuple[Endpoint, ...]) -> bytes:
    return document(endpoints)
