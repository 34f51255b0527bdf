"""A journal that survives `kill -9`: one line of JSON per answer, on the disk before the answer goes out."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from adapter.sandbox.memory.records import Event

_LINE = msgspec.json.Decoder(list[Event])


class Journal:
    """An append-only `folder/journal.jsonl`; one line is one answer, so it is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "journal.jsonl"
        self._path.touch()

    def replay(self) -> Iterator[Event]:
        """Yield every event of the past in order.

        A line that a kill cut in the middle is removed first, so that the next line begins on its own.
        """
        lines = self._path.read_bytes()
        whole = lines.rfind(b"\n") + 1
        if whole < len(lines):
            os.truncate(self._path, whole)
        for line in lines[:whole].splitlines():
            yield from _LINE.decode(line)

    def append(self, events: tuple[Event, ...]) -> None:
        """Write one line and return when it is on the disk."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(events) + b"\n")
            file.flush()
            os.fsync(file.fileno())
