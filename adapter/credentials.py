"""Credentials by reference: the configuration says where a secret is, never what it is.

`env:NAME` is read at the start. `file:/path` is read again whenever the file changes, as mounted secrets do.
`cmd:program args` runs a program that prints the secret, and again when the secret was refused (Flow's tokens live for
about a day). `google:` and `google:/path` are access tokens of Google Cloud, which Google's library fetches.
`plain:value` stands in the open and is meant for the sandbox.
"""

import asyncio
import math
import os
import re
import shlex
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from adapter.domain.ports import Secret
from adapter.errors import SecretUnreadable, WrongConfiguration

log = structlog.get_logger()

COMMAND_SECONDS = 30.0


#: Seconds for which a file may be missing or empty while it is replaced.
REWRITE_SECONDS = 5.0
#: What fits into a header: visible ASCII.
FITTING = re.compile(r"[!-~]+")


class FixedSecret:
    """A secret that stays as it was read (the port `Secret`)."""

    def __init__(self, value: str) -> None:
        self._value = value

    async def read(self) -> str:
        """Return it."""
        return self._value

    async def renew(self) -> str:
        """Return it: a fixed secret cannot be renewed."""
        return self._value


class FileSecret:
    """The first line of a file (the port `Secret`)."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._stamp = -1
        self._value = ""
        self._read_at = -math.inf

    async def read(self) -> str:
        """Return it, read again if the file changed.

        A file that is gone or empty leaves the secret as it was for the moment in which a file is written anew. After
        that it counts: to empty a key's file is to take the key back.
        """
        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp != self._stamp:
                self._value, self._stamp = fitting(self._path.read_text().partition("\n")[0].strip()), stamp
            self._read_at = self._clock()
        except (OSError, UnicodeDecodeError, SecretUnreadable) as error:
            log.error("credential.file_unreadable", file=str(self._path))  # noqa: TRY400 - the file is what matters
            if self._clock() - self._read_at > REWRITE_SECONDS:
                self._stamp = -1
                raise SecretUnreadable("A credential cannot be read. The operator has to look at it.") from error
        return self._value

    async def renew(self) -> str:
        """Return it, read again in any case."""
        self._stamp = -1
        return await self.read()


class CommandSecret:
    """What a program prints (the port `Secret`)."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._value: str | None = None
        self._one_at_a_time = asyncio.Lock()

    async def read(self) -> str:
        """Return it; the first time, run the program."""
        return self._value if self._value is not None else await self.renew()

    async def renew(self) -> str:
        """Run the program; callers that wait for a run share its result."""
        before = self._value
        async with self._one_at_a_time:
            if self._value is None or self._value == before:
                self._value = await self._run()
            return self._value

    async def _run(self) -> str:
        failed = SecretUnreadable("The command that prints a credential failed. The operator has to look at it.")
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            log.error("credential.command_failed", program=self._arguments[0], error=error.strerror)  # noqa: TRY400
            raise failed from error
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                printed, _ = await process.communicate()
        except TimeoutError as error:
            os.killpg(process.pid, signal.SIGKILL)  # with whatever it has started itself
            await process.wait()
            raise failed from error
        if process.returncode != 0:
            log.error("credential.command_failed", program=self._arguments[0], exit_status=process.returncode)
            raise failed
        return fitting(printed.decode(errors="replace").strip())


def secret(reference: str, *, key: str, environ: Mapping[str, str] = os.environ) -> Secret:
    """Return the secret of a reference; `key` names the setting in error messages.

    Raises:
        WrongConfiguration: an unknown kind, an unset variable, or a file that is not there.
    """
    kind, _, rest = reference.partition(":")
    match kind:
        case "env" if rest:
            if not environ.get(rest):
                raise WrongConfiguration(f"{key}: the environment variable {rest} is not set.")
            return FixedSecret(_fixed(environ[rest], key))
        case "file" if rest:
            if not Path(rest).is_file():
                raise WrongConfiguration(f"{key}: the file {rest} is not there.")
            return FileSecret(Path(rest))
        case "cmd" if rest.strip():
            return CommandSecret(_arguments(rest, key))
        case "google":
            return _google(rest, key)
        case "plain" if rest:
            return FixedSecret(_fixed(rest, key))
        case _:
            raise WrongConfiguration(f"{key}: a secret is given as env:NAME, file:/path or cmd:program, not as itself.")


def _google(path: str, key: str) -> Secret:
    try:
        from adapter.google_credentials import google_secret  # noqa: PLC0415 - google-auth is an extra
    except ModuleNotFoundError as error:
        raise WrongConfiguration(
            f"{key}: google: needs the library google-auth, which the extra `vertex` has: pip install '.[vertex]' in a "
            "checkout, or pip install 'google-auth[requests]'."
        ) from error
    return google_secret(path, key=key)


def fitting(value: str) -> str:
    """Return a secret that fits into a header.

    Raises:
        SecretUnreadable: it is empty, or has blanks or characters in it that no key has.
    """
    if FITTING.fullmatch(value) is None:
        raise SecretUnreadable("A credential is empty or has blanks in it. The operator has to look at it.")
    return value


def _arguments(command: str, key: str) -> Sequence[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise WrongConfiguration(f"{key}: the command cannot be read: {error}.") from error


def _fixed(value: str, key: str) -> str:
    try:
        return fitting(value)
    except SecretUnreadable as error:
        raise WrongConfiguration(f"{key}: the secret is empty, or has blanks or characters that no key has.") from error
