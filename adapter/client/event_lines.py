"""Reads a stream of events (HTML standard, "Server-sent events"): only the data of each."""

from collections.abc import Iterable, Iterator


def event_data(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the data of each event that came whole. Comments and the other fields are left out."""
    data: list[bytes] = []
    for line in _lines(pieces):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data = []


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    left = b""
    for piece in pieces:
        *whole, left = (left + piece).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in whole)
