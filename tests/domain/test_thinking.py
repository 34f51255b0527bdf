"""The nearest level of thinking."""

import pytest

from adapter.domain.thinking import ThinkingLevel, nearest

LEVELS = [*ThinkingLevel]
MINIMAL, LOW, MEDIUM, HIGH, XHIGH = LEVELS


@pytest.mark.parametrize(
    ("offered", "found"),
    [
        # By hand, for minimal, low, medium, high and xhigh (`nano-banana-2.1.md` section 4).
        ((MINIMAL, MEDIUM, HIGH), (MINIMAL, MINIMAL, MEDIUM, HIGH, HIGH)),
        ((HIGH, MINIMAL), (MINIMAL, MINIMAL, HIGH, HIGH, HIGH)),
        ((LOW, HIGH), (LOW, LOW, LOW, HIGH, HIGH)),
        ((MEDIUM,), (MEDIUM, MEDIUM, MEDIUM, MEDIUM, MEDIUM)),
    ],
)
def test_of_two_levels_that_are_as_near_the_shorter_one_is_taken(
    offered: tuple[ThinkingLevel, ...], found: tuple[ThinkingLevel, ...]
) -> None:
    """It costs less."""
    assert tuple(nearest(level, offered) for level in LEVELS) == found
