"""A proxy before an S3 server that spoils some of its answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.support import WITHOUT_TLS
from tests.threads import in_thread

#: 500, 503: S3's own errors; nothing is carried out. cut_before: the connection is cut, nothing is carried out.
#: cut_after: it is carried out, and the answer is lost. half: it is carried out, and half of the answer comes.
FAULTS = ("500", "503", "cut_before", "cut_after", "half")
#: The end of an upload in pieces may be answered by 200 and an error (Amazon's reference, CompleteMultipartUpload).
FALSE_200 = "200"
CODES = {"500": "InternalError", "503": "SlowDown", FALSE_200: "InternalError"}
#: They say how one connection is used.
HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "date", "server")


class FaultyS3:
    """Passes requests on, and counts them."""

    def __init__(self, upstream: str) -> None:
        self._upstream = httpx.Client(base_url=upstream, verify=WITHOUT_TLS, timeout=30.0)
        self._lock = threading.Lock()
        self._fault = ""
        self._spoiled: range = range(0)
        #: Requests since the last fault was asked for.
        self.requests = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spoil(self, number: int, fault: str, *, times: int = 1) -> None:
        """Spoil the request that is this many from now, and those after it; the next one is 1."""
        with self._lock:
            self.requests, self._fault, self._spoiled = 0, fault, range(number, number + times)

    def heal(self) -> None:
        """Let everything pass."""
        self.spoil(0, "", times=0)

    @property
    def has_spoiled(self) -> bool:
        """Whether a request met the fault."""
        return self.requests >= self._spoiled.start

    def _next_fault(self) -> str:
        with self._lock:
            self.requests += 1
            return self._fault if self.requests in self._spoiled else ""

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        return self._upstream.request(request.command, request.path, content=body, headers=headers)

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        fault = self._next_fault()
        request.close_connection = bool(fault)
        if fault in CODES:
            said = f"<Error><Code>{CODES[fault]}</Code><Message>Please try again.</Message></Error>".encode()
            write(request, int(fault), {"content-type": "application/xml"}, len(said), said)
        elif fault != "cut_before":
            answer = self._pass_on(request, body)
            if fault != "cut_after":
                # The answer to HEAD has the length of what it does not have.
                length = int(answer.headers.get("content-length") or len(answer.content))
                sent = answer.content[: len(answer.content) // 2] if fault == "half" else answer.content
                kept = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
                write(request, answer.status_code, kept, length, sent)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        serve = self._serve

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                serve(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 - its names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def write(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], length: int, body: bytes) -> None:
    """Answer a request, with a length that need not be the body's."""
    request.send_response_only(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("content-length", str(length))
    request.end_headers()
    if request.command != "HEAD":  # its answer has no body, and the next one on the connection follows at once
        request.wfile.write(body)


@contextmanager
def faulty_s3(upstream: str) -> Iterator[FaultyS3]:
    """Run a proxy before an S3 server."""
    proxy = FaultyS3(upstream)
    with proxy.server, in_thread(partial(proxy.server.serve_forever, 0.05), proxy.server.shutdown):
        yield proxy
