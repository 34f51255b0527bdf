"""All errors as one tree. The three branches say whose fault an error is.

::

    AdapterError
    ├── ClientFault                  the request, or what it asks for; no media were made
    │   ├── InvalidRequest           400  a field is missing, malformed or asks for what the model cannot do
    │   ├── WrongKey                 401  the adapter key is not ours
    │   │   ├── MissingKey           401  no adapter key
    │   │   └── ExpiredKey           401  the last day of the adapter key is over
    │   ├── NoAdministrator          403  the adapter key is ours, and opens nothing of the whole server
    │   ├── CostUnknown              403  the key has a budget, and the cost of the request is not known in its currency
    │   ├── UnknownModel             404  no such model
    │   │   └── ModelForbidden       403  the key may not use that model
    │   ├── NotFound                 404  no such path or object
    │   ├── MethodNotAllowed         405  the path is there, for another method
    │   ├── RequestStalled           408  the header or the body does not come, or too slowly
    │   ├── ClientLeft               499  hung up before anything was begun
    │   ├── StillRunning             409  the same request is under way in another process
    │   │   └── Undecided            409  … or may be: that process may be dead
    │   ├── RequestTooLarge          413  the body is longer than limits.body_bytes
    │   ├── HeaderTooLarge           431  the header is longer than limits.header_bytes, or has too many fields
    │   ├── RateLimited              429  too many connections or wrong keys of one address, or requests of one key
    │   ├── LimitReached             429  a limit of the key is used up for the day or month
    │   ├── UnsupportedEncoding      415  the body is compressed in a way that is not taken
    │   ├── RangeNotSatisfiable      416  the range lies outside of the file
    │   └── ContentRefused           400  Google declined the content; its own words are passed on
    ├── UpstreamFault                Google or the way to it
    │   ├── UpstreamUnreachable      502  provably nothing was sent: a retry is free
    │   ├── UpstreamRejected         502  a well-formed refusal that is not the client's doing: nothing was executed
    │   │   ├── UpstreamForgot       502  Google no longer knows what was given to it before
    │   │   └── AccountRefused       502  Google does not let this account do that; another one may
    │   ├── UpstreamCredential       502  our Google credential is wrong or lacks a right: the operator's to mend
    │   ├── UpstreamBusy             429  Google asks to come back later
    │   ├── UpstreamOverloaded       503  Google's model has no capacity at the moment; nothing was executed
    │   ├── UpstreamQuota            429  the account's quota or credits are used up
    │   ├── UpstreamSilent           504  no answer in time: it may have been executed
    │   ├── UpstreamBroken           502  an answer that cannot be read: it may have been executed
    │   ├── NoMedia                  502  a success without a picture or a video in it
    │   └── JobFailed                502  a paid video job ended without a video; raised again as it happened
    └── OwnFault                     this program or its surroundings
        ├── WrongConfiguration       500  found at start; names the key
        ├── SecretUnreadable         500  a credential's file or command gives nothing at the moment
        ├── ServerBusy               503  all memory for large work, or all connections, are taken; nothing was begun
        ├── StorageFailed            503  the database or the media store takes or gives nothing at the moment
        │   └── StorageBusy          503  more wants to be written than the database takes; this was not
        ├── NotReady                 503  the answer of /ready: the code says which store takes nothing, and why
        ├── FileDamaged              500  a stored file is shorter than it was when it was stored
        ├── OutcomeUnknown           500  the process that had this request in its hands died: it may be paid for
        ├── AnswerLost               500  this request was answered before, and the answer is not there any more
        └── Draining                 503  shutting down; ask again and another process answers

A class owns its HTTP status, OpenAI's `type` and `code`, and whether OpenAI's SDKs may send the request again
(`x-should-retry`, which overrides their habit of retrying 408, 409, 429 and 5xx; reference: `openai.md` section 2).
The message of a `ClientFault` or an `UpstreamFault` is written for the client and never carries a credential or a URL;
an `OwnFault` shows its own fixed words.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from enum import StrEnum
from typing import Final, Literal, Self

import msgspec

#: Characters of a message, and how many of the beginning and end are left of a longer one: it repeats what was sent.
LONGEST_MESSAGE: Final = 2000
KEPT_OF_MESSAGE: Final = (300, 1200)
LONGEST_PARAM: Final = 128


class AdapterError(Exception):
    """The root of the tree. It has everything that an error answer needs."""

    status: int = 500
    type: str = "server_error"
    code: str | None = None
    #: False where money may have been spent, True where nothing was, None to leave it to the client's SDK.
    should_retry: bool | None = None
    #: Whether money may have been spent before it happened.
    spent: bool = False
    #: Whether nothing was executed because of the credential, and another credential takes work.
    another_takes_it: bool = False
    #: Whether the message is printed for the operator, whole. It has no words of strangers.
    is_for_operator: bool = False

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, retry_after: float | None = None
    ) -> None:
        self.message = message if self.is_for_operator else _cut(message)
        super().__init__(self.message)
        self.param = None if param is None else param[:LONGEST_PARAM]
        self.code = code or self.code
        #: Seconds; never above 60 on the wire, because OpenAI's SDKs ignore longer ones.
        self.retry_after = retry_after
        #: Further headers that HTTP wants with this answer.
        self.headers: dict[str, str] = {}

    def copy(self) -> Self:
        """Return the same error without its traceback, for an error that is kept or that several readers get."""
        return copy(self)


def reason_of(fault: AdapterError) -> str:
    """Say for the log what went wrong: the message, and what is known of the cause.

    Of foreign exceptions only those that tell the place in a document are repeated: the texts of others hold URLs.
    """
    match fault:
        case UpstreamUnreachable(cause=str() as word):
            return f"{fault.message} ({word})"
        case UpstreamCredential(reason=str() as why):
            return f"{fault.message} ({why})"
        case AdapterError(__cause__=msgspec.DecodeError() as cause):
            return f"{fault.message} ({cause})"
        case AdapterError(__cause__=BaseException() as cause):
            return f"{fault.message} ({type(cause).__name__})"
        case _:
            return fault.message


def forget_frames(error: BaseException) -> None:
    """Remove the traceback frames of an exception and its causes, after it was answered.

    The frames hold request bodies. Some frames hold the exception as well, for example as the result of a task. Such a
    cycle stays in RAM until Python's garbage collector finds it.
    """
    left: list[BaseException | None] = [error]
    while left:
        if (one := left.pop()) is not None:
            left += [one.__cause__, one.__context__]
            one.__traceback__ = one.__cause__ = one.__context__ = None


def _cut(message: str) -> str:
    head, tail = KEPT_OF_MESSAGE
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:head]} … {message[-tail:]}"


class ClientFault(AdapterError):
    """The request cannot be served as it stands."""

    status = 400
    type = "invalid_request_error"
    should_retry: bool | None = False


class InvalidRequest(ClientFault):
    """A field is missing, malformed, or asks for something that the model cannot do."""

    code = "invalid_value"


class UnknownModel(ClientFault):
    """The catalogue has no model of that name."""

    status = 404
    code = "model_not_found"


class WrongKey(ClientFault):
    """The request carries an adapter key that is not ours."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class MissingKey(WrongKey):
    """The request carries no adapter key."""


class NoAdministrator(ClientFault):
    """The adapter key is ours, and no administrator's."""

    status = 403
    code = "insufficient_permissions"


class ExpiredKey(WrongKey):
    """The adapter key was ours until its last day."""

    code = "api_key_expired"


class ModelForbidden(UnknownModel):
    """The key may not use that model. OpenAI answers a project without access to a model so."""

    status = 403


class CostUnknown(ClientFault):
    """The key has a budget, and what the request costs is not known in its currency. Nothing was begun."""

    status = 403
    code = "cost_unknown"


class NotFound(ClientFault):
    """No such path or object."""

    status = 404
    code = "not_found"


class MethodNotAllowed(ClientFault):
    """The path is there, for another method."""

    status = 405
    code = "method_not_allowed"


class RequestTooLarge(ClientFault):
    """The body is longer than this server reads."""

    status = 413
    code = "request_too_large"


class HeaderTooLarge(ClientFault):
    """The header is longer than this server reads, or has too many fields."""

    status = 431
    code = "request_header_too_large"


class RateLimited(ClientFault):
    """One address has too many connections, or sent too many wrong keys; or a key sent too many requests.

    Nothing was begun.
    """

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    should_retry: bool | None = True


class LimitReached(ClientFault):
    """A limit of the key is used up for the day or month: pictures, videos or money. Nothing was begun."""

    status = 429
    type = "insufficient_quota"
    code = "insufficient_quota"


class RequestStalled(ClientFault):
    """The header or the body stopped arriving, or arrives too slowly. Nothing was begun; the connection is closed."""

    status = 408
    code = "request_timeout"
    should_retry: bool | None = True

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.headers = {"connection": "close"}


class ClientLeft(ClientFault):
    """The client hung up before anything was begun. The answer is for the log: nginx logs 499 too."""

    status = 499


class StillRunning(ClientFault):
    """The same request is under way in another process. A retry is free: this request began nothing."""

    status = 409
    code = "request_in_progress"
    should_retry: bool | None = True


class Undecided(StillRunning):
    """An equal request is waited for by the connections of a process that may be dead.

    Its lease runs until `until`, in Unix seconds. If it was renewed by then, the process is alive.
    """

    def __init__(self, process: str, *, until: float) -> None:
        super().__init__("The same request may still be worked on. Ask again shortly.", retry_after=1.0)
        self.process = process
        self.until = until


class UnsupportedEncoding(ClientFault):
    """The body has an encoding that is not supported. The answer names those that are (RFC 9110, section 15.5.16)."""

    status = 415
    code = "unsupported_content_encoding"

    def __init__(self, message: str, taken: str) -> None:
        super().__init__(f"{message} These are: {taken}.")
        self.headers = {"accept-encoding": taken}


class RangeNotSatisfiable(ClientFault):
    """The range lies outside of the file."""

    status = 416
    code = "range_not_satisfiable"


class ContentRefused(ClientFault):
    """Google declined the prompt or the picture. Type and code are those of OpenAI's own moderation."""

    type = "image_generation_user_error"
    code = "moderation_blocked"


class UpstreamFault(AdapterError):
    """Google, or the way to it."""

    status = 502
    should_retry: bool | None = False


#: Why there is no connection, as a word for the log: no such name, no valid certificate, refused, not in time, another
#: error of the network, or no address to connect to. Then the proxy's: its name is not known, its certificate is not
#: valid, it cannot be reached, it refuses user or password, it opens no way to Google, it is no proxy of that kind.
UnreachableCause = Literal[
    "dns",
    "tls",
    "refused",
    "timeout",
    "network",
    "full",
    "address",
    "proxy_dns",
    "proxy_tls",
    "proxy_away",
    "proxy_auth",
    "proxy_denied",
    "proxy_odd",
]


class UpstreamUnreachable(UpstreamFault):
    """Provably nothing was sent: no connection, no free slot in the pool."""

    code = "upstream_unreachable"
    should_retry: bool | None = True

    def __init__(self, message: str, *, cause: UnreachableCause | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class UpstreamRejected(UpstreamFault):
    """Google refused with a well-formed error, for a reason that the client cannot change."""

    code = "upstream_rejected"


class UpstreamLocation(UpstreamFault):
    """Google does not serve the place that this server asks from. Nothing was executed, and no job is at its end."""

    code = "upstream_rejected"


class UpstreamForgot(UpstreamRejected):
    """Google no longer knows what was given to it before, such as an uploaded picture."""

    code = "upstream_not_found"


class AccountRefused(UpstreamRejected):
    """Google does not let this account do that; another account of the operator may."""


class UpstreamCredential(UpstreamFault):
    """Our credential was refused. Never a 401: the client's own key is fine."""

    code = "upstream_auth"

    def __init__(self, message: str, *, reason: str | None = None, is_known: bool = False) -> None:
        super().__init__(message)
        #: What is the matter, for the operator. Clients do not get it.
        self.reason = reason
        #: Whether Google knows the credential, and it lacks a right: then another token does not help.
        self.is_known = is_known


class UpstreamBusy(UpstreamFault):
    """Google's rate limit or a passing overload; nothing was executed."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    should_retry: bool | None = True


class UpstreamOverloaded(UpstreamFault):
    """The model has no capacity at the moment; nothing was executed."""

    status = 503
    code = "upstream_overloaded"
    should_retry: bool | None = True


class UpstreamQuota(UpstreamFault):
    """The account's quota or credits are used up; waiting a minute does not help."""

    status = 429
    type = "insufficient_quota"
    code = "insufficient_quota"


class UpstreamSilent(UpstreamFault):
    """No answer in time. The request may have been executed."""

    status = 504
    code = "upstream_timeout"
    spent = True


class UpstreamBroken(UpstreamFault):
    """A cut connection, a 5xx, or an answer that cannot be read. The request may have been executed."""

    code = "upstream_invalid_response"
    spent = True


class NoMedia(UpstreamFault):
    """Google reports success and sends no media."""

    code = "no_media_generated"
    spent = True


class JobFailed(UpstreamFault):
    """A paid video job ended without a video; `code` says how."""

    code = "video_generation_failed"
    spent = True


class OwnFault(AdapterError):
    """This program or its surroundings. A mistake of ours may happen after the money was spent."""

    code = "internal_error"
    should_retry: bool | None = False


class OutcomeUnknown(OwnFault):
    """The process that worked on this request died, or failed. It may have been paid for."""

    code = "outcome_unknown"
    spent = True


class AnswerLost(OwnFault):
    """This request was answered before, and the answer is not there any more. Nothing is made in its place."""

    code = "answer_lost"
    spent = True


class WrongConfiguration(OwnFault):
    """A setting is missing or wrong. Raised at start; the message names the key."""

    is_for_operator = True


class SecretUnreadable(OwnFault):
    """A credential's file or command gives no usable secret."""

    code = "credential_unreadable"
    should_retry: bool | None = True


class ServerBusy(OwnFault):
    """All memory for large work, or all connections, are taken. Nothing was begun."""

    status = 503
    code = "server_busy"
    should_retry: bool | None = True


class StorageReason(StrEnum):
    """Why a store takes or gives nothing. Part of the codes of `/ready`."""

    FULL = "full"
    READ_ONLY = "read_only"
    LOCKED = "locked"
    #: The file of the database was removed or replaced while the program was running.
    REPLACED = "replaced"
    #: It does not answer in time.
    SLOW = "slow"
    UNAVAILABLE = "unavailable"


class StorageFailed(OwnFault):
    """The database or the media store is locked, full or gone; what it has confirmed before is safe."""

    status = 503
    code = "storage_unavailable"
    should_retry: bool | None = True

    def __init__(
        self,
        message: str,
        *,
        reason: StorageReason = StorageReason.UNAVAILABLE,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        #: Told by `/ready` only.
        self.reason = reason


class StorageBusy(StorageFailed):
    """More wants to be written than the database takes. This was not written, and nothing came of it."""

    code = "storage_busy"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, reason=StorageReason.SLOW, retry_after=retry_after)


class NotReady(OwnFault):
    """No new work should be sent to this process. The code names the store and the reason, such as `media_full`."""

    status = 503
    should_retry: bool | None = True

    def __init__(self, code: str) -> None:
        super().__init__("This server takes no new work at the moment. The code says why.", code=code)


class FileDamaged(OwnFault):
    """A stored file is shorter than it was when it was stored. It is not sent."""

    code = "stored_file_damaged"


class Draining(OwnFault):
    """The process is shutting down. Nothing was lost: a running job goes on and is found again."""

    status = 503
    code = "server_draining"
    should_retry: bool | None = True


#: What msgspec's JSON decoder raises on a foreign body: its own class, text that is not UTF-8, and nesting beyond 1,000
#: levels (measured, `reliability.md` section 0.6).
UNREADABLE_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@contextmanager
def already_paid() -> Iterator[None]:
    """Mark errors inside the block as coming after the money was spent. The client's SDK must not retry them."""
    try:
        yield
    except AdapterError as fault:
        fault.should_retry, fault.spent = False, True
        raise


@contextmanager
def free_of_charge() -> Iterator[None]:
    """Mark errors inside the block as free: the call may be repeated, even if its outcome is unknown."""
    try:
        yield
    except AdapterError as fault:
        if fault.spent:
            fault.should_retry, fault.spent = True, False
        raise


def key_reused() -> InvalidRequest:
    """Return the error for an `Idempotency-Key` that is used again with another request."""
    return InvalidRequest(
        "This Idempotency-Key was used for another request before. Use a new key for a new request.",
        code="idempotency_key_reused",
    )
