"""Serves the sandbox on loopback, in a thread of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapter.sandbox.app import create_sandbox
from adapter.sandbox.fault_injection import HANG_UP
from adapter.sandbox.rules import SandboxRules

#: For which an idle connection is kept. Google's servers keep theirs for minutes too. Clients close theirs earlier
#: (httpx after 5 s, aiohttp after 15 s, Go after 90 s), so no request meets a connection that is just being closed.
IDLE_SECONDS = 240


class RunningSandbox(msgspec.Struct, frozen=True):
    """A sandbox that listens."""

    #: `http://host:port`, without a slash at the end.
    base_url: str


class ClosableProtocol(HttpToolsProtocol):
    """Lets the application close the connection, which ASGI cannot do. `drop` and `truncate` need it."""

    def on_message_begin(self) -> None:
        """Put the transport's `close` into the scope."""
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: self.transport.close}  # type: ignore[dict-item]


class _Server(uvicorn.Server):
    """A server that signals when it listens, or when it failed to start."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.settled.set()


def server_config(app: Litestar) -> uvicorn.Config:
    """Return how the sandbox is served."""
    return uvicorn.Config(
        app,
        http=ClosableProtocol,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=1,
    )


@contextmanager
def running_sandbox(rules: SandboxRules) -> Iterator[RunningSandbox]:
    """Serve the sandbox until the block ends; requests that hang are then cut after a second.

    Raises:
        OSError: the address cannot be bound, with host and port in the message, or `state` cannot be kept.
        RuntimeError: the server gave up while it started.
    """
    app = _remembering(rules)
    listener = _bound(rules.host, rules.port)
    server = _Server(server_config(app))
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    server.settled.wait()
    if not server.started:
        listener.close()
        raise RuntimeError(f"the sandbox did not start on {rules.host}:{rules.port}; the log says why")
    host = f"[{rules.host}]" if ":" in rules.host else rules.host
    try:
        yield RunningSandbox(f"http://{host}:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _remembering(rules: SandboxRules) -> Litestar:
    try:
        return create_sandbox(rules)
    except OSError as error:
        message = f"the sandbox cannot keep its state in {rules.state}: {error.strerror}. Its key is sandbox.state."
        raise OSError(error.errno, message) from error


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        message = (
            f"the sandbox cannot listen on {host}:{port}: {error.strerror}. Another port (0 takes a free one): "
            "ADAPTER__SANDBOX__PORT in the environment, or the key sandbox.port. With `adapter sandbox` it is --port."
        )
        raise OSError(error.errno, message) from error
    return listener
