"""Secrets by reference: where they are, how they change, and what is said when they are not there."""

import os
import sys
from pathlib import Path

import pytest

from adapter.credentials import FileSecret, secret
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
