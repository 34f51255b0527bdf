"""An execution that is over: what was made, and what it cost."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from adapter.domain.media import Image
from adapter.domain.prices import total_cost
from adapter.domain.spending import Spending
from adapter.domain.usage import Cost, Currency, Usage

#: Of what was provably not paid for.
FREE: Final = Cost(Decimal(0), Currency.USD)


class FinishedWork(msgspec.Struct, frozen=True, kw_only=True):
    """One execution that ended. Statistics and budgets count it once."""

    #: Whose it is, and what it was expected to cost.
    spending: Spending
    #: When it ended, in Unix seconds.
    at: float
    is_completed: bool
    #: What it really cost. 0: provably nothing. None: unknown, which is not free.
    cost: Cost | None
    input_tokens: int = 0
    output_tokens: int = 0
    #: What the pictures or the video measure: `1024x1024`. Empty: unknown, or nothing was made.
    size: str = ""
    #: How pictures came to be (`ImageOrder.origin`). Empty: a video.
    source: str = ""

    @property
    def units(self) -> int:
        """How much was made: pictures, or seconds of video."""
        return self.spending.units if self.is_completed else 0


def finished_pictures(spending: Spending, at: float, images: Sequence[Image], *, source: str) -> FinishedWork:
    """Return the execution that made these pictures, which are priced."""
    usage = sum((image.usage for image in images if image.usage is not None), Usage())
    return FinishedWork(
        spending=spending,
        at=at,
        is_completed=True,
        cost=total_cost(images),
        input_tokens=usage.input,
        output_tokens=usage.output,
        size=str(images[0].pixels) if images else "",
        source=source,
    )


def failed_work(spending: Spending, at: float, *, may_be_paid: bool, source: str = "") -> FinishedWork:
    """Return an execution that made nothing."""
    cost = None if may_be_paid else FREE
    return FinishedWork(spending=spending, at=at, is_completed=False, cost=cost, source=source)
