"""What a program adds to the time of one call: a picture so small that its bytes do not count."""

import statistics

from tests.bench.ideal import PATH
from tests.bench.load import Load, drive
from tests.bench.patience import run
from tests.bench.picture import Picture
from tests.bench.programs import Program, Stage
from tests.bench.rounds import ROUTE, request
from tests.bench.table import table

HEAD = ["", "median ms", "added ms"]


def measure_added(stage: Stage, picture: Picture, *, rounds: int, seconds: float) -> str:
    """Return a table; the upstream itself is the first row."""
    everyone = [stage.upstream, *stage.programs]
    taken = [[_median(program, picture, seconds) for program in everyone] for _ in range(rounds)]
    medians = [statistics.median(of_one) * 1000 for of_one in zip(*taken, strict=True)]
    rows = [
        [program.name, f"{median:.2f}", f"{median - medians[0]:.2f}"]
        for program, median in zip(everyone, medians, strict=True)
    ]
    title = f"A picture of {len(picture.png) / 1000:.0f} KB, 1 client ({rounds} x {seconds:g} s)"
    return table(title, [HEAD, *rows])


def _median(program: Program, picture: Picture, seconds: float) -> float:
    route = PATH if program.name == "upstream" else ROUTE
    load = Load(request("small", route), len(picture.base64), 1, seconds)
    latencies = run(f"small pictures from {program.name}", drive(program.port, load)).latencies
    return statistics.median(latencies)
