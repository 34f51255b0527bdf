"""What is recorded of the work. `domain/telemetry.py` has implementations that do nothing."""

from collections.abc import Mapping
from typing import Protocol

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


class Metrics(Protocol):
    """Counters, durations and gauges. Any thread may call it. It raises nothing."""

    def count(self, name: str, labels: Mapping[str, str], amount: float = 1.0) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Add a value to a distribution: seconds, where the name says so."""
        ...

    def set(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Set a gauge."""
        ...
