"""Server-sent events as bytes.

Only `event:` and `data:` lines of one-line JSON and comments: `id:`, `retry:` and events without data make the Python
client raise (measured, reference: `openai.md` section 3).
"""

from typing import Final

import msgspec

DONE: Final = b"data: [DONE]\n\n"

_encoder = msgspec.json.Encoder()


def frame(payload: msgspec.Struct, *, event: str | None = None) -> bytes:
    """Return an event; streams of pictures name theirs, those of chats do not."""
    name = b"" if event is None else b"event: " + event.encode() + b"\n"
    return b"".join((name, b"data: ", _encoder.encode(payload), b"\n\n"))


def comment(text: str) -> bytes:
    """Return a line that every client ignores and every proxy forwards."""
    return f": {text}\n\n".encode()
