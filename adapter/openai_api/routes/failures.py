"""Turns every exception, also the framework's own, into OpenAI's error form."""

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from adapter.errors import (
    AdapterError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    OwnFault,
    RequestTooLarge,
    forget_frames,
)
from adapter.openai_api.write.errors import error_body, error_headers

log = structlog.get_logger()

MISTAKE = "The server made a mistake. It was written down."


def answer_fault(_: Request[object, object, State], fault: AdapterError) -> Response[bytes]:
    """Answer with an error of our own tree."""
    structlog.contextvars.bind_contextvars(code=fault.code)
    forget_frames(fault)
    return Response(
        msgspec.json.encode(error_body(fault)),
        status_code=fault.status,
        media_type=MediaType.JSON,
        headers=error_headers(fault),
    )


def answer_framework(request: Request[object, object, State], error: HTTPException) -> Response[bytes]:
    """Answer with what Litestar found wrong, such as an unknown path or a body that is too large."""
    response = answer_fault(request, fault_of_framework(request, error))
    forget_frames(error)
    response.headers.update(error.headers or {})
    if allowed := response.headers.get("allow"):
        response.headers["allow"] = _with_head(allowed)
    return response


def _with_head(allowed: str) -> str:
    """Return the methods of a path: HEAD goes wherever GET does, which the framework does not know (`head.py`)."""
    methods = {method.strip() for method in allowed.split(",")}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def answer_anything(request: Request[object, object, State], error: Exception) -> Response[bytes]:
    """Answer an unexpected exception with a fixed sentence; the log has the details."""
    log.error("request.failed", path=request.scope["path"], exc_info=error)
    forget_frames(error)
    return answer_fault(request, OwnFault(MISTAKE))


def fault_of_framework(request: Request[object, object, State], error: HTTPException) -> AdapterError:
    """Say in OpenAI's words what Litestar said in its own."""
    # Not `request.url`: it is put together from the Host header, and a broken one raises.
    path = request.scope["path"]
    match error.status_code:
        case 404:
            return NotFound(f"Unknown request URL: {request.method} {path}.", code="unknown_url")
        case 405:
            return MethodNotAllowed(f"Not allowed to {request.method} on {path}.")
        case 413:
            return RequestTooLarge("The request body is too large.")
        case status if status >= 500:
            return OwnFault(MISTAKE)
        case _:
            return InvalidRequest(error.detail or "The request cannot be read.", code="bad_request")
