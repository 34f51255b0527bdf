"""Requests whose bodies a client, or a proxy before us, has compressed."""

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from uuid import uuid4

import httpx
import pytest

from tests.fakes import png
from tests.journeys.server import KEY, Server
from tests.pictures import opened

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MODEL = "gemini-2.5-flash-image"
HEADERS = {"authorization": f"Bearer {KEY}"}
PACKS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
    "gzip, zstd": lambda body: zstd.compress(gzip.compress(body)),
    "identity": bytes,
    "utf-8": bytes,
}


def form(prompt: str) -> httpx.Request:
    """Return an edit as a form."""
    fields = {"model": MODEL, "prompt": prompt}
    request = httpx.Request("POST", "http://here", data=fields, files={"image": ("fox.png", png(64, 64), "image/png")})
    request.read()
    return request


def in_chunks(body: bytes) -> Iterator[bytes]:
    """Yield a body without saying how long it is."""
    yield from (body[at : at + 100] for at in range(0, len(body), 100))


@pytest.mark.parametrize("coding", PACKS)
@pytest.mark.parametrize("chunked", [False, True])
def test_json_and_forms_may_be_compressed(http: httpx.Client, server: Server, coding: str, *, chunked: bool) -> None:
    """With a length and in chunks; each request is executed once."""
    prompt = f"waves {uuid4()}"
    sent = form(prompt)
    bodies = [
        ("images/generations", "application/json", json.dumps({"model": MODEL, "prompt": prompt}).encode()),
        ("images/edits", sent.headers["content-type"], sent.content),
    ]
    for path, content_type, body in bodies:
        packed = PACKS[coding](body)
        answer = http.post(
            f"{server.url}/v1/{path}",
            headers={**HEADERS, "content-type": content_type, "content-encoding": coding},
            content=in_chunks(packed) if chunked else packed,
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        assert opened(answer.json()["data"][0]["b64_json"]).size == (1024, 1024)
    assert server.executed(prompt) == 2


@cache
def bomb(coding: str) -> bytes:
    """Return a small body that becomes 400 MB."""
    return PACKS[coding](b" " * (400 * 1024 * 1024))


def posted(
    http: httpx.Client, server: Server, body: bytes, coding: str, path: str = "chat/completions"
) -> httpx.Response:
    """Post a body as JSON."""
    headers = {**HEADERS, "content-type": "application/json", "content-encoding": coding}
    return http.post(f"{server.url}/v1/{path}", headers=headers, content=body, timeout=60)


@pytest.mark.parametrize("coding", ["br", "compress", "gzip, br", "caf\xe9"])
def test_what_is_not_taken_is_refused_with_what_is(http: httpx.Client, server: Server, coding: str) -> None:
    """RFC 9110, section 15.5.16."""
    headers = {b"content-encoding": coding.encode("latin-1"), b"authorization": f"Bearer {KEY}".encode()}
    answer = http.post(f"{server.url}/v1/images/generations", headers=headers, content=b"x")

    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_content_encoding")
    assert answer.headers["accept-encoding"] == "gzip, deflate, zstd, identity"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("path", ["images/generations", "chat/completions", "responses", "videos"])
def test_a_broken_body_is_refused(http: httpx.Client, server: Server, coding: str, path: str) -> None:
    """Cut, followed by something, or not compressed at all."""
    packed = PACKS[coding](b'{"model": "x"}')
    for body in (packed[:-2], packed + b"\0", b'{"model": "x"}'):
        answer = posted(http, server, body, coding, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_encoding")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("path", ["images/generations", "chat/completions", "responses", "videos", "images/edits"])
def test_a_bomb_is_too_large(http: httpx.Client, server: Server, coding: str, path: str) -> None:
    """It is refused while it is decoded, as far as a body may go."""
    answer = posted(http, server, bomb(coding), coding, path)

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"


def test_a_key_and_a_path_are_looked_at_first(http: httpx.Client, server: Server) -> None:
    """And where no body is read, none is judged."""
    broken = {"content-encoding": "br"}

    assert http.post(f"{server.url}/v1/chat/completions", headers=broken, content=b"x").status_code == 401
    assert http.post(f"{server.url}/v1/nothing", headers={**HEADERS, **broken}, content=b"x").status_code == 404
    assert http.get(f"{server.url}/v1/models", headers={**HEADERS, **broken}).status_code == 200
