"""Numbers in texts from outside."""

import pytest

from adapter.domain.numbers import decimal_number, whole_number

NO_NUMBERS = ["", " 1", "1 ", "+1", "-1", "²", "٣", "१", "Ⅷ", "1_0", "0x1", "1e3", "nan", "inf", "1\n", "9" * 400]


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1.0"])
def test_what_is_not_ascii_digits_is_no_whole_number(text: str) -> None:
    """`isdigit` is true for some of these, and `int` reads others."""
    assert whole_number(text, most=10**18) is None


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1.", ".5", "1.2.3", "1,5"])
def test_what_is_not_digits_and_one_point_is_no_decimal_number(text: str) -> None:
    """`float` reads some of these."""
    assert decimal_number(text, most=1e18) is None


def test_a_number_is_in_its_range() -> None:
    """The end of the range belongs to it."""
    assert [whole_number(text, most=7) for text in ("0", "007", "7", "8")] == [0, 7, 7, None]
    assert [decimal_number(text, most=7.5) for text in ("0", "7.5", "7.51")] == [0.0, 7.5, None]
