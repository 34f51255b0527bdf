"""What is read when the page is asked for. No code on the way of a request knows of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from adapter.budget import MemoryBudget
from adapter.database.write_queue import WriteQueue
from adapter.domain.job import LIVE
from adapter.domain.job_kinds import KINDS
from adapter.domain.ports import Credentials
from adapter.domain.telemetry import Traffic
from adapter.jobs.census import JobCount
from adapter.version import VERSION

#: The families, after `adapter_`, and what they mean.
FACTS: Final[Mapping[str, str]] = {
    "info": "1; its label is the version.",
    "requests_open": "Requests that have no whole answer yet.",
    "streams_open": "Those of them whose answer is a stream.",
    "memory_limit_bytes": "limits.memory_bytes: the memory for large requests.",
    "memory_used_bytes": "What large requests have reserved of it.",
    "memory_waiting_requests": "Requests that wait for memory.",
    "memory_waiting_bytes": "How much they wait for.",
    "writes_waiting": "Transactions that wait for their turn, by what they write for.",
    "database_readable": "1 if the jobs could be counted just now. If 0, the families of jobs are missing.",
    "credits": "What a configured account may still spend, as last read by this process.",
    "jobs": "Jobs that are not over, of all processes on this database.",
    "job_oldest_seconds": "The age of the oldest one; 0 if there is none.",
}


class Fact(msgspec.Struct, frozen=True):
    """One value of a family of `FACTS`."""

    family: str
    value: float
    labels: Mapping[str, str] = {}


def traffic_facts(traffic: Traffic) -> Iterator[Fact]:
    """Yield what the server has open."""
    yield Fact("info", 1.0, {"version": VERSION})
    yield Fact("requests_open", traffic.requests)
    yield Fact("streams_open", traffic.streams)


def memory_facts(budget: MemoryBudget) -> Iterator[Fact]:
    """Yield how the memory budget stands."""
    waiting = budget.waiting
    yield Fact("memory_limit_bytes", budget.capacity)
    yield Fact("memory_used_bytes", budget.used)
    yield Fact("memory_waiting_requests", len(waiting))
    yield Fact("memory_waiting_bytes", sum(waiting))


def write_facts(queue: WriteQueue) -> Iterator[Fact]:
    """Yield how many writers wait."""
    for turn, count in queue.waiting.items():
        yield Fact("writes_waiting", count, {"turn": turn.name.lower()})


def credit_facts(credentials: Iterable[Credentials]) -> Iterator[Fact]:
    """Yield what each account has left that told it: one that left the configuration has no series any more."""
    for state in (state for each in credentials for state in each.states()):
        if state.balance is not None:
            labels = {"provider": state.provider, "credential": state.name}
            yield Fact("credits", state.balance.credits, labels)


def job_facts(counts: Iterable[JobCount], now: float) -> Iterator[Fact]:
    """Yield the live jobs of every kind and state, also where there are none."""
    found = {(each.kind, each.state): each for each in counts}
    for kind in KINDS:
        for state in LIVE:
            labels = {"kind": kind.name, "state": state.value}
            each = found.get((kind.name, state.value))
            yield Fact("jobs", each.count if each else 0, labels)
            yield Fact("job_oldest_seconds", max(0.0, now - each.oldest_at) if each else 0.0, labels)
