"""A server that answers as it is told, one request after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import msgspec


class Scripted(msgspec.Struct, frozen=True):
    """An answer. One of status 0 is none: the connection is closed."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    #: Bytes of the body that are announced and do not come.
    missing: int = 0


class Asked(msgspec.Struct, frozen=True):
    """A request as it came."""

    line: str
    key: str | None
    authorization: str | None
    body: bytes


class ScriptedServer(ThreadingHTTPServer):
    """It keeps what it was asked. When its script is at its end, it repeats the last answer."""

    daemon_threads = True

    def __init__(self, script: list[Scripted]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_answer(self) -> Scripted:
        """Return the answer that is due."""
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def do_GET(self) -> None:
        headers = self.headers
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.server.asked.append(
            Asked(f"{self.command} {self.path}", headers["idempotency-key"], headers["authorization"], body)
        )
        self.close_connection = True
        answer = self.server.next_answer()
        if answer.status:
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("connection", "close")  # so the next request never comes on this one
            self.send_header("content-length", str(len(answer.body) + answer.missing))
            self.end_headers()
            self.wfile.write(answer.body)

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@contextmanager
def scripted(*script: Scripted) -> Iterator[ScriptedServer]:
    """Run a server with a script."""
    with ScriptedServer(list(script)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def answers(value: object, status: int = 200, **headers: str) -> Scripted:
    """Return an answer with JSON."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Scripted(status, msgspec.json.encode(value), named)


def streams(*events: object) -> Scripted:
    """Return a stream of events that is not ended as HTTP wants it: as one that was cut off."""
    body = b": still working\n\n" + b"".join(b"data: %b\n\n" % msgspec.json.encode(event) for event in events)
    return Scripted(200, body, missing=1)


#: The connection breaks before an answer.
BROKEN = Scripted(0)
