"""The program as a process: the socket, the server, the sandbox beside it, and how it is told to stop."""

import asyncio
import ctypes
import gc
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec

import click
import structlog
import uvicorn

from adapter.app import Build, create_app
from adapter.domain.catalogue import Catalogue
from adapter.errors import WrongConfiguration
from adapter.machine import read_machine
from adapter.risks import risks
from adapter.sandbox.rules import SandboxRules
from adapter.settings import Settings
from adapter.welcome import welcome

log = structlog.get_logger()

#: Seconds an idle connection of a client is kept; longer than the pools of the clients and proxies that come here.
KEEP_ALIVE_SECONDS = 75
#: Connections that may wait to be taken.
BACKLOG = 2048
#: Parameters of glibc's `mallopt` (malloc.h), and what they are set to, in bytes: blocks below the first come from the
#: heap, and of the heap so much is kept when it is free.
MALLOPT = {-3: 32 * 1024 * 1024, -1: 64 * 1024 * 1024}
#: The event loop waits for a thread that computes for so long each time. Python's default is 5 ms.
SWITCH_SECONDS = 0.001


def serve(settings: Settings, catalogue: Catalogue, build: Build = create_app) -> None:
    """Serve until a signal says stop; the exit status is then 0.

    Raises:
        WrongConfiguration: an address that cannot be listened on, or a secret that is not there.
    """
    tune_allocator()
    sys.setswitchinterval(SWITCH_SECONDS)
    for risk in risks(settings, asyncio.run(read_machine(settings))):
        log.warning("configuration.risky", setting=risk.setting, message=risk.message)
    # uvicorn raises the signal again once everything is closed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    with listen(settings) as listener, upstream(settings) as directed:
        connected = directed.on_port(listener.getsockname()[1])
        server = uvicorn.Config(
            build(connected, catalogue),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            http=protocol(),
            ws="none",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.server.shutdown_seconds,
        )
        gc.freeze()
        if settings.sandbox.enabled:
            click.echo(welcome(connected))
        uvicorn.Server(server).run(sockets=[listener])


def protocol() -> type[asyncio.Protocol]:
    """Return what reads and writes connections: by the parser in C, or by h11 where there is none for this Python."""
    if find_spec("httptools") is None:
        from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415 - one of the two is loaded

        return H11Protocol
    from adapter.connections import Protocol  # noqa: PLC0415 - as above

    return Protocol


def tune_allocator() -> None:
    """Have the memory of one picture used for the next one.

    By itself glibc gives the memory of large blocks back at once and asks for new pages with the next picture, which
    costs as much as all the copying (docs/measurements.md). Other C libraries have no such function.
    """
    with suppress(AttributeError, TypeError):
        for parameter, size in MALLOPT.items():
            ctypes.CDLL(None).mallopt(parameter, size)


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


@contextmanager
def upstream(settings: Settings) -> Iterator[Settings]:
    """Yield the settings; where the sandbox is enabled, it runs and every provider is directed to it."""
    if not settings.sandbox.enabled:
        yield settings
        return
    with emulator(settings.sandbox) as base_url:
        yield settings.directed_to(base_url)


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
