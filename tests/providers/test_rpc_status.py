"""Google's error bodies and what each means to a client."""

import msgspec
import pytest

from adapter.errors import (
    AdapterError,
    InvalidRequest,
    UnknownModel,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamLocation,
    UpstreamQuota,
)
from adapter.providers.reply import Reply
from adapter.providers.rpc_status import fault_of, read_status

INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def google(code: int, status: str, message: str = "words", details: list[dict[str, object]] | None = None) -> Reply:
    """Return an error as Google sends it (`gemini.md` section 3)."""
    error = {"code": code, "status": status, "message": message, "details": details or []}
    return Reply(code, msgspec.json.encode({"error": error}))


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (google(400, "INVALID_ARGUMENT"), InvalidRequest),
        (google(400, "INVALID_ARGUMENT", details=[{"@type": INFO, "reason": "API_KEY_INVALID"}]), UpstreamCredential),
        (google(400, "FAILED_PRECONDITION"), InvalidRequest),
        (google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), UpstreamLocation),
        (google(401, "UNAUTHENTICATED"), UpstreamCredential),
        (google(402, ""), UpstreamQuota),
        (google(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), UpstreamCredential),
        (google(404, "NOT_FOUND"), UnknownModel),
        (google(408, "DEADLINE_EXCEEDED"), UpstreamBroken),
        (google(409, "ABORTED"), UpstreamBroken),
        (google(499, "CANCELLED"), UpstreamBroken),
        (google(429, "RESOURCE_EXHAUSTED"), UpstreamBusy),
        (google(500, "INTERNAL"), UpstreamBroken),
        (google(503, "UNAVAILABLE"), UpstreamBroken),
        (Reply(400, b"<html>"), UpstreamBroken),
        (Reply(400, b""), UpstreamBroken),
        (Reply(429, b'{"error": '), UpstreamBroken),
        (Reply(302, b""), UpstreamBroken),
        (Reply(400, b'{"error": {"message": "\xff"}}'), UpstreamBroken),
    ],
)
def test_each_answer_means_one_thing(reply: Reply, fault: type[AdapterError]) -> None:
    """Well-formed refusals are refusals; whatever cannot be read may have been executed."""
    assert type(fault_of(reply, read_status(reply))) is fault


def test_an_upstream_credential_is_never_the_clients_fault() -> None:
    """502, and not a word of Google's about keys."""
    reply = google(403, "PERMISSION_DENIED", "Your API key AIzaSyLeaked was reported as leaked.")
    fault = fault_of(reply, read_status(reply))

    assert fault.status == 502
    assert "AIza" not in fault.message


def test_the_field_that_google_names_is_passed_on() -> None:
    """`param` comes from BadRequest."""
    violation: dict[str, object] = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": "seed"}],
    }
    reply = google(400, "INVALID_ARGUMENT", "Seed is odd", [violation])
    fault = fault_of(reply, read_status(reply))

    assert (fault.message, fault.param) == ("Google: Seed is odd", "seed")


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        ("34.4s", 34.4),
        ("3600s", 3600.0),
        ("0s", 0.0),
        (7, 7.0),
        ("soon", None),
        (None, None),
        ("²s", None),
        ("٣s", None),
        ("1.2.3s", None),
        ("-1s", None),
        (-1, None),
        ("1e3s", None),
        ("9" * 400 + "s", None),
        (10**400, None),
        ("99999999999s", None),
        ([1], None),
        ({"seconds": 3}, None),
    ],
)
def test_the_wait_comes_from_retry_info(delay: object, seconds: float | None) -> None:
    """As Google says it; what a client is told is the other shore's business."""
    reply = google(429, "RESOURCE_EXHAUSTED", details=[{"retryDelay": delay}])

    assert fault_of(reply, read_status(reply)).retry_after == seconds


def test_a_daily_quota_is_no_matter_of_waiting() -> None:
    """OpenAI's word for it stops the SDK's retries."""
    violations: list[object] = [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]
    reply = google(429, "RESOURCE_EXHAUSTED", details=[{"violations": violations}])
    fault = fault_of(reply, read_status(reply))

    assert (type(fault), fault.code, fault.should_retry) == (UpstreamQuota, "insufficient_quota", False)


def test_fields_that_are_null_make_no_error_unreadable() -> None:
    """A clear 429 stays one."""
    body = b'{"error": {"code": 429, "message": null, "details": [{"reason": null, "violations": null}, {}]}}'

    assert isinstance(fault_of(Reply(429, body), read_status(Reply(429, body))), UpstreamBusy)


def test_an_error_in_a_list_of_one_is_read() -> None:
    """Streams and Google's OpenAI layer wrap it so."""
    status = read_status(Reply(400, b'[{"error": {"code": 400, "message": "words", "status": "INVALID_ARGUMENT"}}]'))

    assert status is not None
    assert status.words == "words"


@pytest.mark.parametrize(
    "details",
    [
        [{"retryDelay": "²s"}],
        [{"retryDelay": {"seconds": 1}}],
        [{"reason": 7, "violations": "many"}],
        ["words", 1, None, [], True],
        {"reason": "X"},
        "words",
        7,
        [{"fieldViolations": [{"field": ["seed"]}]}],
        [{"violations": [None]}],
    ],
)
@pytest.mark.parametrize("message", ["words", 7, None, ["words"], {"text": "words"}])
def test_odd_members_do_not_make_a_refusal_an_unknown_outcome(details: object, message: object) -> None:
    """A video whose 429 has an odd detail was not executed."""
    body = msgspec.json.encode({"error": {"code": 429, "message": message, "details": details}})

    assert isinstance(fault_of(Reply(429, body), read_status(Reply(429, body))), UpstreamBusy)


def test_an_odd_detail_leaves_the_others_readable() -> None:
    """Each is read by itself."""
    details = [{"reason": 7}, "words", {"reason": "RATE_LIMIT_EXCEEDED"}, {"retryDelay": "²s"}, {"retryDelay": "3s"}]
    status = read_status(Reply(429, msgspec.json.encode({"error": {"details": details}})))

    assert status is not None
    assert (status.reason, status.retry_after) == ("RATE_LIMIT_EXCEEDED", 3.0)


ODD = "\x1b[31mBasic YWRhOmxv\u202e and key=abc \x00" + "x" * 5000


def test_what_google_says_reaches_clients_as_plain_words() -> None:
    """Without control characters and credentials, and not without end."""
    violation: dict[str, object] = {"fieldViolations": [{"field": ODD}]}
    reply = google(400, "INVALID_ARGUMENT", ODD, [{"reason": ODD}, violation])
    status = read_status(reply)
    assert status is not None
    told = fault_of(reply, status)

    for text in (status.words, status.field or "", status.reason, told.message, told.param or ""):
        assert all(character.isprintable() for character in text)
        assert "YWRh" not in text
        assert "abc" not in text
        assert len(text) < 1100
    assert told.message.startswith("Google: Basic [hidden] and key=[hidden] xxx")
    assert status.reason == ""
