"""The process: how many connections its file descriptors allow, and how they are taken."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import cast

import pytest
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from adapter.connection_table import ConnectionTable
from adapter.connections import Protocol
from adapter.serving import SweepingServer, listeners, protocol
from tests.support import ROOT

#: Prints how many connections there are under the limit of the shell that starts it.
PROGRAM = (
    "from adapter.connection_table import ConnectionLimits as Limits; from adapter.serving import within_descriptors;"
    "print('connections', within_descriptors(Limits(connections=1000), 256).connections)"
)


def limited(ulimit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python under a limit of file descriptors."""
    command = ["sh", "-c", f'ulimit {ulimit} && exec "$@"', "sh", sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("ulimit", "connections", "warns"),
    [("-S -n 512", 1000, False), ("-n 1024", 768, True), ("-n 1256", 1000, False), ("-n 2000", 1000, False)],
)
def test_connections_leave_some_descriptors_for_the_rest(ulimit: str, connections: int, warns: bool) -> None:
    """A soft limit is raised; a hard one means fewer connections, and the log says so."""
    done = limited(ulimit, "-c", PROGRAM)

    assert f"connections {connections}\n" in done.stdout, done.stderr
    assert ("server.few_descriptors" in done.stdout) is warns


def test_a_start_without_descriptors_ends_with_a_sentence() -> None:
    """It names the setting and what to do."""
    done = limited("-n 256", "-m", "adapter", "serve", "--config", "config/sandbox.toml")

    assert done.returncode == 1
    assert done.stderr.startswith("adapter: limits.descriptors_reserve: this process may have 256 file descriptors")
    assert "ulimit -n" in done.stderr


async def nothing(_scope: Scope, _receive: ASGIReceiveCallable, _send: ASGISendCallable) -> None:
    """Stand for the application, which is not asked."""


async def test_a_connection_that_is_taken_while_the_server_stops_does_not_hold_it() -> None:
    """It was in the socket's queue when all connections were told to end. It would take the whole of the grace."""
    table = ConnectionTable()
    config = uvicorn.Config(
        nothing, log_config=None, lifespan="off", http=protocol(table), timeout_graceful_shutdown=60
    )
    config.load()
    server = SweepingServer(config, table)
    server.servers, server.lifespan = [], config.lifespan_class(config)
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
        clients = [sockets.enter_context(socket.create_connection(listener.getsockname())) for _ in range(2)]
        await take(server, listener, table)
        stopping = asyncio.create_task(server.shutdown())
        await asyncio.sleep(0)  # all connections are told to end
        await take(server, listener, table)
        await asyncio.wait({stopping}, timeout=10)

        assert stopping.done()
        assert [client.recv(1) for client in clients] == [b"", b""]


async def test_a_signal_ends_the_wait_between_two_looks_at_the_connections() -> None:
    """The wait is a second long; the process is to stop at once."""
    table = ConnectionTable()
    server = SweepingServer(uvicorn.Config(nothing, log_config=None, lifespan="off", http=protocol(table)), table)
    looking = asyncio.create_task(server.main_loop())
    await turns(2)
    assert not looking.done()

    server.handle_exit(signal.SIGTERM, None)
    await turns(10)

    assert looking.done()


async def turns(count: int) -> None:
    """Let the event loop turn so often."""
    for _ in range(count):
        await asyncio.sleep(0)


async def take(server: SweepingServer, listener: socket.socket, table: ConnectionTable) -> None:
    """Take a connection as the event loop does."""
    taken, _ = listener.accept()
    await asyncio.get_running_loop().connect_accepted_socket(
        lambda: Protocol(server.config, server.server_state, {}, table=table), taken
    )


def test_several_connections_are_taken_in_one_turn_of_the_event_loop() -> None:
    """With one for each turn, a new client would wait for as many turns as there are clients before it."""
    uvloop = pytest.importorskip("uvloop")
    with socket.create_server(("127.0.0.1", 0), backlog=40) as listener, ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(listener.getsockname()))

        turns = uvloop.run(turns_to_take(40, listener))

    assert turns <= 10


async def turns_to_take(connections: int, listener: socket.socket) -> int:
    """Return how many turns of the loop it takes until so many connections are taken."""
    loop = asyncio.get_running_loop()
    taken: list[asyncio.Transport] = []

    class Taking(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.append(cast("asyncio.Transport", transport))

    servers = [await loop.create_server(Taking, sock=each) for each in listeners(listener)]
    turns = 0
    while len(taken) < connections:
        turns += 1
        await asyncio.sleep(0)
    for transport in taken:
        transport.abort()
    for server in servers:
        server.close()
    return turns
