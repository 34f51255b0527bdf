"""Pictures of different sizes, one after the other on each connection: what they cost together, and each one's time."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from itertools import cycle

from tests.bench.load import SILENCE_SECONDS, Line, Seen, ask_for_picture
from tests.bench.patience import run, within
from tests.bench.picture import SIZES, Picture
from tests.bench.programs import Stage
from tests.bench.rounds import Round, measure, request
from tests.bench.table import table

CLIENTS = 8
NAMES = ("adapter", "ideal")


def measure_sizes(stage: Stage, *, rounds: int, seconds: float) -> str:
    """Return a table; the two programs take turns."""
    pictures = {word: draw() for word, draw in SIZES.items()}
    programs = [program for program in stage.programs if program.name in NAMES]
    taken: dict[str, list[Round]] = {name: [] for name in NAMES}
    latencies: dict[str, dict[str, list[float]]] = {name: {word: [] for word in pictures} for name in NAMES}
    for _ in range(rounds):
        for program in programs:
            what, heard = f"pictures of different sizes from {program.name}", latencies[program.name]

            def act(port: int = program.port, what: str = what, heard: dict[str, list[float]] = heard) -> Seen:
                return run(what, _drive(port, pictures, heard, seconds))

            taken[program.name].append(measure(stage, program, act))
    cost = {name: statistics.median(one.cpu for one in taken[name]) for name in NAMES}
    head = ["", "pictures/s", "CPU ms each", "of ideal", *(f"{_size(one)} ms" for one in pictures.values()), "peak MB"]
    rows = [
        [
            program.name,
            f"{statistics.median(one.per_second for one in taken[program.name]):.0f}",
            f"{cost[program.name]:.2f}",
            f"{cost[program.name] / cost['ideal']:.2f} x",
            *(f"{statistics.median(of_size) * 1000:.1f}" for of_size in latencies[program.name].values()),
            f"{program.peak_megabytes():.0f}",
        ]
        for program in programs
    ]
    return table(f"Pictures of four sizes in turn, {CLIENTS} clients ({rounds} x {seconds:g} s)", [head, *rows])


def _size(picture: Picture) -> str:
    size = len(picture.png)
    return f"{size / 1e6:.1f} MB" if size > 1e6 else f"{size / 1e3:.0f} KB"


async def _drive(port: int, pictures: Mapping[str, Picture], heard: Mapping[str, list[float]], seconds: float) -> Seen:
    lines = [await Line.open(port) for _ in range(CLIENTS)]
    began = time.perf_counter()

    async def keep_asking(line: Line, first: int) -> Sequence[float]:
        taken = []
        # Each client begins with another size.
        words = cycle([*pictures][first % len(pictures) :] + [*pictures][: first % len(pictures)])
        while (asked := time.perf_counter()) < began + seconds:
            word = next(words)
            await ask_for_picture(line, request(word), len(pictures[word].base64))
            taken.append(time.perf_counter() - asked)
            heard[word].append(taken[-1])
        return taken

    async with within(seconds + SILENCE_SECONDS, "the last pictures of different sizes"):
        taken = await asyncio.gather(*(keep_asking(line, first) for first, line in enumerate(lines)))
    for line in lines:
        line.close()
    return Seen([latency for of_line in taken for latency in of_line], CLIENTS, time.perf_counter() - began)
