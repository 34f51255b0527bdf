"""How long a model that makes pictures thinks first."""

from collections.abc import Collection
from enum import StrEnum


class ThinkingLevel(StrEnum):
    """Gemini's levels, the shortest first (reference: `nano-banana-2.1.md` section 3)."""

    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"

    @property
    def rank(self) -> int:
        """Its place among all levels."""
        return [*ThinkingLevel].index(self)


def nearest(level: ThinkingLevel, offered: Collection[ThinkingLevel]) -> ThinkingLevel:
    """Return the offered level that is nearest; of two that are as near, the shorter one, which costs less."""
    return min(offered, key=lambda each: (abs(each.rank - level.rank), each.rank))
