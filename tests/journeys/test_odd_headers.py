"""Header values in any bytes: none of them makes a request unreadable or us stumble."""

import re
import socket
from uuid import uuid4

import pytest

from tests.journeys.server import KEY, Server

NAMES = [
    "User-Agent",
    "X-Stainless-Retry-Count",
    "X-Stainless-Lang",
    "Last-Event-ID",
    "X-Request-ID",
    "Origin",
    "Referer",
    "Accept",
    "If-None-Match",
    "Range",
    "If-Range",
    "Cookie",
    "Traceparent",
    "X-Forwarded-For",
    "Api-Key",
    "X-Api-Key",
    "OpenAI-Organization",
]
VALUES = {
    "latin-1": b"caf\xe9",
    "utf-8": "füchse 狐 🦊".encode(),
    "broken utf-8": b"\xff\xfe\xc3",
    "punctuation": b'",;=\\%00%zz\'"()<>@[]{}',
    "empty": b"",
    "tab": b"a\tb",
    "long": b"x" * 30_000,
    "number": b"-1e309",
    "digits of others": "١٢٣".encode(),
    "many digits": b"9" * 5000,
}
TYPES = [
    b"application/json; charset=utf-8",
    b"application/json;charset=caf\xe9",
    b'application/json; charset="\xff"; x="a\\"b;c"',
    b"application/json ; ; =; \xc3\xbc",
    b"Application/JSON",
    b"application/json; boundary=" + b"x" * 5000,
]
PATHS = ["/v1/models", "/v1/videos?limit=1", "/v1/videos/video_0/events", "/v1/files/file-0/content", "/media/x.png"]


def asked(server: Server, method: str, path: str, headers: list[tuple[str, bytes]], body: bytes = b"") -> int:
    """Send a request as it is, and return the status of its answer."""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: here", b"Connection: close"]
    lines += [name.encode() + b": " + value for name, value in headers]
    lines += [b"Content-Length: %d" % len(body), b"", body]
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"\r\n".join(lines))
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert found is not None, answer[:200]
    return int(found[1])


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_header_values_in_any_bytes_are_answered_as_others_are(server: Server, value: bytes) -> None:
    """Each header that somebody reads, on paths that are there and on those that are not."""
    key = [("Authorization", f"Bearer {KEY}".encode())]
    for path in PATHS:
        usual = asked(server, "GET", path, key)
        for name in NAMES:
            assert (name, path, asked(server, "GET", path, [*key, (name, value)])) == (name, path, usual)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_a_key_in_any_bytes_is_a_key_or_refused(server: Server, value: bytes) -> None:
    """A key of idempotency that is none is a 400, one for the door a 401; nothing is made for either."""
    body = b'{"model": "gemini-2.5-flash-image", "prompt": ""}'
    key = ("Authorization", f"Bearer {KEY}".encode())

    assert asked(server, "POST", "/v1/images/generations", [key, ("Idempotency-Key", value)], body) == 400
    for door in ("Authorization", "Api-Key", "X-Api-Key"):
        assert asked(server, "GET", "/v1/models", [(door, value)]) == 401
    assert asked(server, "GET", "/v1/models", [("Authorization", b"Bearer " + value)]) == 401


@pytest.mark.parametrize("content_type", TYPES, ids=range(len(TYPES)))
def test_parameters_of_json_do_not_matter(server: Server, content_type: bytes) -> None:
    """It is UTF-8 whatever they say; the prompt arrives."""
    prompt = f"füchse {uuid4()}"
    headers = [("Authorization", f"Bearer {KEY}".encode()), ("Content-Type", content_type)]
    body = f'{{"model": "gemini-2.5-flash-image", "prompt": "{prompt}"}}'.encode()

    assert asked(server, "POST", "/v1/images/generations", headers, body) == 200
    assert server.executed(prompt) == 1
