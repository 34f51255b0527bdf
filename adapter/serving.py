"""The program as a process: the socket, the server, the sandbox beside it, and how it is told to stop."""

import asyncio
import gc
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from itertools import count
from types import FrameType
from typing import cast

import click
import msgspec
import structlog
import uvicorn

from adapter.allocator import tune_allocator, use_huge_pages
from adapter.app import Override, create_app, unchanged
from adapter.connection_table import ConnectionLimits, ConnectionTable
from adapter.errors import WrongConfiguration
from adapter.key_models import key_risks
from adapter.logs import set_log_level
from adapter.machine import read_machine
from adapter.reload_plan import Configuration
from adapter.reload_signal import ignore_signals
from adapter.reloading import Read
from adapter.risks import risks
from adapter.sandbox.rules import SandboxRules
from adapter.settings import Settings
from adapter.tasks import beside, work_name
from adapter.welcome import welcome
from adapter.wiring import build_connection_limits

log = structlog.get_logger()

#: Connections that may wait to be taken.
BACKLOG = 2048
#: uvloop takes one connection from each listening socket in a turn. With one socket a new connection waits for as many
#: turns as there are others before it.
TAKEN_AT_ONCE = 8
#: With fewer connections the program is of no use.
LEAST_CONNECTIONS = 10
#: Between two looks at the connections, in seconds, while the time of one is over or the server stops.
LOOK_SECONDS = 0.1
#: The same while no time is over. Each look renews the date that answers have.
QUIET_SECONDS = 1.0
#: After so many looks at a server that stops, the log says what is still open.
LONG_TICKS = 50
#: The event loop waits for a thread that computes for so long each time. Python's default is 5 ms.
SWITCH_SECONDS = 0.001

#: When Python looks for objects that are only held by each other, generation by generation (`gc.set_threshold`). With
#: Python's 700, 64 pictures at once are looked at several times before they end, for 3 to 6 % of the CPU. A look at all
#: objects takes 80 ms while a thousand requests are under way, and the event loop stands. It stays as rare as it was.
COLLECT_AFTER = (5000, 10, 20)


def serve(read: Read, override: Override = unchanged) -> None:
    """Serve until a signal says stop; the exit status is then 0. `read` reads the configuration, also for a reload.

    `override` replaces ports, as in `create_app`.

    Raises:
        WrongConfiguration: the configuration is wrong, an address cannot be listened on, or a secret is not there.
    """
    ignore_signals()
    configuration = read()
    settings = configuration.settings
    set_log_level(settings.server.log_level)
    tune_allocator()
    table = ConnectionTable(within_descriptors(build_connection_limits(settings), settings.limits.descriptors_reserve))
    sys.setswitchinterval(SWITCH_SECONDS)
    found = risks(settings, asyncio.run(read_machine(settings)))
    for risk in (*found, *key_risks(settings, configuration.catalogue)):
        log.warning("configuration.risky", setting=risk.setting, message=risk.message)
    # uvicorn raises the signal again once everything is closed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    with listen(settings) as listener, upstream(settings) as base_url:
        port = listener.getsockname()[1]

        def connected(configured: Configuration) -> Configuration:
            """Put the addresses in that are really used. Another port is left in, because it needs a restart."""
            told = configured.settings.directed_to(base_url) if base_url else configured.settings
            told = told.on_port(port) if told.server.port == settings.server.port else told
            return Configuration(told, configured.catalogue)

        used = connected(configuration)
        app = create_app(used.settings, used.catalogue, override=override, read=lambda: connected(read()))
        server = server_config(settings, app, table)
        # What was loaded was frozen with its garbage (`entry.py`).
        gc.unfreeze()
        gc.collect()
        use_huge_pages()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        if settings.sandbox.enabled:
            click.echo(welcome(used.settings))
        SweepingServer(server, table).run(sockets=listeners(listener))


def server_config(settings: Settings, app: Callable[..., object], table: ConnectionTable) -> uvicorn.Config:
    """Return how uvicorn serves an application."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.server.trusted_proxies),
        forwarded_allow_ips=[*settings.server.trusted_proxies],
        http=protocol(table),
        ws="none",
        # For h11. The other one has a table.
        timeout_keep_alive=round(settings.limits.idle_seconds),
        timeout_graceful_shutdown=settings.server.shutdown_seconds,
    )


class SweepingServer(uvicorn.Server):
    """uvicorn's server. It looks at the times of its connections when the first of them is over."""

    def __init__(self, config: uvicorn.Config, table: ConnectionTable) -> None:
        super().__init__(config)
        self._table = table
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_to_end = asyncio.Event()

    async def main_loop(self) -> None:
        """Look at the connections until the process is to end.

        uvicorn looks ten times a second, and an idle process is woken for little else.
        """
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            seconds = min(max(self._table.quiet_seconds(), LOOK_SECONDS), QUIET_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._told_to_end.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Hear of a signal, and end the wait between two looks."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told_to_end.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for the answers under way. A connection that was still in the socket's queue is closed as well."""
        async with beside(self._close_late_ones()):
            await super().shutdown(sockets)

    async def _close_late_ones(self) -> None:
        """Close what connects after uvicorn has told all connections to end, and what is too slow.

        uvicorn does neither: one silent connection would take the whole of `server.shutdown_seconds`.
        """
        for tick in count():
            await asyncio.sleep(LOOK_SECONDS)
            self._table.sweep()
            for connection in list(self.server_state.connections):
                connection.shutdown()
            if tick == LONG_TICKS:
                self._log_open()

    def _log_open(self) -> None:
        tasks = Counter(map(work_name, asyncio.all_tasks()))
        log.warning("server.stop_is_slow", connections=self._table.open_by_phase(), tasks=dict(tasks))

    async def on_tick(self, counter: int) -> bool:
        """Close what is too slow; say whether the process is to end."""
        self._table.sweep()
        return await super().on_tick(counter)


def protocol(table: ConnectionTable) -> type[asyncio.Protocol]:
    """Return what reads and writes connections: by the parser in C, or by h11 where there is none for this Python."""
    if find_spec("httptools") is None:
        from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415 - one of the two is loaded

        return H11Protocol
    from adapter.connections import Protocol  # noqa: PLC0415 - as above

    # uvicorn calls it, and does not care what it is.
    return cast("type[asyncio.Protocol]", partial(Protocol, table=table))


def within_descriptors(limits: ConnectionLimits, reserve: int) -> ConnectionLimits:
    """Return limits with no more connections than there are file descriptors, without those of `reserve`.

    Files, the database and the providers need descriptors too, and a process without one fails everywhere. The soft
    limit is raised to what is needed, as far as the hard one allows: it is 1,024 on many systems for the sake of
    `select`, which this program does not use.

    Raises:
        WrongConfiguration: nothing is left for connections.
    """
    if find_spec("resource") is None:  # Windows, which has no such limit
        return limits
    most = raise_descriptors(limits.connections + reserve) - reserve
    if most < LEAST_CONNECTIONS:
        raise WrongConfiguration(
            f"limits.descriptors_reserve: this process may have {most + reserve} file descriptors, and {reserve} of"
            " them are reserved. Raise the limit (`ulimit -n`, LimitNOFILE= of systemd), or lower the reserve."
        )
    if most < limits.connections:
        log.warning("server.few_descriptors", descriptors=most + reserve, connections=most, wanted=limits.connections)
    return msgspec.structs.replace(limits, connections=min(most, limits.connections))


def raise_descriptors(wanted: int) -> int:
    """Raise the soft limit of file descriptors as far as it goes, and return how many of those wanted there are."""
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):  # macOS has a further limit, `kern.maxfilesperproc`
        return soft
    return most


def listen(settings: Settings) -> socket.socket:
    """Open the socket before anything else, so that a taken port is the first thing that is said."""
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise WrongConfiguration(
            f"server.host, server.port: cannot listen on {host}:{port}: {error.strerror}. Another port: --port."
        ) from error


def is_taken(settings: Settings) -> bool:
    """Return whether the socket cannot be opened."""
    try:
        listen(settings).close()
    except WrongConfiguration:
        return True
    return False


def listeners(listener: socket.socket) -> list[socket.socket]:
    """Return the socket as often as connections shall be taken in a turn of the event loop."""
    if find_spec("uvloop") is None:  # the other loops take all
        return [listener]
    return [listener, *(listener.dup() for _ in range(TAKEN_AT_ONCE - 1))]


@contextmanager
def upstream(settings: Settings) -> Iterator[str | None]:
    """Yield the address of the sandbox, which runs meanwhile; None where it is not enabled."""
    if not settings.sandbox.enabled:
        yield None
        return
    with emulator(settings.sandbox) as base_url:
        yield base_url


@contextmanager
def emulator(rules: SandboxRules) -> Iterator[str]:
    """Run the sandbox and yield its address.

    Raises:
        WrongConfiguration: its port is taken, or its state cannot be kept.
    """
    # Imported here because a production server never needs it, and would start later for it.
    from adapter.sandbox.server import running_sandbox  # noqa: PLC0415

    with ExitStack() as stack:
        try:
            running = stack.enter_context(running_sandbox(rules))
        except OSError as error:
            raise WrongConfiguration(str(error.strerror)) from error
        yield running.base_url
