"""The table of what was made and spent."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from adapter.domain.usage_counts import UsageCounts, UsageLabels, UsageQuery, UsageSum


class UsageStore(Protocol):
    """The sums of all processes. Each method raises StorageFailed if the database takes or gives nothing."""

    async def add(self, sums: Mapping[UsageLabels, UsageCounts]) -> None:
        """Add to the sums."""
        ...

    async def sums(self, query: UsageQuery) -> Sequence[UsageSum]:
        """Return sums, the oldest first, then by their labels. A time without work has none."""
        ...

    async def forget(self, *, before: float) -> int:
        """Delete the sums of hours that began before a time, and return how many they were."""
        ...
