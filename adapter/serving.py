"""The program as a process: the socket, the server, the sandbox beside it, and how it is told to stop."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click
import uvicorn

from adapter.app import create_app
from adapter.domain.catalogue import Catalogue
from adapter.errors import WrongConfiguration
from adapter.settings import Settings
from adapter.welcome import welcome

#: Seconds an idle connection of a client is kept; longer than the pools of the clients and proxies that come here.
KEEP_ALIVE_SECONDS = 75
#: Connections that may wait to be taken.
BACKLOG = 2048


def serve(settings: Settings, catalogue: Catalogue) -> None:
    """Serve until a signal says stop; the exit status is then 0.

    Raises:
        WrongConfiguration: an address that cannot be listened on, or a secret that is not there.
    """
    # uvicorn raises the signal again once everything is closed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    with listen(settings) as listener, upstream(settings) as connected:
        server = uvicorn.Config(
            create_app(connected, catalogue),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.server.shutdown_seconds,
        )
        if settings.sandbox.enabled:
            click.echo(welcome(connected))
        uvicorn.Server(server).run(sockets=[listener])


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
    # Imported here because it needs the sandbox's own libraries, which a production install leaves out.
    from adapter.sandbox.server import running_sandbox  # noqa: PLC0415

    with ExitStack() as stack:
        try:
            running = stack.enter_context(running_sandbox(settings.sandbox))
        except OSError as error:
            raise WrongConfiguration(
                f"sandbox.port: {error.strerror}. Another port: ADAPTER__SANDBOX__PORT."
            ) from error
        yield settings.directed_to(running.base_url)
