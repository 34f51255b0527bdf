"""The adapter, which also tells what its memory holds: `python -m tests.journeys.held_memory` instead of `-m adapter`.

On SIGUSR1 it writes down each block of memory of at least `LARGE_BYTES` that Python has allocated since the first such
signal and not freed, whoever holds it: objects, buffers of the event loop, frames of tasks, tracebacks. The garbage
collector is off, so that a body in a cycle of references counts as held.
"""

import gc
import os
import signal
import tracemalloc
from pathlib import Path

import msgspec

from adapter.entry import main

#: A body of which a connection holds this much, or more, is too much. A part of one is held while it is read.
LARGE_BYTES = 48 * 1024
#: Lines of the code that allocated a block.
FRAMES = 6
#: Where to write (environment).
REPORT = "TEST_HOLDING_REPORT"


class Block(msgspec.Struct, frozen=True, order=True):
    """A block of memory, and who allocated it."""

    size: int
    lines: tuple[str, ...]


def report(path: Path) -> None:
    """Write down what is held, all at once."""
    tracemalloc.start(FRAMES)
    traces = tracemalloc.take_snapshot().traces
    blocks = [Block(trace.size, tuple(map(str, trace.traceback))) for trace in traces if trace.size >= LARGE_BYTES]
    fresh = path.with_suffix(".part")
    fresh.write_bytes(msgspec.json.encode(blocks))
    fresh.replace(path)


if __name__ == "__main__":
    gc.disable()
    signal.signal(signal.SIGUSR1, lambda *_: report(Path(os.environ[REPORT])))
    main()
