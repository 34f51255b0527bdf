"""Errors of the one tree in Google's form."""

import msgspec
import pytest

from adapter.errors import (
    AdapterError,
    Draining,
    InvalidRequest,
    MissingKey,
    NotFound,
    OwnFault,
    RateLimited,
    RequestTooLarge,
    ServerBusy,
    UnknownModel,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamQuota,
    UpstreamSilent,
    UpstreamUnreachable,
    WrongKey,
)
from adapter.google_api.write.errors import status_body, status_headers

RPC = "type.googleapis.com/google.rpc."


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (InvalidRequest("no"), 400, "INVALID_ARGUMENT"),
        (WrongKey("no"), 400, "INVALID_ARGUMENT"),
        (MissingKey("no"), 403, "PERMISSION_DENIED"),
        (UnknownModel("no"), 404, "NOT_FOUND"),
        (NotFound("no"), 404, "NOT_FOUND"),
        (RequestTooLarge("no"), 413, "INVALID_ARGUMENT"),
        (RateLimited("no"), 429, "RESOURCE_EXHAUSTED"),
        (UpstreamBusy("no"), 429, "RESOURCE_EXHAUSTED"),
        (UpstreamQuota("no"), 429, "RESOURCE_EXHAUSTED"),
        (OwnFault("no"), 500, "INTERNAL"),
        (UpstreamBroken("no"), 500, "INTERNAL"),
        (UpstreamUnreachable("no"), 503, "UNAVAILABLE"),
        (UpstreamCredential("no"), 503, "UNAVAILABLE"),
        (ServerBusy("no"), 503, "UNAVAILABLE"),
        (Draining("no"), 503, "UNAVAILABLE"),
        (UpstreamSilent("no"), 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_an_error_has_googles_status(fault: AdapterError, code: int, status: str) -> None:
    """What may be paid for is no 503, which would invite a retry."""
    error = status_body(fault).error

    assert (error.code, error.status) == (code, status)


@pytest.mark.parametrize(
    ("fault", "details"),
    [
        (
            InvalidRequest("no", param="contents"),
            [
                {
                    "@type": f"{RPC}BadRequest",
                    "fieldViolations": [{"field": "contents", "description": "no"}],
                }
            ],
        ),
        (WrongKey("no"), [{"@type": f"{RPC}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]),
        (UpstreamBusy("no", retry_after=33.2), [{"@type": f"{RPC}RetryInfo", "retryDelay": "34s"}]),
        (RateLimited("no"), [{"@type": f"{RPC}RetryInfo", "retryDelay": "10s"}]),
        (
            UpstreamQuota("no"),
            [
                {
                    "@type": f"{RPC}QuotaFailure",
                    "violations": [{"quotaId": "AccountCreditsPerDay", "description": "no"}],
                }
            ],
        ),
        (OwnFault("no"), []),
    ],
)
def test_an_error_has_googles_details(fault: AdapterError, details: object) -> None:
    """As programs read them."""
    assert msgspec.json.decode(msgspec.json.encode(status_body(fault)))["error"]["details"] == details


def test_a_delay_is_a_header_too() -> None:
    """For programs that know HTTP."""
    assert status_headers(UpstreamBusy("no", retry_after=33.2)) == {"retry-after": "34"}
    assert status_headers(OwnFault("no")) == {}
