"""Refusals of the Interactions API: the code is a word, without `status` and `details` (`omni.md` section 3)."""

from typing import Final

import msgspec
from litestar import Response

from adapter.sandbox.google_errors import GoogleError

WORDS: Final = {
    400: "invalid_request",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    409: "aborted",
    416: "out_of_range",
    429: "rate_limit_exceeded",
    499: "cancelled",
    500: "api_error",
    501: "unimplemented",
    503: "service_unavailable",
    504: "deadline_exceeded",
}


class Refusal(msgspec.Struct, frozen=True):
    """What is said of a request, or of a generation."""

    code: str
    message: str


class RefusalBody(msgspec.Struct, frozen=True):
    """The whole body."""

    error: Refusal


class InteractionError(Exception):
    """A refusal by an HTTP status and a word; without one, the status' usual word."""

    def __init__(self, status: int, message: str, word: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.refusal = Refusal(word or WORDS.get(status, "api_error"), message)

    def response(self) -> Response[bytes]:
        """Return the refusal as it goes over the wire."""
        body = msgspec.json.encode(RefusalBody(self.refusal))
        return Response(body, status_code=self.status, media_type="application/json; charset=UTF-8")


def in_words(error: GoogleError) -> InteractionError:
    """Return a refusal of the numeric form in this one; a scripted fault's reason is the word."""
    reason = next((detail.reason for detail in error.status.details if hasattr(detail, "reason")), "")
    return InteractionError(error.status.code, error.status.message, reason)
