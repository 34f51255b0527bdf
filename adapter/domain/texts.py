"""Texts: the few words of a side call, and requests that are passed to a text model as they came."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Literal

import msgspec

from adapter.domain.prices import TextPrice
from adapter.domain.principal import Principal


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


class TextMethod(StrEnum):
    """The route of a provider that a request is passed to."""

    #: OpenAI's chat completions.
    CHAT = "chat"
    #: Google's own routes.
    GENERATE = "generateContent"
    STREAM = "streamGenerateContent"


class TextRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a text, whose body is passed on as it is."""

    provider: str
    #: The provider's own name of the model.
    model: str
    method: TextMethod
    body: bytes
    #: Whether the answer comes in pieces.
    is_stream: bool = False
    #: Whether the pieces of Google's own stream are events (`alt=sse`), and not a JSON array.
    is_events: bool = False
    #: Whether the answer says what tokens it took. A stream of chats does if it is asked to.
    has_usage: bool = True
    #: The client's name of the model, and what its tokens cost as the model's card has it.
    name: str = ""
    prices: tuple[TextPrice, ...] = ()
    #: Who sends it; None: it is not known, and nothing is counted.
    principal: Principal | None = None

    def of(self, principal: Principal) -> "TextRequest":
        """Return the same request with its sender."""
        return msgspec.structs.replace(self, principal=principal)


class TextReply(msgspec.Struct, frozen=True):
    """The answer to such a request: its body, as it comes. A body that is no stream is one piece."""

    pieces: AsyncIterator[bytes]
