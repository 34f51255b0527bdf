"""As many pictures as go through, one core for the program: pictures/s and the cost of each."""

import statistics
from collections.abc import Sequence

from tests.bench.load import Load, drive
from tests.bench.patience import run
from tests.bench.picture import Picture
from tests.bench.programs import Program, Stage
from tests.bench.rounds import Round, measure, request
from tests.bench.table import table

HEAD = ["", "pictures/s", "of ideal rate", "CPU ms each", "least", "of ideal", "of naive", "peak MB", "load core"]


def measure_throughput(stage: Stage, picture: Picture, *, clients: int, rounds: int, seconds: float) -> str:
    """Return a table; the programs take turns, so that a noisy minute hits all of them."""
    load = Load(request("large"), len(picture.base64), clients, seconds)
    for program in stage.programs:
        run(f"pictures from {program.name}", drive(program.port, load))
    taken = [[_round(stage, program, load) for program in stage.programs] for _ in range(rounds)]
    by_name = {program.name: [turn[at] for turn in taken] for at, program in enumerate(stage.programs)}
    cost = {name: statistics.median(one.cpu for one in of_name) for name, of_name in by_name.items()}
    rate = statistics.median(one.per_second for one in by_name["ideal"])
    rows = [
        _row(program, by_name[program.name], rate, [cost[program.name] / cost[other] for other in ("ideal", "naive")])
        for program in stage.programs
    ]
    size = f"{len(picture.png) / 1e6:.2f} MB"
    return table(f"A picture of {size}, {clients} clients, upstream at once ({rounds} x {seconds:g} s)", [HEAD, *rows])


def _round(stage: Stage, program: Program, load: Load) -> Round:
    return measure(stage, program, lambda: run(f"pictures from {program.name}", drive(program.port, load)))


def _row(program: Program, rounds: Sequence[Round], ideal: float, ratios: Sequence[float]) -> list[str]:
    rate = statistics.median(one.per_second for one in rounds)
    return [
        program.name,
        f"{rate:.0f}",
        f"{rate / ideal:.0%}",
        f"{statistics.median(one.cpu for one in rounds):.2f}",
        f"{min(one.cpu for one in rounds):.2f}",
        *(f"{ratio:.2f} x" for ratio in ratios),
        f"{program.peak_megabytes():.0f}",
        f"{statistics.median(one.others for one in rounds):.0%}",
    ]
