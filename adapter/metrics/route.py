"""`GET /metrics`, for Prometheus. It has a key of its own: clients' keys do not open it."""

import hmac

from litestar import Request, Response, Router, get
from litestar.datastructures import State

from adapter.domain.ports import Secret
from adapter.errors import MissingKey, WrongKey
from adapter.metrics.page import MetricsPage

#: The text format of Prometheus, which every version reads. The framework adds the charset.
CONTENT_TYPE = "text/plain; version=0.0.4"
BEARER = "bearer"


def metrics_route(page: MetricsPage, key: Secret | None) -> Router:
    """Return the route. Without a key it is open to everyone who reaches the port."""

    @get("/metrics", include_in_schema=False)
    async def read_metrics(request: Request[None, None, State]) -> Response[bytes]:
        """Return the page."""
        if key is not None:
            check_key(request.headers.get("authorization", ""), await key.read())
        return Response(await page.read(), media_type=CONTENT_TYPE)

    return Router("/", route_handlers=[read_metrics])


def check_key(header: str, expected: str) -> None:
    """Compare what a request sends with the key.

    Raises:
        MissingKey: it has no key.
        WrongKey: it has another one.
    """
    kind, _, sent = header.partition(" ")
    if kind.lower() != BEARER or not sent.strip():
        raise MissingKey("The metrics have a key of their own: metrics.key. Send it as 'Authorization: Bearer KEY'.")
    if not hmac.compare_digest(_bytes(sent.strip()), _bytes(expected)):
        raise WrongKey("This is not the key of the metrics (metrics.key).")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
