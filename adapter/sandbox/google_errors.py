"""Refusals in Google's words: `google.rpc.Status` bodies, as the references quote them.

`{"error": {"code", "message", "status", "details": [{"@type", ...}]}}` (`gemini.md` section 3, `flow.md` section 2).
"""

from typing import Final

import msgspec
from litestar import Response

RPC = "type.googleapis.com/google.rpc."

STATUS_NAMES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
MESSAGES: Final = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials.",
    403: "The caller does not have permission",
    404: "Requested entity was not found.",
    429: "Resource has been exhausted (e.g. check quota).",
    500: "Internal error encountered.",
    503: "The model is overloaded. Please try again later.",
    504: "Deadline expired before operation could complete.",
}


class ErrorInfo(msgspec.Struct, frozen=True, tag_field="@type", tag=f"{RPC}ErrorInfo", omit_defaults=True):
    """The machine-readable reason, such as API_KEY_INVALID or PUBLIC_ERROR_UNSAFE_GENERATION."""

    reason: str
    domain: str = ""
    metadata: dict[str, str] = {}


class FieldViolation(msgspec.Struct, frozen=True):
    """One field that was wrong, by its path in proto names."""

    field: str
    description: str


class BadRequest(
    msgspec.Struct,
    frozen=True,
    tag_field="@type",
    tag=f"{RPC}BadRequest",
    rename={"field_violations": "fieldViolations"},
):
    """All fields that were wrong."""

    field_violations: tuple[FieldViolation, ...]


class RetryInfo(
    msgspec.Struct, frozen=True, tag_field="@type", tag=f"{RPC}RetryInfo", rename={"retry_delay": "retryDelay"}
):
    """When to come again, as "34s"."""

    retry_delay: str


Detail = ErrorInfo | BadRequest | RetryInfo


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """`google.rpc.Status` as the HTTP gateway writes it."""

    code: int
    message: str
    status: str
    details: tuple[Detail, ...] = ()


class ErrorBody(msgspec.Struct, frozen=True):
    """The whole body of an error answer."""

    error: Status


class GoogleError(Exception):
    """A refusal of the emulated upstream; an empty message becomes Google's usual one for the code."""

    def __init__(self, code: int, message: str = "", *details: Detail) -> None:
        super().__init__(message)
        self.status = Status(
            code=code,
            message=message or MESSAGES.get(code, "Unknown error."),
            status=STATUS_NAMES.get(code, "UNKNOWN"),
            details=details,
        )

    def response(self) -> Response[bytes]:
        """Return the refusal as it goes over the wire."""
        return Response(
            msgspec.json.encode(ErrorBody(self.status)),
            status_code=self.status.code,
            media_type="application/json; charset=UTF-8",
        )


def bad_fields(*violations: FieldViolation) -> GoogleError:
    """Return a 400 whose message is the violations' descriptions, one per line, as the gateway writes it."""
    return GoogleError(400, "\n".join(violation.description for violation in violations), BadRequest(violations))


def unknown_names(*names: tuple[str, str]) -> GoogleError:
    """Return a 400 for fields that are not there; each is a path in proto names and the name as it was sent."""
    return bad_fields(*(unknown_name(path, name) for path, name in names))


def unknown_name(path: str, name: str) -> FieldViolation:
    """Return what is said of a field that is not there."""
    place = f" at '{path}'" if path else ""
    return FieldViolation(path, f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.')


def bad_value(field: str, why: str) -> GoogleError:
    """Return a 400 for one field whose value is wrong; `field` is its path in proto names."""
    return bad_fields(FieldViolation(field, f"Invalid value at '{field}': {why}"))


def flow_refusal(code: int, reason: str) -> GoogleError:
    """Return a refusal with one of Flow's PUBLIC_ERROR_* reasons (`flow.md` section 2, table of errors)."""
    return GoogleError(code, "", ErrorInfo(reason))
