"""Server-sent events as bytes.

Only `event:` and `data:` lines of one-line JSON and comments: `retry:`, events without data, and a blank line anywhere
after an `id:` but at the end of an event make the Python client raise (measured, reference: `openai.md` section 3). The
Go client before 3.43 takes every blank line for the end of an event, and fails on one that is empty. So a blank line
ends an event and nothing else, and a comment has none.
"""

from typing import Final

import msgspec

DONE: Final = b"data: [DONE]\n\n"

_encoder = msgspec.json.Encoder()


def frame(payload: msgspec.Struct, *, event: str | None = None) -> bytes:
    """Return an event; streams of pictures name theirs, those of chats do not."""
    name = b"" if event is None else b"event: " + event.encode() + b"\n"
    return b"".join((name, b"data: ", _encoder.encode(payload), b"\n\n"))


def numbered(payload: msgspec.Struct, *, event: str, number: int) -> bytes:
    """Return an event that a reader can go on after: it names the number when it comes back (`Last-Event-ID`)."""
    return b"id: %d\n%b" % (number, frame(payload, event=event))


def comment(text: str) -> bytes:
    """Return a line that every client ignores and every proxy forwards."""
    return f": {text}\n".encode()
