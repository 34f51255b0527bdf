"""Logs: one line of JSON per event, and no secret in it."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import msgspec
import pytest
import structlog

from adapter.logs import LibraryHandler, configure_logs, redact
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
        ("Authorization: Basic YWRhOmxvdmVsYWNl", f"Authorization: Basic {HIDDEN}"),
        ("authorization: basic adalove", f"authorization: basic {HIDDEN}"),
        ("sent Basic YWRhOmxvdmVsYWNl, refused", f"sent Basic {HIDDEN} refused"),
        ("SID=g.a000abc; HSID=Aq1; SAPISID=x/y", f"SID={HIDDEN}; HSID={HIDDEN}; SAPISID={HIDDEN}"),
        ("__Secure-1PSIDTS=sidts-CjE; NAME=v", f"__Secure-1PSIDTS={HIDDEN}; NAME=v"),
        ("Authorization: SAPISIDHASH 1700000000_abc", f"Authorization: SAPISIDHASH {HIDDEN}"),
        ("refused key=abcdef", f"refused key={HIDDEN}"),
        ("access_token=abc&x=1", f"access_token={HIDDEN}&x=1"),
        ('{"refresh_token": "1//0abc", "x": 1}', f'{{"refresh_token": "{HIDDEN}", "x": 1}}'),
        ("1//0gabcdefghijklmnopq_r", HIDDEN),
        ("client_secret=abc password=def", f"client_secret={HIDDEN} password={HIDDEN}"),
        ("jwt eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln!", f"jwt {HIDDEN}!"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE+/=\n-----END PRIVATE KEY-----\n", f"{HIDDEN}\n"),
        ("video_12ab is a task-keeper", "video_12ab is a task-keeper"),
        ("a basic requirement, a Basic plan. Basic.", "a basic requirement, a Basic plan. Basic."),
        ("the side of a token, a key: 7, beside 1/2", "the side of a token, a key: 7, beside 1/2"),
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


@pytest.mark.parametrize(
    "value",
    [
        "x" * 100_000,
        "\N{GRINNING FACE}" * 5000,
        "\x00" * 5000,
        '"' * 3000,
        ["word " * 10] * 100,
        {"key": {"key": list(range(5000))}},
        10**5000,
        "x" * 1900,
        ["a", 7],
        680,
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_no_field_is_long(written: StringIO, value: object) -> None:
    """What an upstream says has no limit of its own."""
    structlog.get_logger().info("jobs.poll_missed", error=value, jobs=1)

    [line] = written.getvalue().splitlines()
    fields: dict[str, object] = msgspec.json.decode(line)
    assert max(len(json.dumps(field)) for field in fields.values()) <= 2048 + len('""')
    assert fields["jobs"] == 1
    if value in ("x" * 1900, ["a", 7], 680):
        assert fields["error"] == value


def test_a_long_field_keeps_its_beginning_and_its_end(written: StringIO) -> None:
    """A traceback says at its end what happened."""
    structlog.get_logger().info("request.failed", exception="Traceback:" + " frame" * 5000 + " ValueError: no")

    exception = msgspec.json.decode(written.getvalue())["exception"]
    assert exception.startswith("Traceback: frame")
    assert exception.endswith("frame ValueError: no")


def test_a_secret_in_a_list_or_in_a_long_text_is_blanked(written: StringIO) -> None:
    """Wherever the text is cut."""
    for size in range(400, 3000, 50):
        structlog.get_logger().info("x", one=["a", "key=topsecret"], other=" " * size + "ya29.topsecret" + "-" * 5000)

    assert "topsec" not in written.getvalue()


@pytest.mark.parametrize(
    "secret", ["key=topsecret", "Bearer topsecret", "\N{KELVIN SIGN}ey=topsecret", "SID=topsecret"]
)
@pytest.mark.parametrize("field", ["event", "path", "status", "more"])
def test_a_secret_in_any_field_is_blanked_and_the_other_fields_are_left(
    written: StringIO, field: str, secret: str
) -> None:
    """All fields of a line are looked at together."""
    plain: dict[str, object] = {"event": "request.finished", "path": "/v1/ füchse \ud800", "status": 200, "more": 0.5}
    structlog.get_logger().info(**{**plain, field: secret, "nothing": None})

    line: dict[str, object] = json.loads(written.getvalue())
    assert "topsecret" not in str(line.pop(field))
    assert {name: value for name, value in line.items() if name in plain} == {
        name: value for name, value in plain.items() if name != field
    }
    assert "nothing" not in line


def test_libraries_that_print_urls_are_silent(written: StringIO) -> None:
    """Such as httpx, which writes every URL at INFO."""
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


class FullDisk(StringIO):
    """A log that cannot be written to."""

    refused = 0

    def write(self, text: str) -> int:
        self.refused += 1
        raise OSError(28, f"No space left on device for {len(text)} characters")


def test_a_warning_of_a_library_is_a_line_of_our_log(written: StringIO) -> None:
    """As JSON, and without secrets: what collects logs reads every line."""
    logging.getLogger("opentelemetry.exporter").error("Failed: %s", "https://collector/v1?key=abc")
    logging.getLogger("asyncio").info("no news")

    [line] = written.getvalue().splitlines()
    found = json.loads(line)
    assert (found["event"], found["library"], found["level"]) == ("library.warning", "opentelemetry.exporter", "error")
    assert found["message"] == f"Failed: https://collector/v1?key={HIDDEN}"


def test_what_a_library_repeats_is_written_once_a_minute(written: StringIO) -> None:
    """A client could else fill a disk, and a collector of traces that is down would do so by itself."""
    for second in (1.0, 2.0, 59.0, 62.0, 63.0):
        logging.getLogger().handle(warning("no connection", second))
    logging.getLogger().handle(warning("another place", 63.0, line=8))

    said = [json.loads(line)["message"] for line in written.getvalue().splitlines()]
    assert said == ["no connection", "no connection", "another place"]


def warning(words: str, second: float, line: int = 7) -> logging.LogRecord:
    """Return a library's warning, made at a second of a long time ago."""
    record = logging.LogRecord("library", logging.WARNING, "library.py", line, words, (), None)
    record.created = 1_000_000.0 + second
    return record


def test_a_mistake_of_a_library_in_its_own_log_stops_nothing(written: StringIO) -> None:
    """The words are written as they are."""
    record = warning("%d bytes", 1.0)
    record.args = ("many",)
    LibraryHandler().handle(record)

    assert json.loads(written.getvalue())["message"] == "%d bytes"


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
        ("two\r\nlines\tand \x00\x1b[31mred\x7f\x9b", "two lines and red"),
        ("\u202egnp.exe\u2066 \ufeffa\u200bb", "gnp.exe ab"),
        ("AI\u200bza\x00SyDUMMYDUMMY", HIDDEN),
        ("\N{MAN}\u200d\N{WOMAN} café 图片", "\N{MAN}\u200d\N{WOMAN} café 图片"),
        ("Send Authorization: Basic YWRhOmxv or SID=abc", f"Send Authorization: Basic {HIDDEN} or SID={HIDDEN}"),
        ("word " * 100_000, "word " * 200 + " …"),
    ],
)
def test_an_upstreams_words_lose_keys_addresses_and_projects(words: str, left: str) -> None:
    """Clients read Google's reasons, not the operator's account."""
    assert fit_for_clients(words) == left
