"""The limits of keys: what accepted work takes of them."""

from collections.abc import Sequence
from typing import Protocol

from adapter.domain.allowance import Allowance, Charge, Remaining
from adapter.domain.spending import Spending


class Quotas(Protocol):
    """Counts what keys take. Keys without limits are not counted."""

    async def take(self, spending: Spending, allowance: Allowance) -> Charge | None:
        """Take what a piece of work needs of the limits of its key; None: it has none.

        Raises:
            RateLimited, LimitReached: a limit is used up. Nothing was taken.
            CostUnknown: the key has a budget, and the cost is not known in its currency.
            StorageFailed: it cannot be counted.
        """
        ...

    def take_in(self, transaction: object, spending: Spending, allowance: Allowance) -> Charge | None:
        """Do it in the open database connection that accepts a job. It may be called in another thread.

        Raises:
            RateLimited, LimitReached, CostUnknown: as `take`. Then nothing is accepted.
        """
        ...

    async def look(self, key: str, allowance: Allowance) -> None:
        """Read what a key has taken, for `remaining`. If that fails, what was known stays."""
        ...

    def remaining(self, key: str, allowance: Allowance) -> Sequence[Remaining]:
        """Return what was last known of each limit of units."""
        ...

    async def give(self, charge: Charge) -> None:
        """Give something back. What a negative amount says is taken, whatever the limit is.

        Raises:
            StorageFailed: it cannot be counted.
        """
        ...

    def give_in(self, transaction: object, charges: Sequence[Charge]) -> None:
        """Do it for several in an open database connection, as the transaction's last statements."""
        ...
