"""Translates an error to OpenAI's form: body and headers."""

import math

from adapter.errors import AdapterError
from adapter.openai_api.wire.errors import ErrorBody, ErrorEvent, ErrorObject

#: OpenAI's SDKs differ on longer ones: Python waits or gives up, Node retries at once (`openai.md` section 2).
MAX_RETRY_AFTER = 60


def error_body(fault: AdapterError) -> ErrorBody:
    """Return the body of an error answer."""
    return ErrorBody(error=_object(fault))


def error_event(fault: AdapterError) -> ErrorEvent:
    """Return the error event of a stream of named events."""
    return ErrorEvent(error=_object(fault))


def _object(fault: AdapterError) -> ErrorObject:
    return ErrorObject(message=fault.message, type=fault.type, param=fault.param, code=fault.code)


def error_headers(fault: AdapterError) -> dict[str, str]:
    """Return the headers by which the client's SDK decides about a retry."""
    headers = dict(fault.headers)
    if fault.status == 401:
        headers["www-authenticate"] = "Bearer"
    if fault.should_retry is not None:
        headers["x-should-retry"] = "true" if fault.should_retry else "false"
    if fault.retry_after is not None:
        headers["retry-after"] = str(min(math.ceil(fault.retry_after), MAX_RETRY_AFTER))
    elif fault.type == "rate_limit_error":
        headers["retry-after"] = "10"
    return headers
