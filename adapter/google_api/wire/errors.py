"""The body of every error: `google.rpc.Status` as JSON (reference: `gemini-native-routes.md` section 4)."""

import msgspec

_TYPES = "type.googleapis.com/google.rpc."


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True, tag_field="@type", tag=f"{_TYPES}ErrorInfo"):
    """A reason that programs know."""

    reason: str
    domain: str


class FieldViolation(msgspec.Struct, frozen=True):
    """A field that is wrong."""

    field: str
    description: str


class BadRequest(msgspec.Struct, frozen=True, rename="camel", tag_field="@type", tag=f"{_TYPES}BadRequest"):
    """All fields that are wrong."""

    field_violations: tuple[FieldViolation, ...]


class RetryDelay(msgspec.Struct, frozen=True, rename="camel", tag_field="@type", tag=f"{_TYPES}RetryInfo"):
    """When to ask again: seconds with an `s` behind them."""

    retry_delay: str


class QuotaViolation(msgspec.Struct, frozen=True, rename="camel"):
    """A quota that is used up. Google's own ids with `PerDay` in them are not retried by clients."""

    quota_id: str
    description: str


class QuotaFailure(msgspec.Struct, frozen=True, tag_field="@type", tag=f"{_TYPES}QuotaFailure"):
    """All quotas that are used up."""

    violations: tuple[QuotaViolation, ...]


Detail = ErrorInfo | BadRequest | RetryDelay | QuotaFailure


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong. `code` is the HTTP status."""

    code: int
    message: str
    status: str
    details: tuple[Detail, ...] = ()


class StatusBody(msgspec.Struct, frozen=True):
    """The envelope."""

    error: Status
