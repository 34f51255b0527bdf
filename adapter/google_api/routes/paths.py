"""Google's addresses, rewritten to one prefix. Keys are taken out of them."""

from collections.abc import Awaitable
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from adapter.google_api.read.addresses import KEY_HEADER, native_path, split_key

#: Where a request says that its address had a key, which is not taken.
REFUSED_KEY = "adapter.key_in_query"

_KEY = KEY_HEADER.encode()


class GooglePaths:
    """Wraps the application. Behind it a request of Google's has one path, and no address has a key.

    So its repetition is known under every address, and what is behind it cannot write a key into a log.
    """

    def __init__(self, app: ASGIApp, *, key_in_query: bool) -> None:
        """Take the application, and whether a key in an address counts."""
        self._app = app
        self._key_in_query = key_in_query

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on."""
        if scope["type"] == ScopeType.HTTP:
            scope = self._rewritten(scope)
        return self._app(scope, receive, send)

    def _rewritten(self, scope: HTTPScope) -> Scope:
        query = split_key(scope["query_string"])
        has_header = _KEY in dict(scope["headers"])
        path = native_path(scope["method"], scope["path"], has_key=has_header or bool(query.key))
        if path is None:
            return scope
        new = {**scope, "path": path, "raw_path": path.encode(), "query_string": query.rest}
        if query.key and self._key_in_query:
            new["headers"] = [*scope["headers"], (_KEY, query.key.encode("latin-1", "replace"))]
        elif query.key:
            new["state"] = {**scope.get("state", {}), REFUSED_KEY: True}
        return cast("Scope", new)
