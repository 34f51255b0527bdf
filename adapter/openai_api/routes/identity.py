"""The identity of a request, and the header of a replayed answer."""

from collections.abc import Mapping

from adapter.domain.executions import RequestIdentity
from adapter.domain.image_job import ImageJob
from adapter.generation.admission import Waiting
from adapter.generation.execution import ResultHandle
from adapter.generation.orders import MediaCall
from adapter.openai_api.read.retries import read_retry_info, read_route
from adapter.openai_api.routes.reservation import RequestConnection
from adapter.openai_api.routes.services import OwnedRequest, Services

REPLAYED = {"idempotent-replayed": "true"}


def media_call(request: OwnedRequest, services: Services, content: str, route: str | None = None) -> MediaCall:
    """Return the identity of a request with that content, and its connection. Without a route its path is the route.

    Raises:
        InvalidRequest: its `Idempotency-Key` is not valid.
    """
    repeat, principal = read_retry_info(request.headers), request.auth
    identity = RequestIdentity(
        owner=principal.owner,
        route=route or read_route(request.scope["path"]),
        content=content,
        repeat=repeat,
        key=principal.key,
        allowance=principal.allowance,
    )
    return MediaCall(identity, RequestConnection(request, services))


def replay_headers(handle: ResultHandle | Waiting[ImageJob]) -> Mapping[str, str]:
    """Return the header of an answer that was given before."""
    return REPLAYED if handle.is_replay else {}
