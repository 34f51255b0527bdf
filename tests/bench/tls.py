"""What TLS to the upstream costs: each program twice, with and without it."""

import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.bench.load import Load, drive
from tests.bench.patience import run
from tests.bench.peers import start_nginx
from tests.bench.picture import Picture
from tests.bench.programs import LOAD_CORE, SERVER_CORE, Program, Stage, free_port, listens, start_adapter
from tests.bench.rounds import measure, request
from tests.bench.table import table
from tests.bench.wire import NAME
from tests.media.certificates import Authority

CLIENTS = 8
HEAD = ["", "CPU ms each", "by TLS", "extra ms", "of ideal's extra"]


class Pair(NamedTuple):
    """One program before the two upstreams."""

    plain: Program
    tls: Program


def measure_tls(folder: Path, picture: Picture, *, rounds: int, seconds: float, nginx: str | None) -> str:
    """Return a table; the programs take turns."""
    load = Load(request("large"), len(picture.base64), CLIENTS, seconds)
    with ExitStack() as stack:
        folder = folder / "tls"
        folder.mkdir()
        origins, pairs = _start(stack, folder, nginx)
        for pair in pairs:  # what is made once is made now
            _round(origins, pair, load)
        taken = [[_round(origins, pair, load) for pair in pairs] for _ in range(rounds)]
    costs = {
        pair.plain.name: [statistics.median(turn[at][part] for turn in taken) for part in range(2)]
        for at, pair in enumerate(pairs)
    }
    ideal = costs["ideal"][1] - costs["ideal"][0]
    rows = [
        [name, f"{plain:.2f}", f"{tls:.2f}", f"{tls - plain:.2f}", f"{(tls - plain) / ideal:.2f} x"]
        for name, (plain, tls) in costs.items()
    ]
    size = f"{len(picture.png) / 1e6:.2f} MB"
    return table(f"A picture of {size} by TLS, {CLIENTS} clients ({rounds} x {seconds:g} s)", [HEAD, *rows])


def _start(stack: ExitStack, folder: Path, nginx: str | None) -> tuple[Pair, Sequence[Pair]]:
    """Return the two upstreams, and the programs before them."""
    authority = Authority(folder)
    authority.server(NAME)
    trust, certificate = folder / "authority.pem", folder / f"{NAME}.pem"
    pairs = []

    def keep(plain: Program, tls: Program) -> Pair:
        pair = Pair(plain, tls)
        for program in pair:
            stack.callback(program.stop)
            program.wait_until(listens)
        return pair

    def python(name: str, core: int, *arguments: object) -> Program:
        port = free_port()
        return Program.execute(name, [sys.executable, "-m", f"tests.bench.{name}", port, *arguments], port, core=core)

    origins = keep(python("upstream", LOAD_CORE), python("upstream", LOAD_CORE, certificate))
    plain, tls = origins.plain.port, origins.tls.port
    (folder / "plain").mkdir()
    pairs.append(keep(start_adapter(folder / "plain", plain), start_adapter(folder, tls, trust)))
    pairs.append(keep(python("ideal", SERVER_CORE, plain), python("ideal", SERVER_CORE, tls, trust)))
    if nginx:
        pairs.append(keep(start_nginx(nginx, folder, plain), start_nginx(nginx, folder, tls, trust)))
    return origins, pairs


def _round(origins: Pair, pair: Pair, load: Load) -> list[float]:
    """Return the milliseconds of computing for each picture, without TLS and with it."""
    return [_cost(Stage(origin, ()), program, load) for origin, program in zip(origins, pair, strict=True)]


def _cost(stage: Stage, program: Program, load: Load) -> float:
    return measure(stage, program, lambda: run(f"pictures by TLS from {program.name}", drive(program.port, load))).cpu
