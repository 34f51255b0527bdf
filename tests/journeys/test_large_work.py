"""A server that has as much large work as it can hold, and one that is told to stop in the middle of it."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from adapter.connections import BEGUN_BYTES
from tests.fakes import png
from tests.journeys.running import KEY, Server

HEADERS = {"authorization": f"Bearer {KEY}"}
#: A picture of 1K is reckoned at six megabytes.
NARROW = "[limits]\nmemory_bytes = 8000000\nwait_seconds = 0.2"
#: Memory for eight bodies of this size.
BODY_BYTES = 4 * 1024 * 1024
EIGHT_BODIES = f"[limits]\nmemory_bytes = {8 * 2 * BODY_BYTES}\nwait_seconds = 5"


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Server]:
    """A server with room for one picture."""
    server = Server(tmp_path, more=NARROW)
    server.start()
    yield server
    assert server.stop() == 0


def asked(
    server: Server, answers: list[httpx.Response], http: httpx.Client, path: str, *, seed: int = 1
) -> threading.Thread:
    """Ask for a picture beside the test; each seed is a request of its own."""
    bodies = {
        "/v1/images/generations": {"json": {"model": "gemini-2.5-flash-image", "prompt": "a slow fox", "seed": seed}},
        "/v1/chat/completions": {
            "json": {
                "model": "gemini-2.5-flash-image",
                "messages": [{"role": "user", "content": "a slow fox"}],
                "seed": seed,
            }
        },
        "/v1/images/edits": {"data": {"prompt": "a slow fox", "seed": str(seed)}, "files": {"image": png()}},
    }
    thread = threading.Thread(
        target=lambda: answers.append(
            http.post(f"{server.url}{path}", headers=HEADERS, timeout=30, **bodies[path])  # type: ignore[arg-type]
        )
    )
    thread.start()
    return thread


@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/images/edits", "/v1/chat/completions"])
def test_what_finds_no_room_is_asked_to_come_back(narrow: Server, http: httpx.Client, path: str) -> None:
    """One is served, the others wait a little and get a 503 that their SDK may repeat; nothing was paid for them."""
    narrow.fault(on="gemini.generate", do="delay", seconds=1.5)
    answers: list[httpx.Response] = []
    for thread in [asked(narrow, answers, http, path, seed=seed) for seed in range(3)]:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200, 503, 503]
    for refused in (answer for answer in answers if answer.status_code == 503):
        assert refused.json()["error"]["code"] == "server_busy"
        assert (refused.headers["x-should-retry"], refused.headers["retry-after"]) == ("true", "10")
    assert narrow.executed("a slow fox") == 1
    assert (
        http.post(f"{narrow.url}/v1/images/generations", json={"prompt": "a fox"}, headers=HEADERS).status_code == 200
    )


def dripping(server: Server, length: int) -> socket.socket:
    """Announce a body on a connection of its own, and send as much of it as lets its request begin."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    head = (
        f"POST /v1/images/edits HTTP/1.1\r\nhost: here\r\nauthorization: Bearer sk-second\r\ncontent-length: {length}"
    )
    connection.sendall(f"{head}\r\ncontent-type: application/json\r\n\r\n{{".encode() + b" " * BEGUN_BYTES)
    return connection


@pytest.mark.parametrize("length", [BODY_BYTES, 128_000_000])
def test_bodies_that_do_not_come_lock_no_other_owner_out(tmp_path: Path, http: httpx.Client, length: int) -> None:
    """Neither those that announce all memory, nor those that hold it: one of these may be asked to come back."""
    server = Server(tmp_path, more=EIGHT_BODIES)
    server.start()
    with ExitStack() as open_ones:
        bodies = [open_ones.enter_context(dripping(server, length)) for _ in range(12)]
        answers: list[httpx.Response] = []
        asked(server, answers, http, "/v1/images/edits").join()
        refused, _, _ = select.select(bodies, [], [], 0)
        said = [connection.recv(12) for connection in refused]
    server.stop()

    assert [answer.status_code for answer in answers] == [200]
    assert set(said) <= ({b"HTTP/1.1 503"} if length == BODY_BYTES else set())


def test_a_picture_under_way_is_handed_over_before_the_server_stops(tmp_path: Path, http: httpx.Client) -> None:
    """It is paid for."""
    server = Server(tmp_path)
    server.start()
    server.fault(on="gemini.generate", do="delay", seconds=1.5)
    answers: list[httpx.Response] = []
    thread = asked(server, answers, http, "/v1/images/generations")
    server.wait_until_asked("gemini.generate")

    assert server.stop() == 0
    thread.join()
    assert answers[0].status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_picture_that_takes_too_long_for_a_stopping_server_is_an_error_in_openais_shape(
    tmp_path: Path, http: httpx.Client, *, stream: bool
) -> None:
    """And one that the client's SDK does not repeat: the picture may be paid for."""
    server = Server(tmp_path, server="shutdown_seconds = 1")
    server.start()
    server.fault(on="gemini.generate", do="delay", seconds=20)
    body = {"model": "gemini-2.5-flash-image", "prompt": "a fox", "stream": stream}
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(http.post(f"{server.url}/v1/images/generations", json=body, headers=HEADERS, timeout=30))

    thread = threading.Thread(target=ask)
    thread.start()
    server.wait_until_asked("gemini.generate")
    assert server.stop() == 0
    thread.join()

    [answer] = answers
    if stream:
        assert "event: error" in answer.text
        assert "server_draining" in answer.text
    else:
        assert (answer.status_code, answer.headers["x-should-retry"]) == (503, "false")
        assert answer.json()["error"]["code"] == "server_draining"
