"""What is recorded of the work. `domain/telemetry.py` has implementations that do nothing."""

from collections.abc import Mapping
from typing import Protocol

from adapter.domain.spending import Spending


class UsageRecorder(Protocol):
    """The record of executions, for budgets and statistics."""

    async def record(self, spending: Spending, transaction: object | None = None) -> None:
        """Record an execution that is accepted now. A request that joins another one spends nothing.

        `transaction` is the open database connection that accepts it. It is None for pictures that are made while their
        request waits: nothing is stored for these.

        Raises:
            AdapterError: it is not allowed. Then nothing is accepted.
        """
        ...


class Metrics(Protocol):
    """Counters and durations."""

    def count(self, name: str, labels: Mapping[str, str]) -> None:
        """Add one to a counter."""
        ...

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Add a value, in seconds."""
        ...
