"""Many pictures in flight at once, as real ones are: nearly all of the time is the upstream's."""

import time

from tests.bench.load import Load, drive, drive_and_probe
from tests.bench.patience import run
from tests.bench.picture import Picture
from tests.bench.programs import REST_SECONDS, Program, Stage
from tests.bench.rounds import measure, percentile, request
from tests.bench.table import table
from tests.bench.upstream import SLOW_SECONDS

CLIENTS = 64
HEAD = ["", "pictures/s", "of ideal rate", "CPU ms each", "p50 s", "p99 s", "peak MB", "/health p99 ms"]


def measure_waiting(stage: Stage, picture: Picture, *, seconds: float) -> str:
    """Return a table. All clients begin at the same moment: the first burst is the p99."""
    time.sleep(REST_SECONDS)  # else the peak would be what the table before has left
    load = Load(request("large slow"), len(picture.base64), CLIENTS, seconds)
    rows = [_row(stage, program, load) for program in stage.programs]
    title = f"{CLIENTS} clients, upstream after {SLOW_SECONDS:g} s: ideal is {CLIENTS / SLOW_SECONDS:.0f} pictures/s"
    return table(title, [HEAD, *rows])


def _row(stage: Stage, program: Program, load: Load) -> list[str]:
    what = f"slow pictures from {program.name}"
    program.forget_peak()
    found = measure(stage, program, lambda: run(what, drive(program.port, load)))
    peak = program.peak_megabytes()
    pulse: list[float] = []
    if program.name == "adapter":
        # A load of its own: no other row answers the probe, so this one must not pay for it.
        run(f"{what}, and /health", drive_and_probe(program.port, load, pulse))
    return [
        program.name,
        f"{found.per_second:.1f}",
        f"{found.per_second / CLIENTS * SLOW_SECONDS:.0%}",
        f"{found.cpu:.2f}",
        f"{percentile(found.latencies, 50):.3f}",
        f"{percentile(found.latencies, 99):.3f}",
        f"{peak:.0f}",
        f"{percentile(pulse, 99) * 1000:.0f}" if pulse else "",
    ]
