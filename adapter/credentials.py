"""Credentials by reference: the configuration says where a secret is, never what it is.

`env:NAME` is read at the start. `file:/path` is read again whenever the file changes, as mounted secrets do.
`cmd:program args` runs a program that prints the secret. It is run again when the secret was refused (Flow's tokens
live for about a day), or before its end, if the program tells that. `google:` and `google:/path` are access tokens of
Google Cloud, which Google's library fetches. `plain:value` stands in the open and is meant for the sandbox.
"""

import asyncio
import math
import os
import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta

from adapter.domain.ports import Secret, TokenRequests
from adapter.errors import SecretUnreadable, WrongConfiguration
from adapter.secret_program import printed_by

log = structlog.get_logger()

#: Seconds for which a file may be missing or empty while it is replaced.
REWRITE_SECONDS = 5.0
#: A printed token is renewed so many seconds before its end: longer than any request that it begins. A program that
#: still prints the old one is run again after the second number.
EARLY_SECONDS = 300.0
AGAIN_SECONDS = 30.0
#: A program that failed is not run again for so many seconds.
FAILED_SECONDS = 5.0
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


class PrintedToken(msgspec.Struct, frozen=True):
    """A token as a program may print it, in JSON: as OAuth answers, or as Flow's own page gets it."""

    access_token: str
    #: Seconds from now (RFC 6749 section 5.1).
    expires_in: float | None = None
    #: A time with its zone (RFC 3339); `flow.md` section 2, "Auth and control".
    expires: Annotated[datetime, Meta(tz=True)] | None = None

    def ends_at(self, now: float) -> float:
        """Return its end in Unix seconds; infinity if that is not told."""
        if self.expires_in is not None:
            return now + self.expires_in
        return math.inf if self.expires is None else self.expires.timestamp()


class CommandSecret:
    """What a program prints (the port `Secret`). A token whose end is told is renewed before it, once for all."""

    def __init__(self, arguments: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._arguments = arguments
        self._clock = clock
        #: Empty: not printed yet.
        self._value = ""
        self._ends_at = math.inf
        self._run_at = -math.inf
        #: How many runs have ended, and how the last one failed.
        self._runs = 0
        self._failure: SecretUnreadable | None = None
        self._one_at_a_time = asyncio.Lock()

    async def read(self) -> str:
        """Return it; the first time, and shortly before its end, run the program.

        The first reader within five minutes of the end waits for the program. The others have the old token meanwhile.
        """
        if not self._value:
            return await self.renew()
        left = self._ends_at - self._clock()
        if left > EARLY_SECONDS or self._clock() - self._run_at < AGAIN_SECONDS:
            return self._value
        if left <= 0:
            return await self.renew()
        if not self._one_at_a_time.locked():
            with suppress(SecretUnreadable):  # the old one is still valid, and the program's failure is in the log
                return await self.renew()
        return self._value

    async def renew(self) -> str:
        """Run the program. Callers that wait for a run share its result, also its failure.

        A program that failed is not run again for some seconds. Else each request would run it again.
        """
        before = self._runs
        async with self._one_at_a_time:
            if self._runs == before and not self._has_just_failed:
                await self._run()
            if self._failure is not None:
                raise self._failure.copy()
            return self._value

    @property
    def _has_just_failed(self) -> bool:
        return self._failure is not None and 0 <= self._clock() - self._run_at < FAILED_SECONDS

    async def _run(self) -> None:
        try:
            printed = await printed_by(self._arguments)
            self._value, self._ends_at = _read_printed(printed, self._clock())
            self._failure = None
        except SecretUnreadable as fault:
            self._failure = fault.copy()
        self._runs, self._run_at = self._runs + 1, self._clock()


def _read_printed(printed: str, now: float) -> tuple[str, float]:
    """Return the secret that a program printed, and its end in Unix seconds.

    Raises:
        SecretUnreadable: it is none.
    """
    if not printed.startswith("{"):
        return _alone(printed), math.inf
    try:
        token = msgspec.json.decode(printed, type=PrintedToken, strict=False)
    except msgspec.DecodeError as error:
        log.error("credential.command_odd", error=str(error))  # noqa: TRY400 - it names a place, and no value
        raise SecretUnreadable("The command prints no credential. The operator has to look at it.") from error
    return fitting(token.access_token), token.ends_at(now)


def _alone(printed: str) -> str:
    try:
        return fitting(printed)
    except SecretUnreadable:
        lines = printed.count("\n") + 1 if printed else 0
        log.error("credential.command_odd", error="it did not print one line without blanks", lines=lines)  # noqa: TRY400 - no value
        raise


def secret(
    reference: str, *, key: str, environ: Mapping[str, str] = os.environ, tokens: TokenRequests | None = None
) -> Secret:
    """Return the secret of a reference.

    Args:
        reference: as the configuration has it.
        key: the setting, for error messages.
        environ: the variables of the environment.
        tokens: the way to token services for `google:`; None: the direct one, with the system's certificates.

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
            return _google(rest, key, tokens)
        case "plain" if rest:
            return FixedSecret(_fixed(rest, key))
        case _:
            raise WrongConfiguration(f"{key}: a secret is given as env:NAME, file:/path or cmd:program, not as itself.")


def _google(path: str, key: str, tokens: TokenRequests | None) -> Secret:
    try:
        from adapter.google_credentials import google_secret  # noqa: PLC0415 - google-auth is an extra
    except ModuleNotFoundError as error:
        raise WrongConfiguration(
            f"{key}: google: needs the library google-auth, which the extra `vertex` has: pip install '.[vertex]' in a "
            "checkout, or pip install 'google-auth[requests]'."
        ) from error
    return google_secret(path, key=key, tokens=tokens)


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
