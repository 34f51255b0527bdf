"""Texts of keys with a budget: accepted while something is left, and taken with their real cost at their end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from adapter.access.quotas import SqlQuotas
from adapter.database.engine import Database
from adapter.domain.allowance import Allowance, read_budget
from adapter.domain.prices import TextPrice, TextTokenPrices
from adapter.domain.principal import Principal
from adapter.domain.texts import TextMethod, TextReply, TextRequest
from adapter.domain.usage import Currency
from adapter.errors import CostUnknown, LimitReached, UpstreamBusy
from adapter.generation.passing import PassedTexts
from adapter.generation.timeouts import Timeouts
from tests.fakes import FakeClock
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
#: Of 0.04 USD: ten tokens of input, three of output.
ANSWER = b'data: {"usage": {"prompt_tokens": 10, "total_tokens": 13}}\n\n'
PRICES = TextTokenPrices(input=Decimal(1000), output=Decimal(10_000))
PRICE = TextPrice(since=date(1970, 1, 1), source="a test", million_tokens=PRICES)
ALLOWANCE = Allowance(rpm=50, budget=read_budget("0.10USD/day, 5credits/month"))
REQUEST = TextRequest(
    provider="p",
    model="m",
    method=TextMethod.CHAT,
    body=b"{}",
    is_stream=True,
    name="words",
    prices=(PRICE,),
    principal=Principal(owner="key:ada", key="ada", allowance=ALLOWANCE),
)


class Provider:
    """Sends these pieces, or refuses."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.refuses = False

    @asynccontextmanager
    async def open_text(self, request: TextRequest) -> AsyncIterator[TextReply]:
        assert request.model == REQUEST.model
        if self.refuses:
            raise UpstreamBusy("no")
        yield TextReply(self._sent())

    async def _sent(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


@pytest.fixture
def provider() -> Provider:
    """A provider whose answers have two pieces."""
    return Provider(b"data: {}\n\n", ANSWER)


@pytest.fixture
def quotas(database: Database) -> SqlQuotas:
    """The counts, all at nothing."""
    return SqlQuotas(database, FakeClock(NOON).now)


@pytest.fixture
def texts(provider: Provider, quotas: SqlQuotas) -> PassedTexts:
    """The use case before the provider."""
    timeouts = Timeouts(heartbeat=10.0, replay=0.0, drain_seconds=5.0)
    return PassedTexts({"p": provider}, FakeClock(NOON), timeouts, quotas)


async def taken(quotas: SqlQuotas) -> Sequence[Decimal | int]:
    """Return what is taken: dollars, credits, requests."""
    states = (await quotas.limit_states({"ada": ALLOWANCE}))["ada"]
    return [each.limit.value(each.taken) for each in states]


async def test_a_text_takes_what_its_tokens_cost(texts: PassedTexts, quotas: SqlQuotas) -> None:
    """Exactly, as a stream and whole, and of the budget in the currency of its price alone."""
    async for _ in texts.watch(REQUEST):
        pass
    await texts.read(REQUEST)

    assert await taken(quotas) == [Decimal("0.08"), 0, 2]


async def test_the_last_text_may_pass_the_budget_and_the_next_is_refused(texts: PassedTexts, quotas: SqlQuotas) -> None:
    """The refusal names the limit, and no amount that is not known."""
    for _ in range(3):
        await texts.read(REQUEST)
    with pytest.raises(LimitReached) as refused:
        await texts.read(REQUEST)

    assert await taken(quotas) == [Decimal("0.12"), 0, 3]
    assert refused.value.message == (
        "This key may have 0.1 USD in a day. 0.12 USD are taken. The limit is reset at 2026-12-01 00:00 UTC."
    )


async def test_a_text_that_is_refused_upstream_takes_no_money(
    texts: PassedTexts, provider: Provider, quotas: SqlQuotas
) -> None:
    """The request stays counted."""
    provider.refuses = True
    with pytest.raises(UpstreamBusy):
        await texts.read(REQUEST)

    assert await taken(quotas) == [0, 0, 1]


async def test_a_text_whose_cost_stays_unknown_takes_no_money(
    texts: PassedTexts, provider: Provider, quotas: SqlQuotas
) -> None:
    """One that its reader cuts off, and one that ends without usage."""
    provider.pieces = (*[b"data: {}\n\n"] * 3, ANSWER)
    async with aclosing(texts.watch(REQUEST)) as pieces:
        await anext(pieces)
    provider.pieces = (b"data: {}\n\n",)
    await texts.read(REQUEST)

    assert await taken(quotas) == [0, 0, 2]


async def test_a_stream_that_would_not_tell_its_usage_is_refused(texts: PassedTexts, quotas: SqlQuotas) -> None:
    """It says what to send. Nothing is taken."""
    with pytest.raises(CostUnknown, match=r"'stream_options': \{\"include_usage\": true\}") as refused:
        await texts.read(msgspec.structs.replace(REQUEST, has_usage=False))

    assert refused.value.param == "stream_options"
    assert await taken(quotas) == [0, 0, 0]


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        ((), "what it costs is not known"),
        ((msgspec.structs.replace(PRICE, million_tokens=TextTokenPrices(input=Decimal(1))),), "is not known"),
        ((msgspec.structs.replace(PRICE, currency=Currency.CREDITS),), "its price is in credits"),
    ],
    ids=["none", "of input alone", "in another currency"],
)
async def test_a_text_without_prices_in_the_currency_of_a_budget_is_refused(
    texts: PassedTexts, quotas: SqlQuotas, prices: tuple[TextPrice, ...], says: str
) -> None:
    """A cost that will never be known is not free."""
    dollars = Principal(owner="key:ada", key="ada", allowance=Allowance(budget=read_budget("0.10USD/day")))
    with pytest.raises(CostUnknown, match=f"The model 'words' cannot be counted: .*{says}"):
        await texts.read(msgspec.structs.replace(REQUEST, prices=prices, principal=dollars))

    assert await taken(quotas) == [0, 0, 0]
