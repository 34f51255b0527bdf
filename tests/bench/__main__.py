"""`python -m tests.bench [--quick] [--peers] [--check FILE]`: about twelve minutes, or about two and noisier."""

import argparse
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench.added import measure_added
from tests.bench.bodies import measure_bodies
from tests.bench.burst import measure_burst
from tests.bench.check import BadTables, compare, figures_of
from tests.bench.filled import measure_filled
from tests.bench.growth import measure_growth
from tests.bench.idle import measure_idle
from tests.bench.jobs import measure_jobs
from tests.bench.peers import Peers, find_peers
from tests.bench.picture import large, small
from tests.bench.programs import LOAD_CORE, SERVER_CORE, Stage, running
from tests.bench.rounds import check_answer
from tests.bench.shares import measure_shares
from tests.bench.silent import measure_silent
from tests.bench.sizes import measure_sizes
from tests.bench.start import measure_start
from tests.bench.store import measure_store
from tests.bench.throughput import measure_throughput
from tests.bench.tls import measure_tls
from tests.bench.videos import measure_videos
from tests.bench.waiting import measure_waiting


class Effort(NamedTuple):
    """How often and how long."""

    starts: int
    rounds: int
    #: Of a round that is limited by computing.
    seconds: float
    #: Of a round whose answers take a second each.
    waiting_seconds: float
    #: Connections that stay open.
    idle: int
    jobs: int
    #: Rows of the job store.
    growth: tuple[int, ...]
    #: Chats that are opened at the same moment.
    burst: tuple[int, ...]
    #: Clients that have videos made, and how many each.
    makers: tuple[int, ...]
    lives: int
    #: Running at once, and readers of their progress.
    running: int
    streams: int
    beats: int


FULL = Effort(
    starts=5,
    rounds=5,
    seconds=2.5,
    waiting_seconds=7.5,
    idle=400,
    jobs=400,
    growth=(100, 10_000, 100_000),
    burst=(200, 1000, 2500),
    makers=(1, 32),
    lives=4,
    running=1000,
    streams=10_000,
    beats=4,
)
QUICK = Effort(
    starts=1,
    rounds=2,
    seconds=1.0,
    waiting_seconds=1.2,
    idle=100,
    jobs=100,
    growth=(100, 10_000),
    burst=(1000,),
    makers=(16,),
    lives=2,
    running=1000,
    streams=1000,
    beats=1,
)


def tables(effort: Effort, folder: Path, peers: Peers) -> Iterator[str]:
    """Measure, and yield each table as soon as it is there."""
    yield measure_start(folder, effort.starts)
    with running(folder, peers.start) as stage:
        yield from of_pictures(effort, stage)
    yield measure_tls(folder, large(), rounds=effort.rounds, seconds=effort.seconds / 2, nginx=peers.nginx)
    yield measure_bodies(folder)
    yield measure_shares(folder)
    yield measure_store(folder, rounds=effort.rounds, jobs=effort.jobs)
    yield measure_growth(folder, effort.growth)
    yield measure_filled(folder, effort.growth)
    yield measure_burst(folder, effort.burst)
    yield measure_videos(folder, effort.makers, rounds=effort.lives)
    yield measure_silent(folder, jobs=effort.running, streams=effort.streams)
    yield measure_jobs(folder, jobs=effort.running, streams=effort.streams, beats=effort.beats)


def of_pictures(effort: Effort, stage: Stage) -> Iterator[str]:
    """Yield the tables of pictures that pass through."""
    picture = large()
    for program in stage.programs:
        check_answer(program, picture)
    # First, while no client pool holds many idle connections: httpx looks at each of them in every call.
    yield measure_added(stage, small(), rounds=effort.rounds, seconds=effort.seconds / 5)
    yield measure_throughput(stage, picture, clients=8, rounds=effort.rounds, seconds=effort.seconds)
    yield measure_throughput(stage, picture, clients=64, rounds=effort.rounds, seconds=effort.seconds / 2)
    yield measure_sizes(stage, rounds=effort.rounds, seconds=effort.seconds)
    yield measure_waiting(stage, picture, seconds=effort.waiting_seconds)
    yield measure_idle(stage, picture, connections=effort.idle)


def main() -> None:
    """Print what was measured; with `--check`, compare it, and end with 1 if something became worse."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--peers", action="store_true", help="nginx and LiteLLM too, where they can be had")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare ratios with the tables in this document")
    chosen = parser.parse_args()
    recorded, text = None, ""
    if chosen.check:
        try:
            text = chosen.check.read_text()
            recorded = figures_of(text)
        except (OSError, UnicodeDecodeError, BadTables) as error:
            parser.error(f"{chosen.check}: {error}")
    measured = measure_all(QUICK if chosen.quick else FULL, find_peers() if chosen.peers else Peers())
    if recorded is not None:
        verdict = compare(recorded, figures_of(measured))
        sys.stdout.write(verdict.text + "\n")
        if processor() not in text:
            sys.stdout.write(f"Not recorded on this processor, {processor()}. Some ratios differ between processors.\n")
        if verdict.worse:
            sys.exit(1)


def processor() -> str:
    """Return what the kernel calls the processor; on a processor without a name, its kind."""
    names = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return names[1] if names else platform.machine()


def measure_all(effort: Effort, peers: Peers) -> str:
    """Print each table as soon as it is there, and return all of them."""
    os.sched_setaffinity(0, {LOAD_CORE})
    cores = f"programs on core {SERVER_CORE}, upstream and clients on core {LOAD_CORE}"
    sys.stdout.writelines(f"{reason}\n" for reason in peers.missing)
    sys.stdout.write(f"Python {platform.python_version()}, {processor()}; {cores}\n\n")
    printed = []
    with tempfile.TemporaryDirectory(prefix="adapter-bench-") as folder:
        for found in tables(effort, Path(folder), peers):
            sys.stdout.write(found + "\n")
            sys.stdout.flush()
            printed.append(found)
    return "\n".join(printed)


if __name__ == "__main__":
    main()
