"""As much HTTP as the raw programs need: keep-alive, bodies with a length, nothing else."""

import asyncio
import re

HOST = "127.0.0.1"
#: What the certificate of a TLS upstream is for.
NAME = "localhost"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def content_length(head: bytes | bytearray) -> int:
    """Return the length that a head announces.

    Raises:
        ValueError: none, as with a chunked body.
    """
    found = _LENGTH.search(head)
    if found is None:
        raise ValueError(f"no content-length in {bytes(head)!r}")
    return int(found[1])


async def read_request(reader: asyncio.StreamReader) -> bytes | None:
    """Return the body of the next request, or None when the client is gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        return await reader.readexactly(content_length(head))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def post(path: str, body: bytes) -> bytes:
    """Return a POST of JSON."""
    head = f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}authorization: Bearer sk-bench\r\n\r\n".encode() + body


def ok(length: int) -> bytes:
    """Return the head of an answer."""
    return f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n".encode()
