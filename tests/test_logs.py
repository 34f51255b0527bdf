"""Logs: one line of JSON per event, and no secret in it."""

import logging
from collections.abc import Iterator
from io import StringIO

import msgspec
import pytest
import structlog

from adapter.logs import configure_logs, redact
from adapter.redaction import HIDDEN, fit_for_clients


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What was written, after set-up as off a terminal."""
    stream = StringIO()
    configure_logs(stream)
    yield stream
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("key AIzaSyDUMMYDUMMYDUMMY here", f"key {HIDDEN} here"),
        ("Bearer ya29.a0AfH6SMC", f"Bearer {HIDDEN}"),
        ("token ya29.c.b0Aaek-x_y.z refused", f"token {HIDDEN} refused"),
        ("authorization: bearer abc", f"authorization: bearer {HIDDEN}"),
        ("api_key=abc&x=1", f"api_key={HIDDEN}&x=1"),
        ("sk-live-1234567890", HIDDEN),
        ("SK-LIVE-1234567890", HIDDEN),
        ("AQ.Ab8RN6Idummydummy", HIDDEN),
        ("GOCSPX-dummy_dummy", HIDDEN),
        ("https://g/v1?x=1&KEY=abc", f"https://g/v1?x=1&KEY={HIDDEN}"),
        ("https://g/v1?key=abc&x=1", f"https://g/v1?key={HIDDEN}&x=1"),
        (
            "https://s/a?GoogleAccessId=me&Expires=1&Signature=abc%3D",
            f"https://s/a?GoogleAccessId={HIDDEN}&Expires=1&Signature={HIDDEN}",
        ),
        ("video_12ab is a task-keeper", "video_12ab is a task-keeper"),
    ],
)
def test_secrets_are_blanked_and_the_rest_is_left(text: str, left: str) -> None:
    """Google keys, tokens, our own keys, and what signs a link."""
    assert redact(None, "info", {"event": text}) == {"event": left}


def test_off_a_terminal_a_line_is_json(written: StringIO) -> None:
    """One event, one line, whatever is in it."""
    structlog.get_logger().info("job.finished", error="two\nlines")

    [line] = written.getvalue().splitlines()
    assert msgspec.json.decode(line)["error"] == "two\nlines"


def test_a_traceback_is_redacted_as_well(written: StringIO) -> None:
    """Exception texts of libraries carry URLs."""
    try:
        raise ValueError("GET https://g/?key=topsecret failed")
    except ValueError:
        structlog.get_logger().exception("request.failed")

    assert "topsecret" not in written.getvalue()
    assert "ValueError" in written.getvalue()


def test_libraries_that_print_urls_are_silent(written: StringIO) -> None:
    """Such as httpx, which writes every URL at INFO."""
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


class FullDisk(StringIO):
    """A log that cannot be written to."""

    refused = 0

    def write(self, text: str) -> int:
        self.refused += 1
        raise OSError(28, f"No space left on device for {len(text)} characters")


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    """The poller logs in the middle of paid work."""
    disk = FullDisk()
    configure_logs(disk)
    structlog.get_logger().error("jobs.claim_lost")
    structlog.reset_defaults()

    assert disk.refused > 0


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("Consumer 'api_key:AIzaSyDUMMYDUMMY' has been suspended.", f"Consumer 'api_key:{HIDDEN}' has been suspended."),
        ("Visit https://console.example/?project=12 to retry", f"Visit {HIDDEN} to retry"),
        ("Quota exceeded for project_number:123456789.", f"Quota exceeded for project_number:{HIDDEN}."),
        ("API disabled in project 123456789012.", f"API disabled in project {HIDDEN}."),
        ("The prompt was blocked: 2 dogs, 16:9", "The prompt was blocked: 2 dogs, 16:9"),
    ],
)
def test_an_upstreams_words_lose_keys_addresses_and_projects(words: str, left: str) -> None:
    """Clients read Google's reasons, not the operator's account."""
    assert fit_for_clients(words) == left
