"""Secrets by reference: where they are, how they change, and what is said when they are not there."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from adapter.credentials import AGAIN_SECONDS, EARLY_SECONDS, FAILED_SECONDS, CommandSecret, FileSecret, secret
from adapter.errors import SecretUnreadable, WrongConfiguration


async def test_a_secret_of_the_environment() -> None:
    """Read at the start."""
    assert await secret("env:TOKEN", key="k", environ={"TOKEN": "s3cret"}).read() == "s3cret"


async def test_a_secret_in_a_file_follows_the_file(tmp_path: Path) -> None:
    """Mounted secrets are replaced while we run."""
    file = tmp_path / "token"
    file.write_text("one\n")
    token = secret(f"file:{file}", key="k")
    assert await token.read() == "one"

    file.write_text("two\n")
    os.utime(file, ns=(0, 1))

    assert await token.read() == "two"


async def test_a_file_that_stays_empty_takes_the_secret_back(tmp_path: Path) -> None:
    """For a moment it may be on its way to a new one; after that it counts."""
    now = 100.0
    file = tmp_path / "token"
    file.write_text("one")
    token = FileSecret(file, clock=lambda: now)
    await token.read()
    file.write_text("")
    now += 4.9
    assert await token.read() == "one"

    now += 0.2

    with pytest.raises(SecretUnreadable):
        await token.read()


async def test_a_file_that_is_gone_is_the_operators_to_mend(tmp_path: Path) -> None:
    """The client is told that it is not its fault; the path stays inside."""
    file = tmp_path / "token"
    file.write_text("one")
    token = secret(f"file:{file}", key="k")
    file.unlink()

    with pytest.raises(SecretUnreadable) as caught:
        await token.read()
    assert str(tmp_path) not in caught.value.message


async def test_a_secret_that_a_program_prints(tmp_path: Path) -> None:
    """Run once, and again when it was refused."""
    script = tmp_path / "token.py"
    script.write_text("import time; print(time.monotonic_ns())")
    token = secret(f"cmd:{sys.executable} {script}", key="k")
    first = await token.read()

    assert await token.read() == first
    assert await token.renew() != first


@pytest.mark.parametrize("command", ["/no/such/program", f"{sys.executable} -c 1/0", f"{sys.executable} -c pass"])
async def test_a_program_that_fails_is_the_operators_to_mend(command: str) -> None:
    """Missing, crashing, or printing nothing."""
    with pytest.raises(SecretUnreadable):
        await secret(f"cmd:{command} 2>/dev/null", key="k").read()


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("env:MISSING", "k: the environment variable MISSING is not set"),
        ("file:/no/such/file", "k: the file /no/such/file is not there"),
        ("AIzaSyARealKeyInTheFile", "k: a secret is given as env:NAME"),
        ("", "k: a secret is given as"),
        ("plain:", "k: a secret is given as"),
        ("cmd:foo 'bar", "k: the command cannot be read"),
        ("cmd: ", "k: a secret is given as"),
        ("plain:two words", "k: the secret is empty, or has blanks"),
        ("plain:schlüssel…", "k: the secret is empty, or has blanks"),
    ],
)
def test_a_reference_that_leads_nowhere_stops_the_start(reference: str, says: str) -> None:
    """The key is named; a secret that was written into the file by mistake is not repeated."""
    with pytest.raises(WrongConfiguration, match=says) as caught:
        secret(reference, key="k", environ={})
    assert "AIza" not in caught.value.message


class Printer:
    """A program that prints what it is told, and how often it was run."""

    def __init__(self, folder: Path) -> None:
        self._text, self._runs = folder / "text", folder / "runs"
        self._script = folder / "printer.py"
        self._script.write_text(
            f"from pathlib import Path\nruns = Path({str(self._runs)!r})\n"
            "runs.write_text(runs.read_text() + '.' if runs.exists() else '.')\n"
            f"print(Path({str(self._text)!r}).read_text())\n"
        )
        self.at = 1_000_000.0

    def opened(self) -> CommandSecret:
        """Return the secret that it prints."""
        return CommandSecret([sys.executable, str(self._script)], clock=lambda: self.at)

    def prints(self, text: str) -> None:
        """Let it print something from now on."""
        self._text.write_text(text)

    @property
    def runs(self) -> int:
        """How often it was run."""
        return len(self._runs.read_text())


@pytest.mark.parametrize(
    "token",
    [
        '{"access_token": "one", "expires_in": 3600, "token_type": "Bearer"}',
        '{"access_token": "one", "expires": "1970-01-12T14:46:40.000Z", "user": {"name": "ada"}}',
    ],
    ids=["OAuth", "Flow"],
)
async def test_a_token_whose_end_is_told_is_renewed_before_it(tmp_path: Path, token: str) -> None:
    """Once, whoever asks meanwhile: readers beside the program's run have the old token, which is valid."""
    printer = Printer(tmp_path)
    printer.prints(token)
    opened = printer.opened()
    assert await opened.read() == "one"
    printer.prints('{"access_token": "two", "expires_in": 7200}')
    printer.at += 3600 - EARLY_SECONDS - 1
    assert (await opened.read(), printer.runs) == ("one", 1)

    printer.at += 2
    found = await asyncio.gather(*(opened.read() for _ in range(5)))

    assert (found, printer.runs) == (["two", "one", "one", "one", "one"], 2)
    assert (await opened.read(), printer.runs) == ("two", 2)


async def test_a_token_that_has_ended_is_renewed_once_for_all_who_wait(tmp_path: Path) -> None:
    """A long job's poll meets no dead token."""
    printer = Printer(tmp_path)
    printer.prints('{"access_token": "one", "expires_in": 60}')
    opened = printer.opened()
    await opened.read()
    printer.prints('{"access_token": "two", "expires_in": 3600}')
    printer.at += 61

    assert await asyncio.gather(*(opened.read() for _ in range(5))) == ["two"] * 5
    assert printer.runs == 2


async def test_a_program_that_fails_early_takes_no_valid_token_away(tmp_path: Path) -> None:
    """It is run again half a minute later; and while it prints the old token, no more often than that."""
    printer = Printer(tmp_path)
    printer.prints('{"access_token": "one", "expires_in": 200}')
    opened = printer.opened()
    await opened.read()
    printer.prints("{}")
    printer.at += AGAIN_SECONDS
    assert [await opened.read() for _ in range(3)] == ["one"] * 3
    assert printer.runs == 2

    printer.prints('{"access_token": "one", "expires_in": 100}')
    printer.at += AGAIN_SECONDS
    assert [await opened.read() for _ in range(3)] == ["one"] * 3
    assert printer.runs == 3


async def test_a_program_that_fails_is_run_once_for_all_who_wait(tmp_path: Path) -> None:
    """Else a program that hangs would keep the tenth request for ten times its limit."""
    printer = Printer(tmp_path)
    printer.prints("")
    opened = printer.opened()

    found = await asyncio.gather(*(opened.read() for _ in range(5)), return_exceptions=True)

    assert [type(each) for each in found] == [SecretUnreadable] * 5
    assert printer.runs == 1


async def test_a_program_that_failed_is_run_again_after_some_seconds(tmp_path: Path) -> None:
    """A request meanwhile does not run it, and the first one after that gets what it prints."""
    printer = Printer(tmp_path)
    printer.prints("")
    opened = printer.opened()
    for _ in range(3):
        with pytest.raises(SecretUnreadable):
            await opened.read()
    assert printer.runs == 1

    printer.prints("one")
    printer.at += FAILED_SECONDS

    assert (await opened.read(), printer.runs) == ("one", 2)


async def test_a_token_that_stays_the_same_is_renewed_once_for_all_who_wait(tmp_path: Path) -> None:
    """The program may print the refused token again. Then it is not run for each request that has it."""
    printer = Printer(tmp_path)
    printer.prints("one")
    opened = printer.opened()
    await opened.read()

    assert await asyncio.gather(*(opened.renew() for _ in range(5))) == ["one"] * 5
    assert printer.runs == 2


@pytest.mark.parametrize("text", ["{}", '{"access_token": ""}', '{"access_token": "a b"}', '{"access_token": 5}', "{"])
async def test_json_without_a_token_is_no_secret(tmp_path: Path, text: str) -> None:
    """What was printed is not repeated."""
    printer = Printer(tmp_path)
    printer.prints(text)

    with pytest.raises(SecretUnreadable) as caught:
        await printer.opened().read()
    assert "a b" not in caught.value.message
