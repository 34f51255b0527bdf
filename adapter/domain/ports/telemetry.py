"""What is recorded of the work. `domain/telemetry.py` has implementations that do nothing."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from adapter.domain.finished_work import FinishedWork
from adapter.domain.spending import Spending


class UsageRecorder(Protocol):
    """The record of executions, for budgets and statistics."""

    async def record(self, spending: Spending) -> None:
        """Record pictures that are made while their request waits. A request that joins another one spends nothing.

        Raises:
            AdapterError: it is not allowed. Then nothing is made.
        """
        ...

    def record_in(self, transaction: object, spending: Spending) -> None:
        """Record a job that is accepted now, in the open database connection that accepts it.

        It may be called in another thread, and a connection may be used in that one only.

        Raises:
            AdapterError: it is not allowed. Then nothing is accepted.
        """
        ...

    async def finished(self, work: FinishedWork) -> None:
        """Record the end of pictures that were recorded by `record`: what they really cost, and whether they failed.

        It raises nothing.
        """
        ...

    def finished_in(self, transaction: object, works: Sequence[FinishedWork]) -> None:
        """Record the end of jobs, in the open database connection that ends them. It is called once for each job.

        As `record_in`, it may be called in another thread.
        """
        ...


class Metrics(Protocol):
    """Counters and durations. Any thread may call it. It raises nothing."""

    def count(self, name: str, labels: Mapping[str, str], amount: float = 1.0) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Add a value to a distribution: seconds, where the name says so."""
        ...


#: What a span is of: a request of a client, a call of a provider, or work of our own.
SpanKind = Literal["server", "client", "internal"]
Attributes = Mapping[str, str | int]


class Span(Protocol):
    """A piece of work with its begin and its end."""

    def active(self) -> AbstractContextManager[None]:
        """Have spans that begin meanwhile, and in tasks that are started meanwhile, belong to this one."""
        ...

    def end(self, attributes: Attributes, *, is_failed: bool) -> None:
        """End it."""
        ...


class Tracer(Protocol):
    """The record of what belongs together. It raises nothing.

    A parent is written as in the header `traceparent` of W3C's Trace Context.
    """

    def begin(self, name: str, kind: SpanKind, attributes: Attributes, parents: Sequence[str] = ()) -> Span:
        """Begin a span: of the one parent; by itself, with links to several; or of the span that is active."""
        ...

    def record(self, name: str, attributes: Attributes, parent: str, times: tuple[float, float]) -> None:
        """Record work that is over. `times` are its begin and its end, in Unix seconds."""
        ...

    def current(self) -> str:
        """Return the span that is active; empty without one."""
        ...
