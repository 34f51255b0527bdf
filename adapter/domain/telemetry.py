"""What is recorded of the work: usage for budgets, metrics, and traces. By default nothing is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from adapter.domain.finished_work import FinishedWork
from adapter.domain.ports import Attributes, Metrics, Span, SpanKind, Tracer, UsageRecorder
from adapter.domain.spending import Spending

#: The outcome of what went well; of what did not, it is the code of the error.
COMPLETED = "completed"


class NoUsage:
    """Records nothing and allows everything (the port `UsageRecorder`)."""

    async def record(self, spending: Spending) -> None:
        """Do nothing (the port of that name)."""

    def record_in(self, transaction: object, spending: Spending) -> None:
        """Do nothing (the port of that name)."""

    async def finished(self, work: FinishedWork) -> None:
        """Do nothing (the port of that name)."""

    def finished_in(self, transaction: object, works: Sequence[FinishedWork]) -> None:
        """Do nothing (the port of that name)."""


class NoMetrics:
    """Measures nothing (the port `Metrics`)."""

    def count(self, name: str, labels: Mapping[str, str], amount: float = 1.0) -> None:
        """Do nothing (the port of that name)."""

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Do nothing (the port of that name)."""


class NoSpan:
    """Records nothing (the port `Span`)."""

    @contextmanager
    def active(self) -> Iterator[None]:
        """Do nothing (the port of that name)."""
        yield

    def end(self, attributes: Attributes, *, is_failed: bool) -> None:
        """Do nothing (the port of that name)."""


class NoTracer:
    """Records nothing (the port `Tracer`)."""

    def begin(self, name: str, kind: SpanKind, attributes: Attributes, parents: Sequence[str] = ()) -> Span:  # noqa: ARG002 - the port's
        """Do nothing (the port of that name)."""
        return NO_SPAN

    def record(self, name: str, attributes: Attributes, parent: str, times: tuple[float, float]) -> None:
        """Do nothing (the port of that name)."""

    def current(self) -> str:
        """Return nothing (the port of that name)."""
        return ""


NO_SPAN = NoSpan()


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, as `app.py` hands them out."""

    usage: UsageRecorder = msgspec.field(default_factory=NoUsage)
    metrics: Metrics = msgspec.field(default_factory=NoMetrics)
    tracer: Tracer = msgspec.field(default_factory=NoTracer)


class Traffic:
    """What a server has open."""

    def __init__(self) -> None:
        #: Requests without a whole answer.
        self.requests = 0
        #: Those of them whose answer is a stream.
        self.streams = 0


def labels_of(spending: Spending, outcome: str) -> Mapping[str, str]:
    """Return the labels of `execution_seconds`; `outcome` is `COMPLETED` or the code of an error."""
    return {"model": spending.model, "provider": spending.provider, "kind": spending.kind, "outcome": outcome}


def execution_attributes(job_id: str, labels: Mapping[str, str]) -> Attributes:
    """Return the attributes of a job's span, from its labels (`labels_of`)."""
    told = {f"adapter.{name}": value for name, value in labels.items()}
    failed = {} if labels["outcome"] == COMPLETED else {"error.type": labels["outcome"]}
    return {"adapter.job.id": job_id, **told, **failed}
