"""A few words from a text model: for side calls, which are about a conversation and not part of it."""

from typing import Literal

import msgspec


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


class TextLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an answer."""

    #: Tokens, those of thinking included.
    tokens: int
    #: How long it may take.
    seconds: float
    #: Whether it has to be JSON.
    json: bool = False
