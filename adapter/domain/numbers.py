"""Numbers in texts from outside: from clients, from providers and from stores.

`str.isdigit` is true for `²`, and `int` reads digits of every script. So a text is a number here only if it has ASCII
digits, and only if the number is in a range that the caller names.
"""

import re

#: Longer texts are not numbers: the digits of a 64-bit number, and as many behind the point.
_WHOLE = re.compile(r"[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,19}(?:\.[0-9]{1,19})?")


def whole_number(text: str, *, most: int) -> int | None:
    """Return a text of digits as a number from 0 to `most`; None if it is none."""
    return int(text) if _WHOLE.fullmatch(text) and int(text) <= most else None


def decimal_number(text: str, *, most: float) -> float | None:
    """Return a text of digits, with a point or without, as a number from 0 to `most`; None if it is none."""
    return float(text) if _DECIMAL.fullmatch(text) and float(text) <= most else None
