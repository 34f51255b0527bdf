"""An idle connection holds nothing: whatever held a body lets it go when the answer has gone out.

The server is a real one that tells of every large block of its memory (`held_memory.py`). It has no memory
to keep answers for retries. Python's collector is off in it: what only the collector would free is a finding too.
"""

import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest

from tests.bench.picture import Picture, gemini_answer
from tests.journeys.held_memory import REPORT, Block
from tests.journeys.server import KEY, Server, wait_until

#: Connections that are kept, for each kind of request.
CONNECTIONS = 3
#: How long after an answer its server may still be at it.
SETTLING_SECONDS = 30.0
#: What stands in a prompt, and what the upstream then does.
REFUSED, EMPTY, LATER = "refused", "empty", "later"
#: Of 1.1 MB. That is more than the thirty-second part of the memory, which is what answers are kept in for retries.
PICTURE = Picture.draw(900, 5)
SMALL_LIMITS = "[limits]\nmemory_bytes = 33554432\nbody_bytes = 4194304\n"

Ask = Callable[[HTTPConnection], None]


class Gemini(ThreadingHTTPServer):
    """Gemini, which draws the same picture each time."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answer = gemini_answer(PICTURE)
        self.asked = threading.Semaphore(0)
        self.later = threading.Event()
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gemini

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if LATER.encode() in body:
            self.server.asked.release()
            self.server.later.wait(SETTLING_SECONDS)
        if REFUSED.encode() in body:
            self._send(400, b'{"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}}')
        elif EMPTY.encode() in body:
            self._send(200, b'{"candidates": [{"finishReason": "STOP", "content": {"parts": []}}]}')
        else:
            self._send(200, self.server.answer)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
        pass


@pytest.fixture(scope="module")
def gemini() -> Iterator[Gemini]:
    """An upstream whose memory is not the server's."""
    with Gemini() as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        yield upstream
        upstream.shutdown()


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory, gemini: Gemini) -> Iterator["Telling"]:
    """The server."""
    folder = tmp_path_factory.mktemp("telling")
    environ = {REPORT: str(folder / "held")}
    program = "tests.journeys.held_memory"
    server = Server(folder, upstream=gemini.url, more=SMALL_LIMITS, environ=environ, program=program)
    server.start()
    telling = Telling(server, folder / "held")
    telling.blocks()
    yield telling
    server.stop()


class Telling:
    """A server that tells what it holds."""

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self._path = path

    def blocks(self) -> Counter[Block]:
        """Return what it holds at the moment."""
        self._path.unlink(missing_ok=True)
        self.server.tell(signal.SIGUSR1)
        wait_until(self._path.exists, "the server does not tell what it holds")
        return Counter(msgspec.json.decode(self._path.read_bytes(), type=list[Block]))

    def left(self, before: Counter[Block]) -> Counter[Block]:
        """Return what it holds beyond that, once it has come to rest."""
        until = time.monotonic() + SETTLING_SECONDS
        while (more := self.blocks() - before) and time.monotonic() < until:
            time.sleep(0.05)
        return more

    def at_rest(self) -> Counter[Block]:
        """Return what it holds once that does not change any more."""
        before, now = None, self.blocks()
        while now != before:
            time.sleep(0.1)
            before, now = now, self.blocks()
        return now

    @contextmanager
    def connected(self, number: int) -> Iterator[list[HTTPConnection]]:
        """Open connections that stay for as long as this lasts."""
        lines = [HTTPConnection("127.0.0.1", self.server.port, timeout=SETTLING_SECONDS) for _ in range(number)]
        yield lines
        for line in lines:
            line.close()


def send(
    line: HTTPConnection, method: str, path: str, body: bytes = b"", kind: str = "application/json"
) -> HTTPResponse:
    """Ask for something with a key."""
    line.request(method, path, body or None, {"authorization": f"Bearer {KEY}", "content-type": kind})
    return line.getresponse()


def post(path: str, body: bytes, *, status: int = 200, kind: str = "application/json", large: bool = True) -> Ask:
    """Return what posts a body and reads the answer."""

    def ask(line: HTTPConnection) -> None:
        # Each request is one of its own; equal ones may be answered together.
        answer = send(line, "POST", path, body.replace(b"PROMPT", uuid4().hex.encode(), 1), kind)
        text = answer.read()
        assert answer.status == status, text[:500]
        assert not large or PICTURE.base64 in text

    return ask


def words(words: str = "", **more: object) -> bytes:
    """Return the JSON of a request for a picture."""
    return msgspec.json.encode({"model": "gemini-2.5-flash-image", "prompt": f"a fox PROMPT {words}", **more})


def chat(words: str = "", **more: object) -> bytes:
    """Return the JSON of a chat."""
    said = [{"role": "user", "content": f"a fox PROMPT {words}"}]
    return msgspec.json.encode({"model": "gemini-2.5-flash-image", "messages": said, **more})


def response(words: str = "", **more: object) -> bytes:
    """Return the JSON of a response."""
    return msgspec.json.encode({"model": "gemini-2.5-flash-image", "input": f"a fox PROMPT {words}", **more})


def native(words: str = "") -> bytes:
    """Return the JSON of a request for a picture from a picture, as Gemini's clients send it."""
    picture = {"inlineData": {"mimeType": "image/png", "data": PICTURE.base64.decode()}}
    return msgspec.json.encode({"contents": [{"parts": [{"text": f"a fox PROMPT {words}"}, picture]}]})


def form(words: str = "") -> bytes:
    """Return the form of an edit, with a picture."""
    fields = {"model": "gemini-2.5-flash-image", "prompt": f"a fox PROMPT {words}"}
    request = httpx.Request(
        "POST",
        "http://here/",
        data=fields,
        files={"image": ("fox.png", PICTURE.png, "image/png")},
        headers={"content-type": "multipart/form-data; boundary=fox"},
    )
    return request.read()


FORM = "multipart/form-data; boundary=fox"
IMAGES, EDITS, CHATS, RESPONSES = (
    f"/v1/{name}" for name in ("images/generations", "images/edits", "chat/completions", "responses")
)
NATIVE = "/v1beta/models/gemini-2.5-flash-image"
GENERATE, STREAM = f"{NATIVE}:generateContent", f"{NATIVE}:streamGenerateContent"
DATA_URL = f"data:image/png;base64,{PICTURE.base64.decode()}"
LONG = b'"' + b"x" * 1_000_000 + b'"'


def looked_up(line: HTTPConnection) -> None:
    """Have a response made and look it up again."""
    answer = send(line, "POST", RESPONSES, response().replace(b"PROMPT", uuid4().hex.encode()))
    made = msgspec.json.decode(answer.read())
    again = send(line, "GET", f"{RESPONSES}/{made['id']}")
    assert PICTURE.base64 in again.read()


def linked(line: HTTPConnection) -> None:
    """Have a picture made as a link, and ask for its head and its bytes."""
    body = words(response_format="url").replace(b"PROMPT", uuid4().hex.encode())
    made = msgspec.json.decode(send(line, "POST", IMAGES, body).read())
    path = re.sub(r"^http://[^/]*", "", made["data"][0]["url"])
    assert send(line, "HEAD", path).read() == b""
    assert send(line, "GET", path).read() == PICTURE.png


def filed(line: HTTPConnection) -> None:
    """Upload a file and read it again."""
    body = form().replace(b'name="image"', b'name="file"').replace(b'name="model"', b'name="purpose"')
    file = msgspec.json.decode(
        send(line, "POST", "/v1/files", body.replace(b"gemini-2.5-flash-image", b"vision"), FORM).read()
    )
    assert send(line, "GET", f"/v1/files/{file['id']}/content").read() == PICTURE.png


def in_background(line: HTTPConnection) -> None:
    """Have a response made while nobody waits, and look it up."""
    body = response(background=True).replace(b"PROMPT", uuid4().hex.encode())
    path = f"{RESPONSES}/{msgspec.json.decode(send(line, 'POST', RESPONSES, body).read())['id']}"
    wait_until(lambda: PICTURE.base64 in send(line, "GET", path).read(), "the response does not end")


def wrong_key(line: HTTPConnection) -> None:
    """Come with a key that is none, and a body that is not read."""
    line.request("POST", EDITS, LONG, {"authorization": "Bearer sk-nobody", "content-type": "application/json"})
    answer = line.getresponse()
    assert (answer.status, answer.read()[:1]) == (401, b"{")


def hang_up(line: HTTPConnection) -> None:
    """Ask for a picture and be gone before it comes."""
    line.request(
        "POST",
        EDITS,
        form().replace(b"PROMPT", uuid4().hex.encode()),
        {"authorization": f"Bearer {KEY}", "content-type": FORM},
    )
    line.close()


def break_off(line: HTTPConnection) -> None:
    """Read the beginning of a picture and be gone, without a farewell."""
    answer = send(line, "POST", CHATS, chat(modalities=["image"], stream=True).replace(b"PROMPT", uuid4().hex.encode()))
    assert answer.read(1000)
    assert line.sock is not None
    line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    line.sock.close()
    answer.close()


KINDS: dict[str, Ask] = {
    "a picture": post(IMAGES, words()),
    "a stream of pictures": post(IMAGES, words(stream=True)),
    "a picture as a link": linked,
    "an edit of a form": post(EDITS, form(), kind=FORM),
    "an edit of JSON": post(EDITS, words(images=[{"image_url": DATA_URL}])),
    "a variation": post("/v1/images/variations", form(), kind=FORM, large=False),
    "a chat": post(CHATS, chat(modalities=["image"])),
    "a chat that streams": post(CHATS, chat(modalities=["image"], stream=True)),
    "a response": post(RESPONSES, response()),
    "a response that streams": post(RESPONSES, response(stream=True)),
    "a response that is not stored": post(RESPONSES, response(store=False)),
    "a response that is looked up": looked_up,
    "a response in the background": in_background,
    "a picture for Gemini's clients": post(GENERATE, native()),
    "a stream for Gemini's clients": post(f"{STREAM}?alt=sse", native()),
    "an array for Gemini's clients": post(STREAM, native()),
    "a prediction": post(
        f"{NATIVE}:predict",
        msgspec.json.encode({"instances": [{"prompt": "a fox PROMPT"}], "parameters": {"sampleCount": 2}}),
    ),
    "nothing drawn for Gemini's clients": post(GENERATE, native(EMPTY), large=False),
    "nothing drawn in a stream for Gemini's clients": post(f"{STREAM}?alt=sse", native(EMPTY), large=False),
    "a refusal for Gemini's clients": post(GENERATE, native(REFUSED), status=400, large=False),
    "an unknown field of Gemini's clients": post(
        GENERATE, native().replace(b'"contents"', b'"content"'), status=400, large=False
    ),
    "a file": filed,
    "a video of what is no picture": post(
        "/v1/videos",
        form()
        .replace(b'name="image"', b'name="input_reference"')
        .replace(PICTURE.png[:8], b"no image")
        .replace(b"gemini-2.5-flash-image", b"veo-3.1-fast"),
        kind=FORM,
        status=400,
        large=False,
    ),
    "a refused edit": post(EDITS, form(REFUSED), kind=FORM, status=400, large=False),
    "an edit without a picture": post(EDITS, form(EMPTY), kind=FORM, status=502, large=False),
    "a stream without a picture": post(EDITS, words(EMPTY, images=[{"image_url": DATA_URL}]), status=502, large=False),
    "a chat that is refused": post(
        CHATS,
        msgspec.json.encode(
            {
                "model": "gemini-2.5-flash-image",
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": f"PROMPT {REFUSED}"},
                            {"type": "image_url", "image_url": {"url": DATA_URL}},
                        ],
                    }
                ],
            }
        ),
        status=400,
        large=False,
    ),
    "a body that is no JSON": post(EDITS, LONG[:-1], status=400, large=False),
    "a body of the wrong shape": post(EDITS, LONG, status=400, large=False),
    "an unknown model": post(
        EDITS, words(images=[{"image_url": DATA_URL}]).replace(b"2.5-flash", b"0-none"), status=404, large=False
    ),
    "an unknown path": post("/v1/nowhere", LONG, status=404, large=False),
    "a body that is too large": post(EDITS, LONG * 5, status=413, large=False),
    "a wrong key": wrong_key,
    "a client that hangs up": hang_up,
    "a client that breaks off": break_off,
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_idle_connection_holds_nothing_of_what_it_was_asked_or_answered(telling: Telling, kind: str) -> None:
    """Of each kind the first request is not counted: it makes tables and pools that stay."""
    ask = KINDS[kind]
    with telling.connected(1) as [first]:
        ask(first)
        before = telling.at_rest()
    with telling.connected(CONNECTIONS) as lines:
        for line in lines:
            ask(line)

        assert telling.left(before) == Counter()


def test_the_watch_sees_what_is_held(telling: Telling, gemini: Gemini) -> None:
    """While an edit is under way its upload is in memory, and so the test above would see one that stays."""
    before = telling.at_rest()
    with telling.connected(1) as [line]:
        line.request("POST", EDITS, form(LATER), {"authorization": f"Bearer {KEY}", "content-type": FORM})
        assert gemini.asked.acquire(timeout=SETTLING_SECONDS)
        held = telling.blocks() - before
        gemini.later.set()
        answer = line.getresponse()
        answer.read()

    assert answer.status == 200
    assert sum(block.size for block in held.elements()) > len(PICTURE.png)
