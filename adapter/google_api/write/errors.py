"""Errors of the one tree into Google's form (reference: `gemini-native-routes.md` section 4)."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from adapter.errors import (
    AdapterError,
    ClientFault,
    ExpiredKey,
    LimitReached,
    MissingKey,
    UpstreamFault,
    UpstreamQuota,
    UpstreamSilent,
    WrongKey,
)
from adapter.google_api.wire.errors import (
    BadRequest,
    Detail,
    ErrorInfo,
    FieldViolation,
    QuotaFailure,
    QuotaViolation,
    RetryDelay,
    Status,
    StatusBody,
)

#: Google's word for each HTTP status (the codes of gRPC). Others of 400 and more are `INVALID_ARGUMENT`.
STATUSES: Final[Mapping[int, str]] = {
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
#: Google's words for a key that is none of its own.
WRONG_KEY: Final = "API key not valid. Please pass a valid API key."
#: An id with `PerDay` tells clients that waiting a minute does not help.
DAILY: Final = "AccountCreditsPerDay"
#: The same for a limit of a client's key.
KEY_LIMIT: Final = "KeyLimitPerDay"
#: Google's words for a key that was valid.
EXPIRED_KEY: Final = "API key expired. Please renew the API key."
#: Seconds to wait where nothing says how many.
USUAL_DELAY: Final = 10.0


def status_of(fault: AdapterError) -> int:
    """Return the HTTP status that Google has for an error.

    Google knows no 401 for keys and no 502. What was spent is a 500 and not a 503, which says that a retry helps.
    """
    match fault:
        case MissingKey():
            return 403
        case WrongKey():
            return 400
        case UpstreamSilent():
            return 504
        case UpstreamFault(status=502):
            return 500 if fault.spent else 503
        case _:
            return fault.status


def status_body(fault: AdapterError) -> StatusBody:
    """Return the body of an error answer."""
    code = status_of(fault)
    message = _message(fault)
    word = STATUSES.get(code, "INVALID_ARGUMENT")
    return StatusBody(Status(code=code, message=message, status=word, details=tuple(_details(fault))))


def status_headers(fault: AdapterError) -> Mapping[str, str]:
    """Return the headers of an error answer."""
    delay = _delay(fault)
    return fault.headers if delay is None else {**fault.headers, "retry-after": str(math.ceil(delay))}


def _details(fault: AdapterError) -> Iterator[Detail]:
    if isinstance(fault, WrongKey) and not isinstance(fault, MissingKey):
        yield ErrorInfo(reason="API_KEY_INVALID", domain="googleapis.com")
    elif isinstance(fault, ClientFault) and fault.param is not None:
        yield BadRequest((FieldViolation(fault.param, fault.message),))
    elif isinstance(fault, UpstreamQuota):
        yield QuotaFailure((QuotaViolation(DAILY, fault.message),))
    elif isinstance(fault, LimitReached):
        yield QuotaFailure((QuotaViolation(KEY_LIMIT, fault.message),))
    if (delay := _delay(fault)) is not None:
        yield RetryDelay(f"{math.ceil(delay)}s")


def _message(fault: AdapterError) -> str:
    match fault:
        case MissingKey():
            return fault.message
        case ExpiredKey():
            return EXPIRED_KEY
        case WrongKey():
            return WRONG_KEY
        case _:
            return fault.message


def _delay(fault: AdapterError) -> float | None:
    """Return how long to wait, in seconds; None if waiting is no advice."""
    if fault.retry_after is not None:
        return fault.retry_after
    return USUAL_DELAY if fault.type == "rate_limit_error" else None
