"""A proxy between a client and the adapter that spoils the first answers."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from tests.threads import in_thread

#: A status: the adapter does all of its work, and the client is told that; as a gateway does.
#: after_body: both connections are cut as soon as the request is through.
#: silence: nothing comes back.
#: mid_answer: half of the answer comes back.
KINDS = ("500", "408", "409", "429", "after_body", "silence", "mid_answer")

SECONDS = 30.0


class Cutter:
    """Passes requests on, one for each connection."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        #: What happens to the next requests; those after them pass.
        self.faults: list[str] = []
        #: Retry counts of the requests that came.
        self.counts: list[bytes] = []

    def run(self) -> None:
        """Serve until it is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """End everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._open:
            client.close()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(SECONDS)
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._upstream), SECONDS) as server:
            request = read_request(client)
            if not request:
                return
            self.counts.append(field(request, b"x-stainless-retry-count"))
            fault = self.faults.pop(0) if self.faults else ""
            server.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            self._answer(client, server, fault)

    def _answer(self, client: socket.socket, server: socket.socket, fault: str) -> None:
        match fault:
            case "":
                while piece := server.recv(65536):
                    client.sendall(piece)
                client.close()
            case "after_body":
                cut(client)
            case "silence":
                read_all(server)
                return
            case "mid_answer":
                whole = read_all(server)
                client.sendall(whole[: len(whole) // 2])
                cut(client)
            case status:
                read_all(server)
                client.sendall(refusal(int(status)))
                client.close()


def refusal(status: int) -> bytes:
    """Return an answer in OpenAI's shape that invites to come back at once."""
    error = {"message": "a gateway's fault", "type": "server_error", "param": None, "code": None}
    body = msgspec.json.encode({"error": error})
    head = f"HTTP/1.1 {status} Trouble\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"retry-after-ms: 10\r\nconnection: close\r\n\r\n" + body


def read_request(client: socket.socket) -> bytes:
    """Return the whole of a request with a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            return b""
        data += piece
    missing = int(field(data, b"content-length") or b"0") - len(data.partition(b"\r\n\r\n")[2])
    while missing > 0:
        piece = client.recv(65536)
        data, missing = data + piece, missing - len(piece)
    return data


def field(request: bytes, name: bytes) -> bytes:
    """Return a header's value."""
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return next((line.partition(b":")[2].strip() for line in lines if line.lower().startswith(name + b":")), b"")


def read_all(server: socket.socket) -> bytes:
    """Return what comes until the other end closes."""
    pieces = []
    while piece := server.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def cut(client: socket.socket) -> None:
    """End a connection with a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@contextmanager
def cutting(port: int) -> Iterator[Cutter]:
    """Run a proxy before a port."""
    cutter = Cutter(port)
    with in_thread(cutter.run, cutter.close):
        yield cutter
