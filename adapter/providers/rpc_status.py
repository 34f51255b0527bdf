"""Google's error body, `google.rpc.Status`, and what each means to us.

Source: seed 002 section "错误处理"; `gemini.md` section 3 and `flow.md` section 2 for the details' fields.
Both providers read the reason first and the HTTP code second.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final, TypeVar

import msgspec

from adapter.domain.numbers import decimal_number
from adapter.errors import (
    UNREADABLE_JSON,
    AdapterError,
    InvalidRequest,
    UnknownModel,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamLocation,
    UpstreamQuota,
)
from adapter.providers.reply import Reply, is_text
from adapter.redaction import fit_for_clients

#: The statuses with which Google says that it did nothing.
REFUSALS = frozenset({400, 401, 402, 403, 404, 413, 429})


#: What Google refuses to a credential that it knows, for the operator (`google-cloud.md` section 3).
DENIALS: Final[Mapping[str, str]] = {
    "SERVICE_DISABLED": "the API is not enabled in the project: `gcloud services enable aiplatform.googleapis.com`",
    "IAM_PERMISSION_DENIED": "the account lacks a right in the project; the role roles/aiplatform.user has it",
    "BILLING_DISABLED": "the project has no billing account",
    "CONSUMER_INVALID": "the project is not there, or is switched off",
    "USER_PROJECT_DENIED": (
        "the account may not have its calls counted for the quota project; the role "
        "roles/serviceusage.serviceUsageConsumer lets it"
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "the token was made without the scope cloud-platform",
}

#: In Google's words for a request from a place that it does not serve. The status is 400 (`gemini.md` section 3).
WRONG_PLACE: Final = "location is not supported"

#: Longest wait that Google may ask for, in seconds; anything above is no wait that we can make sense of.
LONGEST_DELAY = 366 * 24 * 3600.0


class FieldViolation(msgspec.Struct, frozen=True):
    """`google.rpc.BadRequest.FieldViolation`."""

    field: str = ""


class QuotaViolation(msgspec.Struct, frozen=True, rename="camel"):
    """`google.rpc.QuotaFailure.Violation`."""

    quota_id: str = ""


class ErrorInfo(msgspec.Struct, frozen=True):
    """`google.rpc.ErrorInfo`."""

    reason: Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[\w.-]*\Z")] = ""


class BadRequest(msgspec.Struct, frozen=True, rename="camel"):
    """`google.rpc.BadRequest`."""

    field_violations: tuple[FieldViolation, ...] = ()


class QuotaFailure(msgspec.Struct, frozen=True):
    """`google.rpc.QuotaFailure`."""

    violations: tuple[QuotaViolation, ...] = ()


class RetryDelay(msgspec.Struct, frozen=True, rename="camel"):
    """`google.rpc.RetryInfo`: "34.4s", or a number."""

    retry_delay: str | float = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What we read of a `google.rpc.Status`."""

    #: Google's message, fit for a client.
    words: str = ""
    #: The machine-readable reason, such as `API_KEY_INVALID` or `PUBLIC_ERROR_UNSAFE_GENERATION`.
    reason: str = ""
    #: The field that Google complains about.
    field: str | None = None
    #: Seconds to wait.
    retry_after: float | None = None
    #: Whether a quota that renews by the day is used up.
    is_daily: bool = False


class _Body(msgspec.Struct, frozen=True):
    """`google.rpc.Status` in its JSON form. Each member is read by itself, so that an odd one costs only itself."""

    message: msgspec.Raw = msgspec.Raw()
    details: msgspec.Raw = msgspec.Raw()


class _Envelope(msgspec.Struct, frozen=True):
    error: _Body


#: An error has a few; each is read as each kind.
_Details = Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=100)]
_Envelopes = Annotated[list[_Envelope], msgspec.Meta(min_length=1, max_length=100)]
_decoder = msgspec.json.Decoder(_Envelope | _Envelopes)
_T = TypeVar("_T")


def read_status(reply: Reply) -> Status | None:
    """Read an error body: an object, or a list of one as streams send it; None if it is neither."""
    if not is_text(reply.body):
        return None
    try:
        found = _decoder.decode(reply.body)
    except UNREADABLE_JSON:
        return None
    body = found.error if isinstance(found, _Envelope) else found[0].error
    details = _read(body.details, _Details) or ()
    fields = (bad.field for each in _each(details, BadRequest) for bad in each.field_violations)
    quotas = (bad.quota_id for each in _each(details, QuotaFailure) for bad in each.violations)
    delays = (_seconds(each.retry_delay) for each in _each(details, RetryDelay))
    return Status(
        words=fit_for_clients(_read(body.message, str) or ""),
        reason=next((each.reason for each in _each(details, ErrorInfo) if each.reason), ""),
        field=next(filter(None, map(fit_for_clients, fields)), None),
        retry_after=next((seconds for seconds in delays if seconds is not None), None),
        is_daily=any("PerDay" in quota for quota in quotas),
    )


def _read(raw: msgspec.Raw, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except UNREADABLE_JSON:
        return None


def _each(details: Iterable[msgspec.Raw], kind: type[_T]) -> Iterator[_T]:
    """Yield the details that can be read as one kind. The fields of the kinds do not collide."""
    return (found for found in (_read(detail, kind) for detail in details) if found is not None)


def _seconds(told: str | float) -> float | None:
    if isinstance(told, str):
        return decimal_number(told.removesuffix("s"), most=LONGEST_DELAY)
    return told if 0 <= told <= LONGEST_DELAY else None


def wrong_place() -> UpstreamLocation:
    """Return the fault of a request from a place that Google does not serve."""
    return UpstreamLocation(
        "Google does not serve the place that the adapter asks from. The operator has to look at it: the setting "
        "`proxy` of the provider leads by another place."
    )


def fault_of(reply: Reply, status: Status | None) -> AdapterError:
    """Say what a refusal means to our client.

    Any other status, or a body that cannot be read, leaves open whether the request was executed.
    """
    if status is None or reply.status not in REFUSALS:
        return UpstreamBroken(f"Google answered {reply.status} and nothing that can be relied on.")
    if reply.status == 400 and WRONG_PLACE in status.words.lower():
        return wrong_place()
    if status.reason.startswith("API_KEY_") or reply.status in {401, 403}:
        return _refused_credential(status)
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


def _refused_credential(status: Status) -> UpstreamCredential:
    why = DENIALS.get(status.reason)
    return UpstreamCredential(
        "Google refused the adapter's own credential. The operator has to look at it.",
        reason=f"{status.reason}: {why}" if why else status.reason or None,
        is_known=why is not None,
    )
