"""The tokens of texts, as they stand in answers that pass by."""

from datetime import date
from decimal import Decimal

import pytest

from adapter.domain.prices import TextPrice, TextTokenPrices
from adapter.domain.text_tokens import MOST_OF_AN_EVENT, TextTokens, TokenReader
from adapter.domain.texts import TextMethod, TextRequest
from adapter.domain.usage import Cost, Currency

WHOLE = TextRequest(provider="p", model="m", method=TextMethod.CHAT, body=b"{}")
EVENTS = TextRequest(provider="p", model="m", method=TextMethod.CHAT, body=b"{}", is_stream=True)
GOOGLE = TextRequest(provider="p", model="m", method=TextMethod.GENERATE, body=b"{}")
ARRAY = TextRequest(provider="p", model="m", method=TextMethod.STREAM, body=b"{}", is_stream=True)
GOOGLES_EVENTS = TextRequest(
    provider="p", model="m", method=TextMethod.STREAM, body=b"{}", is_stream=True, is_events=True
)
CHAT = b'{"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 35}}'
METADATA = b'{"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 20, "totalTokenCount": 35}'
TOKENS = TextTokens(input=10, output=25)


def tokens(request: TextRequest, *pieces: bytes) -> TextTokens | None:
    """Return what is found in an answer that comes in these pieces."""
    reader = TokenReader(request)
    for piece in pieces:
        reader.read(piece)
    return reader.tokens


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (WHOLE, b'{"choices": [], ' + CHAT[1:]),
        (GOOGLE, b'{"candidates": [], "usageMetadata": ' + METADATA + b"}"),
        (EVENTS, b"data: " + CHAT + b"\n\ndata: [DONE]\n\n"),
        (EVENTS, b'data: {"usage": {"total_tokens": 1}}\n\ndata: ' + CHAT + b'\n\ndata: {"usage": null}\n\n'),
        (GOOGLES_EVENTS, b'data: {"usageMetadata": ' + METADATA + b"}\r\n\r\n"),
        (ARRAY, b'[{"usageMetadata": {"promptTokenCount": 1}}\n,\r\n{"usageMetadata":' + METADATA + b"}]"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_tokens_are_found_in_every_form(request_: TextRequest, body: bytes, size: int) -> None:
    """Thoughts are output. A stream may be cut anywhere, and its last usage counts."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]

    assert tokens(request_, *(pieces if request_.is_stream else [body])) == TOKENS


def test_tokens_of_a_cache_are_told_apart() -> None:
    """In both forms."""
    chat = b'{"usage": {"prompt_tokens": 10, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 4}}}'
    google = b'{"usageMetadata": {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 2}}'

    assert tokens(WHOLE, chat) == tokens(GOOGLE, google) == TextTokens(input=10, cached=4, output=2)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (WHOLE, b"{}"),
        (WHOLE, b"not JSON"),
        (WHOLE, b'{"usage": "many"}'),
        (WHOLE, b'{"choices": [{"message": {"content": "\\"usage\\": {\\"total_tokens\\": 9}"}}]}'),
        (EVENTS, b'data: {"choices": [{"delta": {"content": "\\"usage\\""}}]}\n\n'),
        (EVENTS, b"data: " + CHAT),
        (EVENTS, b'data: {"a": "' + b"x" * MOST_OF_AN_EVENT + b'", ' + CHAT[1:] + b"\n\n"),
        (ARRAY, b'[{"usageMetadata": {"promptTokenCount": "x"}}]'),
        (ARRAY, b'[{"usageMetadata": {"promptTok'),
        (ARRAY, b"[]"),
    ],
)
def test_what_cannot_be_read_is_unknown(request_: TextRequest, body: bytes) -> None:
    """Words about usage are none; an event counts when it is whole; a huge one is passed over."""
    assert tokens(request_, body) is None


PRICES = TextTokenPrices(input=Decimal("0.3"), cached=Decimal("0.03"), output=Decimal("2.5"))


@pytest.mark.parametrize(
    ("prices", "counts", "cost"),
    [
        (PRICES, (1_000_000, 0, 0), "0.3"),
        (PRICES, (1_000_000, 400_000, 2), "0.192005"),
        (TextTokenPrices(input=Decimal(1), output=Decimal(2)), (10, 10, 0), "0.00001"),
        (TextTokenPrices(output=Decimal(2)), (0, 0, 1), "0.000002"),
        (TextTokenPrices(output=Decimal(2)), (1, 0, 1), None),
        (TextTokenPrices(input=Decimal(2)), (1, 0, 1), None),
    ],
)
def test_a_text_costs_what_its_tokens_do(
    prices: TextTokenPrices, counts: tuple[int, int, int], cost: str | None
) -> None:
    """Exactly. A price that is needed and not known makes the cost unknown."""
    price = TextPrice(since=date(2026, 11, 1), source="a test", million_tokens=prices)

    assert price.cost(*counts) == (None if cost is None else Cost(Decimal(cost), Currency.USD))
