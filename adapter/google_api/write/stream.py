"""The stream of `streamGenerateContent` as bytes (reference: `gemini-native-routes.md` section 5).

Google's Python client takes every line that does not begin with `data: ` for JSON, a comment too, and skips blank
lines. So a heartbeat is a blank line.
"""

from collections.abc import Sequence
from typing import Final

HEARTBEAT: Final = b"\r\n"


def event(pieces: Sequence[bytes | memoryview]) -> bytes:
    """Return an event."""
    return b"".join((b"data: ", *pieces, b"\r\n\r\n"))


def error_events(error: bytes) -> Sequence[bytes]:
    """Return the end of a stream that failed.

    Google sends bare JSON, and its clients raise on that. Parsers of event streams skip it: they get an event as well.
    """
    return [error + b"\r\n\r\n", event([error])]


def listed(pieces: Sequence[bytes | memoryview]) -> Sequence[bytes | memoryview]:
    """Return the whole stream as Google sends it without `alt=sse`: a JSON array."""
    return [b"[", *pieces, b"]"]
