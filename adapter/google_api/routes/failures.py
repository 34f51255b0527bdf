"""Turns every exception below Google's prefix into Google's error form."""

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from adapter.errors import AdapterError, OwnFault, forget_frames
from adapter.google_api.write.errors import status_body, status_headers, status_of
from adapter.openai_api.routes.failures import MISTAKE, fault_of_framework

log = structlog.get_logger()


def answer_status(_: Request[object, object, State], fault: AdapterError) -> Response[bytes]:
    """Answer with an error of our own tree."""
    structlog.contextvars.bind_contextvars(code=fault.code)
    forget_frames(fault)
    return Response(
        msgspec.json.encode(status_body(fault)),
        status_code=status_of(fault),
        media_type=MediaType.JSON,
        headers=dict(status_headers(fault)),
    )


def answer_framework_status(request: Request[object, object, State], error: HTTPException) -> Response[bytes]:
    """Answer with what Litestar found wrong, such as a body that is too large."""
    response = answer_status(request, fault_of_framework(request, error))
    forget_frames(error)
    return response


def answer_mistake(request: Request[object, object, State], error: Exception) -> Response[bytes]:
    """Answer an unexpected exception with a fixed sentence; the log has the details."""
    log.error("request.failed", path=request.scope["path"], exc_info=error)
    forget_frames(error)
    return answer_status(request, OwnFault(MISTAKE))
