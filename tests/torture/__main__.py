"""The long form: every edge, killed and refused, on both databases; then so many random trials of each kind.

One line for each trial, a table at the end; the exit status says whether every promise was kept.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from tests.jobs.life import LifeOfJobs, find_broken_promise, life_settings
from tests.postgres import PostgresServer, find_programs
from tests.torture.bugs import BUGS
from tests.torture.nursery import Nursery
from tests.torture.plan import (
    CRITICAL,
    NEIGHBOURS,
    Row,
    broken,
    faults,
    kills,
    pairs,
    peace,
    raises,
    random_pairs,
    randoms,
)
from tests.torture.runs import Outcome, enumerate_edges
from tests.torture.stage import Stage

FAULT_ROUNDS = 3
#: Lives of jobs for each random trial, and the most steps of one.
LIVES, LIFE_STEPS = 5, 60
#: What they are called where rows are chosen.
LIVES_ROW = "lives of jobs on each database"


def rows(edges: Sequence[str], seeds: Sequence[int]) -> dict[str, Row]:
    """Return everything that is tried on one database."""
    return {
        "kill at every edge": kills(edges),
        "failure at every edge": raises(edges),
        "faults of Google": faults(FAULT_ROUNDS),
        "kill at random": randoms(seeds),
        "two: kill, pause at edges": [*peace(), *pairs([*CRITICAL, f"{NEIGHBOURS}before"])],
        "two: pauses, kill at random": random_pairs(seeds),
    }


async def torture(stage: Stage, engine: str, seeds: Sequence[int], only: str) -> list[tuple[str, list[Outcome]]]:
    """Put everything on that is tried on one database."""
    edges = await stage.edges(enumerate_edges)
    print(f"{engine}: {len(edges)} edges")
    done = []
    for name, row in rows(edges, seeds).items():
        if only in name:
            done.append((f"{engine}, {name}", await stage.play_all(row, lambda outcome: print(outcome, flush=True))))
    return done


async def bugs(stage: Stage) -> list[str]:
    """Put every seeded bug on and return those that were not found."""
    outcomes = await stage.play_all(broken(), lambda _: None)
    return [outcome.name for outcome in outcomes if not outcome.violations]


def lives(count: int, new_url: Callable[[], str] | None) -> bool:
    """Live so many lives of jobs on a database (`tests/jobs/life.py`), and return whether all promises were kept."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    class Lives(LifeOfJobs):
        """Lives on that database."""

    Lives.new_url = staticmethod(new_url) if new_url else None
    broken = find_broken_promise(Lives, life_settings(count, LIFE_STEPS, is_random=True))
    if broken is not None:
        print(broken)
    return broken is None


def summary(done: Sequence[tuple[str, Sequence[Outcome]]]) -> str:
    """Return the table at the end."""
    lines = [f"{'':40} trials disturbances   jobs executions unknown files swept violations seconds"]
    for name, outcomes in done:
        sums = [
            sum(outcome.disturbances for outcome in outcomes),
            sum(outcome.jobs for outcome in outcomes),
            sum(outcome.executions for outcome in outcomes),
            sum(outcome.unknown for outcome in outcomes),
            sum(outcome.files for outcome in outcomes),
            sum(outcome.swept for outcome in outcomes),
            sum(len(outcome.violations) for outcome in outcomes),
        ]
        seconds = sum(outcome.seconds for outcome in outcomes)
        lines.append(
            "{:40} {:6} {:12} {:6} {:10} {:7} {:5} {:5} {:10} {:7.0f}".format(name, len(outcomes), *sums, seconds)
        )
    return "\n".join(lines)


def main() -> int:
    """Do all of it."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--count", type=int, default=100, help="random trials of each kind")
    reader.add_argument("--seed", type=int, default=1, help="the first one's seed")
    reader.add_argument("--engine", choices=["sqlite", "postgresql"], help="one database only")
    reader.add_argument("--only", default="", help="rows of the table whose name contains this")
    told = reader.parse_args()
    began = time.monotonic()
    seeds = range(told.seed, told.seed + told.count)
    folder = Path(tempfile.mkdtemp(prefix="adapter-torture-"))
    print(f"what is left of each trial: {folder}")
    nursery, done = Nursery(), []
    programs = find_programs() if told.engine != "sqlite" else None
    postgres = PostgresServer(programs) if programs else None
    engines: dict[str, Callable[[], str] | None] = {} if told.engine == "postgresql" else {"sqlite": None}
    if postgres:
        engines["postgresql"] = postgres.new_url
    try:
        is_kept = told.only not in LIVES_ROW or all(lives(LIVES * told.count, url) for url in engines.values())
        missed = [] if told.only else asyncio.run(bugs(Stage(nursery, folder / "bugs")))
        for engine, new_url in engines.items():
            done += asyncio.run(torture(Stage(nursery, folder / engine, new_url), engine, seeds, told.only))
    finally:
        nursery.close()
        if postgres:
            postgres.remove()
    print(f"\n{summary(done)}\n")
    if told.only in LIVES_ROW:
        print(f"{LIVES * told.count} {LIVES_ROW}: {'every promise was kept' if is_kept else 'a promise was broken'}")
    if not told.only:
        print(f"seeded bugs found: {len(BUGS) - len(missed)} of {len(BUGS)} {missed or ''}")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if missed or not is_kept or any(outcome.violations for _, outcomes in done for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
