"""A proxy before PostgreSQL that cuts the connection of one statement."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from tests.threads import in_thread

#: before: the server never sees the statement. after: the server carries it out, and its answer is lost.
Moment = Literal["before", "after"]

#: Codes in place of a version (PostgreSQL's manual, 55.7): after this one the client still has to introduce itself.
TLS_WISH = 80877103
#: Messages that end what the server has to carry out before it answers: a simple query, and a Sync.
ENDS = (b"Q", b"S")
SECONDS = 30.0


class StatementCutter:
    """Passes connections on and counts their statements."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._left = 0
        self._moment: Moment = "before"
        #: Statements that came, in all.
        self.statements = 0

    def cut(self, number: int, moment: Moment) -> None:
        """Cut the connection of the statement that is this many from now; the next one is 1."""
        with self._lock:
            self._left, self._moment = number, moment

    @property
    def is_armed(self) -> bool:
        """Whether a cut is still to come."""
        return self._left > 0

    def disarm(self) -> None:
        """Let everything pass."""
        self.cut(0, "before")

    def run(self) -> None:
        """Serve until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._upstream)) as server:
            answers = Answers(server, client)
            threading.Thread(target=answers.run, daemon=True).start()
            for message in messages(client):
                moment = self._told(message)
                if moment == "after":
                    answers.lose()
                if moment != "before":
                    server.sendall(message)
                if moment == "after":
                    answers.came.wait(SECONDS)
                if moment:
                    break
            shut(client)
            shut(server)

    def _told(self, message: bytes) -> Moment | None:
        if message[:1] not in ENDS:
            return None
        with self._lock:
            self.statements += 1
            self._left -= 1
            return self._moment if self._left == 0 else None


class Answers:
    """What a server says on one connection."""

    def __init__(self, server: socket.socket, client: socket.socket) -> None:
        self._server, self._client = server, client
        self._is_lost = False
        #: Whether something came that was lost.
        self.came = threading.Event()

    def lose(self) -> None:
        """Pass nothing on any more."""
        self._is_lost = True

    def run(self) -> None:
        """Pass on what comes."""
        with suppress(OSError):
            while piece := self._server.recv(65536):
                if self._is_lost:
                    self.came.set()
                else:
                    self._client.sendall(piece)
        self.came.set()
        shut(self._client)


def messages(client: socket.socket) -> Iterator[bytes]:
    """Yield what a client sends, message by message."""
    with client.makefile("rb") as stream:
        while True:  # the introductions have no type
            head = stream.read(4)
            if len(head) < 4:
                return
            rest = stream.read(int.from_bytes(head) - 4)
            yield head + rest
            if int.from_bytes(rest[:4]) != TLS_WISH:
                break
        while len(head := stream.read(5)) == 5:
            yield head + stream.read(int.from_bytes(head[1:]) - 4)


def shut(connection: socket.socket) -> None:
    """End a connection, and wake up what reads from it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting_statements(port: int) -> Iterator[StatementCutter]:
    """Run a proxy before a PostgreSQL server."""
    cutter = StatementCutter(port)
    with in_thread(cutter.run, cutter.close):
        yield cutter
