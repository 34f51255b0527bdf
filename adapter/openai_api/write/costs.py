"""Translates costs to the fields of `usage` that have them: `cost` in dollars, as OpenRouter has it, and `credits`."""

from msgspec import UNSET, UnsetType

from adapter.domain.usage import Cost, Currency


def in_dollars(cost: Cost | None) -> float | UnsetType:
    """Return a cost in dollars; unset if it is unknown or in credits. JSON then has all its digits, and no more."""
    return float(cost.amount) if cost is not None and cost.currency is Currency.USD else UNSET


def in_credits(cost: Cost | None) -> float | UnsetType:
    """Return a cost in credits; unset if it is unknown or in dollars."""
    return float(cost.amount) if cost is not None and cost.currency is Currency.CREDITS else UNSET
