"""What is recorded of the work: usage for budgets, and metrics. By default nothing is."""

from collections.abc import Mapping, Sequence

import msgspec

from adapter.domain.finished_work import FinishedWork
from adapter.domain.ports import Metrics, UsageRecorder
from adapter.domain.spending import Spending


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

    def set(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Do nothing (the port of that name)."""


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    """Both of them, as `app.py` hands them out."""

    usage: UsageRecorder = msgspec.field(default_factory=NoUsage)
    metrics: Metrics = msgspec.field(default_factory=NoMetrics)


class Traffic:
    """What a server has open."""

    def __init__(self) -> None:
        #: Requests without a whole answer.
        self.requests = 0
        #: Those of them whose answer is a stream.
        self.streams = 0


def labels_of(spending: Spending, outcome: str) -> Mapping[str, str]:
    """Return the labels of `execution_seconds`; `outcome` is `completed` or the code of an error."""
    return {"model": spending.model, "provider": spending.provider, "kind": spending.kind, "outcome": outcome}
