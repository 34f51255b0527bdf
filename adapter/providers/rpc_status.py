"""Google's error body, `google.rpc.Status`, and what each means to us.

Source: seed 002 section "错误处理"; `gemini.md` section 3 and `flow.md` section 2 for the details' fields.
Both providers read the reason first and the HTTP code second.
"""

from typing import Annotated

import msgspec

from adapter.errors import (
    UNREADABLE_JSON,
    AdapterError,
    InvalidRequest,
    UnknownModel,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamQuota,
)
from adapter.providers.reply import Reply
from adapter.redaction import fit_for_clients

#: The statuses with which Google says that it did nothing.
REFUSALS = frozenset({400, 401, 402, 403, 404, 413, 429})


class FieldViolation(msgspec.Struct, frozen=True):
    """`google.rpc.BadRequest.FieldViolation`."""

    field: str | None = None


class QuotaViolation(msgspec.Struct, frozen=True, rename="camel"):
    """`google.rpc.QuotaFailure.Violation`."""

    quota_id: str | None = None


class Detail(msgspec.Struct, frozen=True, rename="camel"):
    """Any of ErrorInfo, BadRequest, QuotaFailure and RetryInfo: the fields do not collide."""

    reason: str | None = None
    retry_delay: str | float | None = None
    field_violations: tuple[FieldViolation, ...] | None = None
    violations: tuple[QuotaViolation, ...] | None = None


class Status(msgspec.Struct, frozen=True):
    """`google.rpc.Status` in its JSON form."""

    #: The Interactions API writes a word here, everything else a number.
    code: int | str | None = None
    message: str | None = None
    details: tuple[Detail, ...] | None = None

    @property
    def words(self) -> str:
        """Google's message, fit for a client."""
        return fit_for_clients(self.message or "")

    @property
    def reason(self) -> str:
        """The machine-readable reason, such as `API_KEY_INVALID` or `PUBLIC_ERROR_UNSAFE_GENERATION`."""
        return next((detail.reason for detail in self.details or () if detail.reason), "")

    @property
    def field(self) -> str | None:
        """The field that Google complains about."""
        violations = [bad for detail in self.details or () for bad in detail.field_violations or ()]
        return next((bad.field for bad in violations if bad.field), None)

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, from `RetryInfo.retryDelay` ("34.4s")."""
        for detail in self.details or ():
            digits = str(detail.retry_delay).removesuffix("s")
            if digits.replace(".", "", 1).isdigit():
                return float(digits)
        return None

    @property
    def is_daily(self) -> bool:
        """Whether a quota that renews by the day is used up."""
        return any(
            "PerDay" in (each.quota_id or "") for detail in self.details or () for each in detail.violations or ()
        )


class _Envelope(msgspec.Struct, frozen=True):
    error: Status


_Envelopes = Annotated[list[_Envelope], msgspec.Meta(min_length=1)]
_decoder = msgspec.json.Decoder(_Envelope | _Envelopes)


def read_status(reply: Reply) -> Status | None:
    """Read an error body: an object, or a list of one as streams send it; None if it is neither."""
    try:
        found = _decoder.decode(reply.body)
    except UNREADABLE_JSON:
        return None
    return found.error if isinstance(found, _Envelope) else found[0].error


def fault_of(reply: Reply, status: Status | None) -> AdapterError:
    """Say what a refusal means to our client.

    Any other status, or a body that cannot be read, leaves open whether the request was executed.
    """
    if status is None or reply.status not in REFUSALS:
        return UpstreamBroken(f"Google answered {reply.status} and nothing that can be relied on.")
    if status.reason.startswith("API_KEY_") or reply.status in {401, 403}:
        return UpstreamCredential("Google refused the adapter's own credential. The operator has to look at it.")
    match reply.status:
        case 402:
            return UpstreamQuota("The Google account behind this model has no credit left.")
        case 404:
            return UnknownModel(f"Google: {status.words}", param="model")
        case 429 if status.is_daily:
            return UpstreamQuota(f"Google: {status.words}")
        case 429:
            return UpstreamBusy(f"Google: {status.words}", retry_after=status.retry_after)
        case _:
            return InvalidRequest(f"Google: {status.words}", param=status.field)
