"""Pictures through each program: how many, at what cost, how late."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import httpx
import msgspec
import uvloop

from tests.bench.ideal import PATH
from tests.bench.load import IncompleteAnswer, Load, Seen, drive, drive_and_probe
from tests.bench.picture import Picture
from tests.bench.programs import Program
from tests.bench.table import table
from tests.bench.wire import HOST, post

ROUTE = "/v1/images/generations"
MANY = 64


class Round(NamedTuple):
    """One program under one load."""

    per_second: float
    #: Milliseconds of the program's computing for each answer.
    cpu: float
    #: Share of the other core that the upstream and the clients used; near 1 they are what was measured.
    others: float
    latencies: Sequence[float]


def request(prompt: str, route: str = ROUTE) -> bytes:
    """Return a request that the adapter and every stand-in understand."""
    return post(route, _body(prompt))


def _body(prompt: str) -> bytes:
    return msgspec.json.encode({"model": "gemini-2.5-flash-image", "prompt": prompt})


def check_answer(program: Program, picture: Picture) -> None:
    """Read one answer in full: the picture has to be in it, unharmed.

    Raises:
        IncompleteAnswer: it is not.
    """
    url = f"http://{HOST}:{program.port}{ROUTE}"
    answer = httpx.post(url, content=_body("large"), headers={"authorization": "Bearer sk-bench"}, timeout=30)
    if answer.status_code != 200 or b'"' + picture.base64 + b'"' not in answer.content:
        raise IncompleteAnswer(f"{program.name}: {answer.status_code} {answer.text[:500]}")


def measure(program: Program, upstream: Program, act: Callable[[], Seen]) -> Round:
    """Run a load and read what it cost."""
    cpu, others = program.cpu_seconds(), upstream.cpu_seconds() + time.process_time()
    seen = act()
    cpu, others = program.cpu_seconds() - cpu, upstream.cpu_seconds() + time.process_time() - others
    answered = len(seen.latencies)
    return Round(answered / seen.seconds, cpu / answered * 1000, others / seen.seconds, seen.latencies)


def measure_throughput(
    upstream: Program, programs: Sequence[Program], picture: Picture, *, rounds: int, seconds: float
) -> str:
    """Return a table of 8 clients at an upstream that answers at once."""
    load = Load(request("large"), len(picture.base64), clients=8, seconds=seconds)
    for program in programs:
        uvloop.run(drive(program.port, load))
    found: dict[str, list[Round]] = {program.name: [] for program in programs}
    for _ in range(rounds):
        for program in programs:
            found[program.name].append(measure(program, upstream, lambda p=program: uvloop.run(drive(p.port, load))))
    cpu = {name: statistics.median(one.cpu for one in of_name) for name, of_name in found.items()}
    head = ["", "pictures/s", "CPU ms each", "least", "CPU of ideal", "CPU of naive", "peak MB", "load core"]
    rows = [
        [
            program.name,
            f"{statistics.median(one.per_second for one in found[program.name]):.0f}",
            f"{cpu[program.name]:.2f}",
            f"{min(one.cpu for one in found[program.name]):.2f}",
            *_ratios(cpu, program.name),
            f"{program.peak_megabytes():.0f}",
            f"{statistics.median(one.others for one in found[program.name]):.0%}",
        ]
        for program in programs
    ]
    title = f"A picture of {len(picture.png) / 1e6:.2f} MB, 8 clients, upstream at once ({rounds} x {seconds:g} s)"
    return table(title, [head, *rows])


def _ratios(cpu: Mapping[str, float], name: str) -> list[str]:
    return [f"{cpu[name] / cpu['ideal']:.2f} x", f"{cpu[name] / cpu['naive']:.2f} x"]
