"""`python -m tests.bench.checkouts CHECKOUT...`: what a video costs in each checkout, measured in turns by this bench.

A machine that is shared has slow minutes. What is measured in turns has them together, so the ratios hold.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.patience import run
from tests.bench.programs import LOAD_CORE
from tests.bench.table import table
from tests.bench.videos import Cost, measured

HEAD = ["CPU ms for each video", "median", "least", "of the first"]


def measure_checkouts(checkouts: Sequence[Path], *, clients: int, rounds: int, turns: int) -> str:
    """Return a table, with a row for each checkout; the ratio is that of the medians."""
    found: dict[Path, list[float]] = {checkout: [] for checkout in checkouts}
    for _ in range(turns):
        for checkout in checkouts:
            found[checkout].append(_cost(checkout, clients, rounds).cpu)
    first = statistics.median(found[checkouts[0]])
    title = f"{clients} clients, {rounds} videos each, {turns} turns"
    return table(title, [HEAD, *(_row(checkout, costs, first) for checkout, costs in found.items())])


def _cost(checkout: Path, clients: int, rounds: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        return run(f"videos of {checkout}", measured(Path(folder), clients, rounds, checkout))


def _row(checkout: Path, costs: Sequence[float], first: float) -> list[str]:
    median = statistics.median(costs)
    return [checkout.name, f"{median:.1f}", f"{min(costs):.1f}", f"{median / first:.2f} x"]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.checkouts")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3, help="videos of each client")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("checkouts", type=Path, nargs="+")
    given = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    checkouts = [checkout.absolute() for checkout in given.checkouts]
    print(measure_checkouts(checkouts, clients=given.clients, rounds=given.rounds, turns=given.turns))


if __name__ == "__main__":
    main()
