"""CORS: pages of any origin may send requests. A page adds the key itself; a browser never does, so forging is useless.

Sources: the Fetch standard, section "CORS protocol", and the Private Network Access draft, for a public page and a
server in a private network.
"""

from collections.abc import Awaitable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

#: What a page may read of an answer beside its body (`frontends.md` R2, `openai.md` section 1).
EXPOSED = (
    "x-request-id",
    "x-video-id",
    "x-should-retry",
    "retry-after",
    "openai-poll-after-ms",
    "idempotent-replayed",
    "content-length",
    "content-range",
    "content-disposition",
    "accept-ranges",
    "etag",
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
#: How long a browser may remember a preflight, in seconds; they take at most a day, some two hours.
MAX_AGE = 86_400

#: On every answer: a cache may give an answer for a program to a page.
OPEN = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
)


class Cors:
    """Wraps the whole application and answers preflights. `OPEN` is for all other answers, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a preflight, or pass a request on."""
        if scope["type"] == ScopeType.HTTP and scope["method"] == "OPTIONS":
            asked = dict(scope["headers"])
            if b"origin" in asked:
                return _permit(asked, send)
        return self._app(scope, receive, send)


async def _permit(asked: dict[bytes, bytes], send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": _permission(asked)})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _permission(asked: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Allow the requested headers by name: `*` does not include `authorization`, and older browsers do not know it."""
    headers = [
        OPEN[0],
        (b"access-control-allow-methods", METHODS.encode()),
        (b"access-control-max-age", b"%d" % MAX_AGE),
        (b"vary", b"access-control-request-headers, access-control-request-private-network"),
    ]
    if wanted := asked.get(b"access-control-request-headers"):
        headers.append((b"access-control-allow-headers", wanted))
    if asked.get(b"access-control-request-private-network") == b"true":
        headers.append((b"access-control-allow-private-network", b"true"))
    return headers
