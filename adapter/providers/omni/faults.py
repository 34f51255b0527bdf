"""What the refusals of the Interactions API mean. Pure (`omni.md` section 3).

The code of an error is a word. Google Cloud may answer in the numeric form of `google.rpc.Status`; both are read.
A word that says that nothing was executed counts only with an HTTP status that says so, too.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from adapter.errors import (
    UNREADABLE_JSON,
    AdapterError,
    ContentRefused,
    InvalidRequest,
    JobFailed,
    UnknownModel,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamForgot,
    UpstreamQuota,
    UpstreamRejected,
)
from adapter.providers import rpc_status
from adapter.providers.omni.wire import WordError
from adapter.providers.reply import Reply, is_text
from adapter.redaction import fit_for_clients

#: Google's judgements of the content.
BLOCKED: Final = frozenset(
    {
        *("safety", "recitation", "language", "prohibited_content", "spii", "blocklist", "content_blocked"),
        *("image_safety", "image_prohibited_content", "image_recitation", "image_other"),
    }
)
#: Statuses with which the API refuses before it executes anything.
REFUSALS: Final = frozenset({400, 401, 402, 403, 404, 409, 413, 416, 429, 501, 503})
#: What is refused because of the adapter's own key.
CREDENTIALS: Final = frozenset({"authentication", "permission_denied"})

CREDENTIAL_WORDS: Final = "Google refused the adapter's own key. The operator has to look at it."

_FAULTS: Final[dict[str, Callable[[str], AdapterError]]] = {
    **dict.fromkeys(("invalid_request", "parameter_unknown", "failed_precondition", "out_of_range"), InvalidRequest),
    **dict.fromkeys(CREDENTIALS, lambda _: UpstreamCredential(CREDENTIAL_WORDS)),
    "payment_required": UpstreamQuota,
    "quota_exceeded": UpstreamQuota,
    "not_found": UpstreamForgot,
    "model_not_found": lambda words: UnknownModel(words, param="model"),
    **dict.fromkeys(
        ("already_exists", "aborted", "rate_limit_exceeded", "too_many_requests", "service_unavailable"), UpstreamBusy
    ),
    "unimplemented": UpstreamRejected,
    **dict.fromkeys(BLOCKED, ContentRefused),
}

#: Google's words for a file that it no longer has, under the status of a missing right (`omni.md` section 3).
FORGOTTEN: Final = re.compile(r"\bFile\b.* may not exist", re.DOTALL)

_decoder = msgspec.json.Decoder(WordError)


class _Envelope(msgspec.Struct, frozen=True):
    error: WordError


_envelope_decoder = msgspec.json.Decoder(_Envelope)


def read_word(reply: Reply) -> WordError | None:
    """Read an error body whose code is a word; None if it is anything else."""
    if not is_text(reply.body):
        return None
    try:
        return _envelope_decoder.decode(reply.body).error
    except UNREADABLE_JSON:
        return None


def fault(reply: Reply) -> AdapterError:
    """Say what it means that a request was not answered with a result.

    Any other status, or a body that cannot be read, leaves open whether the request was executed.
    """
    error = read_word(reply)
    if error is None:
        status = rpc_status.read_status(reply)
        if status is not None and reply.status == 403 and FORGOTTEN.search(status.words):
            return UpstreamForgot(f"Google: {status.words}")
        return rpc_status.fault_of(reply, status)
    words = f"Google: {fit_for_clients(error.message)} ({fit_for_clients(error.code)})"
    if reply.status == 400 and rpc_status.WRONG_PLACE in error.message.lower():
        return rpc_status.wrong_place()
    if reply.status not in REFUSALS:
        return UpstreamBroken(f"Google answered {reply.status}. {words}")
    if reply.status == 403 and FORGOTTEN.search(error.message):
        return UpstreamForgot(words)
    if reply.status in {401, 403} and error.code not in BLOCKED:
        return UpstreamCredential(CREDENTIAL_WORDS)
    return _FAULTS.get(error.code, _by_status(reply.status))(words)


def _by_status(status: int) -> Callable[[str], AdapterError]:
    """Return the fault of a word that is not in the table."""
    match status:
        case 402:
            return UpstreamQuota
        case 404:
            return UpstreamForgot
        case 429 | 503:
            return UpstreamBusy
        case 400 | 416:
            return InvalidRequest
        case _:
            return UpstreamRejected


def failure(error: msgspec.Raw) -> AdapterError | None:
    """Say why an interaction failed, by an error inside of it; None if that cannot be read."""
    try:
        found = _decoder.decode(error)
    except UNREADABLE_JSON:
        return None
    if not found.code and not found.message:
        return None
    words = f"{fit_for_clients(found.message)} ({fit_for_clients(found.code) or 'no code'})"
    if found.code in BLOCKED:
        return ContentRefused(f"Google declined the video: {words}")
    return JobFailed(f"Google could not make the video: {words}")
