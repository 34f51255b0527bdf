"""Runs a program that prints a secret, with limits of time and length. It prints into no log."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from adapter.errors import SecretUnreadable
from adapter.redaction import fit_for_clients
from adapter.tasks import all_of

log = structlog.get_logger()

COMMAND_SECONDS: Final = 30.0
#: So long is waited for the end of a program that was killed.
END_SECONDS: Final = 1.0
#: The longest output that is read, in bytes. Tokens have some hundred.
LONGEST_OUTPUT: Final = 65_536
#: So many characters of the end of its standard error are in the log.
SHOWN_ERRORS: Final = 300

FAILED: Final = "The command that prints a credential failed. The operator has to look at it."


async def printed_by(arguments: Sequence[str], *, seconds: float = COMMAND_SECONDS) -> str:
    """Run a program, and return what it prints to its standard output, without the blanks around it.

    It ends with its caller: a program that is not over is killed, with what it has started itself.

    Raises:
        SecretUnreadable: it cannot be run, fails, takes longer than so many seconds, or prints too much.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,  # it may have the secret in it, as that of `set -x` has
            start_new_session=True,
        )
    except OSError as error:
        raise _failure(arguments, error.strerror or "it cannot be run") from error
    try:
        async with asyncio.timeout(seconds):
            printed, said = await all_of([_beginning(process.stdout), _end(process.stderr)])
            status = await process.wait()
    except TimeoutError as error:
        raise _failure(arguments, f"it was not over after {seconds:g} seconds") from error
    except OverflowError as error:
        raise _failure(arguments, f"it printed more than {LONGEST_OUTPUT} bytes") from error
    finally:
        await _kill(process)
    if status != 0:
        raise _failure(arguments, f"it ended with status {status}", said.decode(errors="replace"))
    return printed.decode(errors="replace").strip()


async def _beginning(stream: asyncio.StreamReader | None) -> bytes:
    """Return all of a stream.

    Raises:
        OverflowError: it is longer than `LONGEST_OUTPUT`.
    """
    read = bytearray()
    while stream is not None and (piece := await stream.read(LONGEST_OUTPUT)):
        read += piece
        if len(read) > LONGEST_OUTPUT:
            raise OverflowError
    return bytes(read)


async def _end(stream: asyncio.StreamReader | None) -> bytes:
    """Read a stream to its end, and return the last of it."""
    read = b""
    while stream is not None and (piece := await stream.read(LONGEST_OUTPUT)):
        read = (read + piece)[-LONGEST_OUTPUT:]
    return read


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End a program. asyncio believes in its end when its output was read, which one that left the group may keep."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await all_of([_end(process.stdout), _end(process.stderr)])
            await process.wait()


def _failure(arguments: Sequence[str], why: str, said: str = "") -> SecretUnreadable:
    words = {"said": fit_for_clients(said.strip())[-SHOWN_ERRORS:]} if said.strip() else {}
    log.error("credential.command_failed", program=arguments[0], error=why, **words)
    return SecretUnreadable(FAILED)
