"""Server-sent events as bytes.

Only `data:` lines of one-line JSON and comments: `id:`, `retry:` and events without data make the Python client raise
(measured, reference: `openai.md` section 3).
"""

from typing import Final

import msgspec

DONE: Final = b"data: [DONE]\n\n"

_encoder = msgspec.json.Encoder()


def frame(payload: msgspec.Struct) -> bytes:
    """Return an event."""
    return b"data: " + _encoder.encode(payload) + b"\n\n"


def comment(text: str) -> bytes:
    """Return a line that every client ignores and every proxy forwards."""
    return f": {text}\n\n".encode()
