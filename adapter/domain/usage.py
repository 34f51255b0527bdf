"""What a picture or a video cost: tokens, and money or credits."""

from decimal import Decimal
from enum import StrEnum
from typing import Self

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as the provider counted them."""

    input_text: int = 0
    input_image: int = 0
    output_text: int = 0
    output_image: int = 0

    @property
    def input(self) -> int:
        """All input tokens."""
        return self.input_text + self.input_image

    @property
    def output(self) -> int:
        """All output tokens, thoughts included."""
        return self.output_text + self.output_image

    @property
    def total(self) -> int:
        """Both."""
        return self.input + self.output

    def __add__(self, other: Self) -> "Usage":
        return Usage(
            input_text=self.input_text + other.input_text,
            input_image=self.input_image + other.input_image,
            output_text=self.output_text + other.output_text,
            output_image=self.output_image + other.output_image,
        )


class VideoTokens(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of a video as the provider counted them."""

    input: int = 0
    #: All output tokens.
    output: int = 0
    #: Those of the output that are video: other ones have another price.
    output_video: int = 0


class Currency(StrEnum):
    """What is paid with."""

    USD = "USD"
    #: Of a Flow account.
    CREDITS = "credits"


class Cost(msgspec.Struct, frozen=True):
    """An amount, exact. What is unknown has no `Cost`; 0 is free."""

    amount: Decimal
    currency: Currency

    def __str__(self) -> str:
        """Write it for people and logs: `0.0336 USD`."""
        return f"{self.amount.normalize():f} {self.currency}"

    def __add__(self, other: Self) -> "Cost":
        if self.currency is not other.currency:
            raise ValueError(f"{self} and {other} are two currencies")
        return Cost(self.amount + other.amount, self.currency)

    def times(self, count: int) -> "Cost":
        """Return the cost of so many."""
        return Cost(self.amount * count, self.currency)
