"""One program under one load: what the clients saw and what the kernel counted."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx
import msgspec

from tests.bench.load import SEED, IncompleteAnswer, Seen
from tests.bench.picture import Picture
from tests.bench.programs import Program, Stage
from tests.bench.wire import HOST, post

ROUTE = "/v1/images/generations"


class Round(NamedTuple):
    """What one load showed."""

    per_second: float
    #: Milliseconds of the program's computing for each answer.
    cpu: float
    #: Share of the other core that the upstream and the clients used; near 1 it is they who were measured.
    others: float
    latencies: Sequence[float]


def measure(stage: Stage, program: Program, act: Callable[[], Seen]) -> Round:
    """Run a load and read what it cost."""
    cpu, others = program.cpu_seconds(), stage.upstream.cpu_seconds() + time.process_time()
    seen = act()
    cpu, others = program.cpu_seconds() - cpu, stage.upstream.cpu_seconds() + time.process_time() - others
    answered = len(seen.latencies)
    return Round(seen.per_second, cpu / answered * 1000, others / seen.seconds, seen.latencies)


def question(prompt: str) -> bytes:
    """Return the body of a request that the adapter and every stand-in understand."""
    return msgspec.json.encode({"model": "gemini-2.5-flash-image", "prompt": prompt, "seed": int(SEED)})


def request(prompt: str, route: str = ROUTE) -> bytes:
    """Return the whole request."""
    return post(route, question(prompt))


def check_answer(program: Program, picture: Picture) -> None:
    """Read one answer in full: the picture has to be in it, unharmed.

    Raises:
        IncompleteAnswer: it is not.
    """
    url = f"http://{HOST}:{program.port}{ROUTE}"
    answer = httpx.post(url, content=question("large"), headers={"authorization": "Bearer sk-bench"}, timeout=30)
    if answer.status_code != 200 or b'"' + picture.base64 + b'"' not in answer.content:
        raise IncompleteAnswer(f"{program.name}: {answer.status_code} {answer.text[:500]}")


def percentile(values: Sequence[float], share: int) -> float:
    """Return the value that so many percent stay below."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]
