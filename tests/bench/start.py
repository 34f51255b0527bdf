"""From `adapter serve` to the first answer."""

import statistics
import time
from pathlib import Path

from tests.bench.programs import free_port, is_healthy, start_adapter
from tests.bench.table import table


def measure_start(folder: Path, times: int) -> str:
    """Return a table; the first start makes the bytecode and the database and is not counted."""
    seconds = [_start(folder) for _ in range(times + 1)][1:]
    row = [f"{value * 1000:.0f}" for value in (statistics.median(seconds), min(seconds))]
    return table(
        f"Start: `adapter serve` until /health answers ({times} times)", [["", "ms", "least"], ["adapter", *row]]
    )


def _start(folder: Path) -> float:
    started = time.perf_counter()
    program = start_adapter(folder, free_port())
    try:
        program.wait_until(is_healthy)
        return time.perf_counter() - started
    finally:
        program.stop()
