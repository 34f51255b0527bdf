"""How `adapter reload` reaches the servers of this machine: each has a socket in a folder that only its user may enter.

The name of a socket is that of its process. A command writes one line of JSON, and the server answers with another one.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import structlog

from adapter.errors import WrongConfiguration
from adapter.reloading import ReloadReport
from adapter.tasks import Tasks

log = structlog.get_logger()

#: How long a command waits for a server, in seconds. A secret may come from a program, which gets 30 s.
ANSWER_SECONDS: Final = 60.0
#: A command's line is much shorter.
LONGEST_LINE: Final = 4096
SUFFIX: Final = ".sock"


class ReloadCommand(msgspec.Struct, frozen=True, kw_only=True, tag="reload"):
    """Asks a server to reload its configuration, or what that would do."""

    dry_run: bool = False


Reload = Callable[[ReloadCommand], Awaitable[ReloadReport]]


@asynccontextmanager
async def controlled(folder: Path, reload: Reload) -> AsyncIterator[None]:
    """Listen for commands. A server that cannot do so runs without; SIGHUP reloads it as well."""
    tasks = Tasks("control")

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.start(_answer(reader, writer, reload))

    path = folder / f"{socket.gethostname()}-{os.getpid()}{SUFFIX}"
    try:
        _prepare(folder)
        server = await asyncio.start_unix_server(take, path, limit=LONGEST_LINE)
    except OSError as error:
        log.warning("control.unavailable", setting="server.control", folder=str(folder), error=str(error))
        yield
        return
    try:
        yield
    finally:
        server.close()
        await tasks.cancel()
        await server.wait_closed()
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - pathlib's is one more step, and this one is as quick


def _prepare(folder: Path) -> None:
    """Make the folder, and delete the sockets of processes that are gone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _ in sockets(folder):
        pass


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reload: Reload) -> None:
    try:
        with suppress(OSError, ValueError):  # of a line that is too long, and of one that is no command
            command = msgspec.json.decode(await reader.readline(), type=ReloadCommand)
            writer.write(msgspec.json.encode(await reload(command)) + b"\n")
            await writer.drain()
    finally:
        writer.close()


def sockets(folder: Path) -> Iterator[tuple[str, socket.socket]]:
    """Yield a connection to each server, with its name. Sockets of processes that are gone are deleted."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            connection.close()
            path.unlink(missing_ok=True)
        else:
            with connection:
                yield path.stem, connection


def ask_all(folder: Path, command: ReloadCommand) -> Iterator[tuple[str, ReloadReport]]:
    """Give each server a command, one after the other, and yield its name and its answer.

    Raises:
        WrongConfiguration: a server does not answer, or may not be asked.
    """
    try:
        for name, connection in sockets(folder):
            connection.settimeout(ANSWER_SECONDS)
            connection.sendall(msgspec.json.encode(command) + b"\n")
            with connection.makefile("rb") as answer:
                yield name, msgspec.json.decode(answer.readline(), type=ReloadReport)
    except (OSError, msgspec.DecodeError) as error:
        raise WrongConfiguration(f"{folder}: a server does not answer: {error}.") from error
