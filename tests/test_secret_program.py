"""A program that prints a secret: its limits, and what the log has of it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.errors import SecretUnreadable
from adapter.secret_program import LONGEST_OUTPUT, printed_by

TOKEN = "ya29.a-token-of-google"  # noqa: S105 - of no account


def python(code: str) -> list[str]:
    """Return a program."""
    return [sys.executable, "-c", code]


async def test_what_it_prints_beside_the_secret_is_not_in_our_log(capfd: pytest.CaptureFixture[str]) -> None:
    """A script with `set -x` prints each command to its standard error, with the secrets in it."""
    code = f"import sys; print({TOKEN!r}); print('+ curl {TOKEN}', file=sys.stderr)"

    assert await printed_by(python(code)) == TOKEN
    assert capfd.readouterr().err == ""


async def test_a_program_that_fails_tells_the_operator_why() -> None:
    """The log has the end of its standard error, without secrets. The client hears nothing of it."""
    code = f"import sys; print('bearer {TOKEN}: the session has ended', file=sys.stderr); sys.exit(3)"

    with capture_logs() as logs, pytest.raises(SecretUnreadable) as caught:
        await printed_by(python(code))

    assert [(each["event"], each["error"]) for each in logs] == [
        ("credential.command_failed", "it ended with status 3")
    ]
    assert "the session has ended" in logs[0]["said"]
    assert TOKEN not in str(logs)
    assert "session" not in caught.value.message


async def test_a_program_that_hangs_is_killed_and_named() -> None:
    """The operator sees which program it is."""
    with capture_logs() as logs, pytest.raises(SecretUnreadable):
        await printed_by(python("import time; time.sleep(600)"), seconds=0.2)

    assert logs[0]["error"] == "it was not over after 0.2 seconds"
    assert logs[0]["program"] == sys.executable


async def test_a_program_that_prints_without_end_is_killed() -> None:
    """What it prints is not gathered for the whole of its time."""
    with capture_logs() as logs, pytest.raises(SecretUnreadable):
        await printed_by(python("while True: print('y' * 1000)"))

    assert logs[0]["error"] == f"it printed more than {LONGEST_OUTPUT} bytes"


async def test_much_on_its_standard_error_does_not_stop_it() -> None:
    """A pipe that is not read would block the program when it is full."""
    assert await printed_by(python("import sys; print('e' * 500_000, file=sys.stderr); print('one')")) == "one"


async def test_a_program_ends_with_the_request_that_waits_for_it(tmp_path: Path) -> None:
    """A server that stops leaves no program behind."""
    told = tmp_path / "pid"
    code = f"import os, time, pathlib; pathlib.Path({str(told)!r}).write_text(str(os.getpid())); time.sleep(600)"
    waiting = asyncio.ensure_future(printed_by(python(code)))
    async with asyncio.timeout(20):
        while not (told.exists() and told.read_text()):
            await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
