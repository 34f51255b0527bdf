"""Limits of keys that are not counted: where there is no database, and in tests."""

from collections.abc import Sequence

from adapter.domain.allowance import Allowance, Charge, Remaining
from adapter.domain.spending import Spending


class NoQuotas:
    """Counts nothing and allows everything (the port `Quotas`)."""

    async def take(self, spending: Spending, allowance: Allowance) -> Charge | None:  # noqa: ARG002 - the port's form
        """Take nothing (the port of that name)."""
        return None

    def take_in(self, transaction: object, spending: Spending, allowance: Allowance) -> Charge | None:  # noqa: ARG002
        """Take nothing (the port of that name)."""
        return None

    async def look(self, key: str, allowance: Allowance) -> None:
        """Do nothing (the port of that name)."""

    def remaining(self, key: str, allowance: Allowance) -> Sequence[Remaining]:  # noqa: ARG002 - the port's form
        """Return nothing (the port of that name)."""
        return ()

    async def give(self, charge: Charge) -> None:
        """Do nothing (the port of that name)."""

    def give_in(self, transaction: object, charges: Sequence[Charge]) -> None:
        """Do nothing (the port of that name)."""
