"""Requests for texts that are passed on, and the silence of their streams."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import date
from decimal import Decimal

import pytest

from adapter.domain.finished_work import FREE, FinishedWork
from adapter.domain.prices import TextPrice, TextTokenPrices
from adapter.domain.principal import Principal
from adapter.domain.telemetry import NoUsage, Telemetry
from adapter.domain.texts import TextMethod, TextReply, TextRequest
from adapter.domain.usage import Cost, Currency
from adapter.errors import Draining, UpstreamBroken, UpstreamBusy
from adapter.generation.passing import PassedTexts
from adapter.generation.timeouts import Timeouts
from tests.fakes import FakeClock, let_others_run

REQUEST = TextRequest(provider="p", model="m", method=TextMethod.CHAT, body=b"{}", is_stream=True)


class Provider:
    """Sends pieces, and waits for a nod before each."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.nods = asyncio.Semaphore(0)
        self.is_open = False

    @asynccontextmanager
    async def open_text(self, request: TextRequest) -> AsyncIterator[TextReply]:
        assert request.model == REQUEST.model
        self.is_open = True
        try:
            yield TextReply(self._sent())
        finally:
            self.is_open = False

    async def _sent(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await self.nods.acquire()
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def nod(self, times: int = 1) -> None:
        """Let so many pieces come."""
        for _ in range(times):
            self.nods.release()


def passed(provider: Provider, clock: FakeClock, drain_seconds: float = 5.0) -> PassedTexts:
    """Return the use case before a provider."""
    return PassedTexts({"p": provider}, clock, Timeouts(heartbeat=10.0, replay=0.0, drain_seconds=drain_seconds))


async def watched(texts: PassedTexts) -> Sequence[bytes | None]:
    """Return all that a reader gets."""
    return [piece async for piece in texts.watch(REQUEST)]


async def test_pieces_come_in_their_order() -> None:
    """Each by itself."""
    provider = Provider(b"a", b"b", b"c")
    provider.nod(3)

    assert await watched(passed(provider, FakeClock())) == [b"a", b"b", b"c"]
    assert not provider.is_open


async def test_a_silence_is_told() -> None:
    """After each heartbeat's length, before the first piece too."""
    provider, clock = Provider(b"a", b"b"), FakeClock()
    async with aclosing(passed(provider, clock).watch(REQUEST)) as pieces:
        for _ in range(2):
            waiting = asyncio.ensure_future(anext(pieces))
            await let_others_run()
            await clock.advance(10.0)
            assert await waiting is None
        provider.nod()
        assert await anext(pieces) == b"a"


async def test_what_fails_comes_after_the_pieces_before_it() -> None:
    """They are worth reading."""
    provider = Provider(b"a", UpstreamBroken("It broke."))
    provider.nod(2)
    pieces = passed(provider, FakeClock()).watch(REQUEST)

    assert await anext(pieces) == b"a"
    with pytest.raises(UpstreamBroken):
        await anext(pieces)


async def test_a_reader_that_leaves_ends_the_request() -> None:
    """At the provider as well."""
    provider = Provider(b"a", b"b")
    provider.nod()
    async with aclosing(passed(provider, FakeClock()).watch(REQUEST)) as pieces:
        assert await anext(pieces) == b"a"
        assert provider.is_open

    assert not provider.is_open


async def test_a_slow_reader_slows_the_provider() -> None:
    """No more than two pieces are on the way."""
    provider = Provider(*[b"a"] * 9)
    provider.nod(9)
    async with aclosing(passed(provider, FakeClock()).watch(REQUEST)) as pieces:
        await anext(pieces)
        await let_others_run()

        assert not provider.nods.locked()


async def test_a_stop_limits_the_time() -> None:
    """A stream ends with an error that invites the client to come back."""
    texts = passed(Provider(b"a"), FakeClock(), drain_seconds=0.0)
    reading = asyncio.ensure_future(texts.read(REQUEST))
    await let_others_run()
    texts.drain()

    with pytest.raises(Draining):
        await reading


PRICE = TextPrice(
    since=date(1970, 1, 1), source="a test", million_tokens=TextTokenPrices(input=Decimal(1), output=Decimal(10))
)
BILLED = TextRequest(
    provider="p",
    model="m",
    method=TextMethod.CHAT,
    body=b"{}",
    is_stream=True,
    name="words",
    prices=(PRICE,),
    principal=Principal(owner="ada", key="k"),
)
EVENT = b'data: {"usage": {"prompt_tokens": 10, "total_tokens": 13}}\n\n'


class Usage(NoUsage):
    """Keeps what is finished."""

    def __init__(self) -> None:
        self.works: list[FinishedWork] = []

    async def finished(self, work: FinishedWork) -> None:
        self.works.append(work)


def metered(provider: Provider, usage: Usage) -> PassedTexts:
    """Return the use case before a provider, which records."""
    timeouts = Timeouts(heartbeat=10.0, replay=0.0, drain_seconds=5.0)
    return PassedTexts({"p": provider}, FakeClock(), timeouts, telemetry=Telemetry(usage=usage))


async def test_a_text_is_counted_with_what_its_tokens_cost() -> None:
    """Once, at its end, under the client's name of the model; the bytes stay as they are."""
    provider, usage = Provider(b"data: {}\n\n", EVENT), Usage()
    provider.nod(2)
    pieces = [piece async for piece in metered(provider, usage).watch(BILLED)]
    [work] = usage.works
    cost = Cost(Decimal("0.00004"), Currency.USD)

    assert pieces == [b"data: {}\n\n", EVENT]
    assert (work.is_completed, work.cost, work.input_tokens, work.output_tokens) == (True, cost, 10, 3)
    assert (work.spending.owner, work.spending.key, work.spending.model) == ("ada", "k", "words")
    assert (work.spending.kind, work.spending.units, work.spending.cost) == ("text", 1, cost)


async def test_a_text_that_is_cut_off_has_an_unknown_cost() -> None:
    """The tokens come at its end, and Google may be paid for what came before."""
    provider, usage = Provider(b"data: {}\n\n", EVENT), Usage()
    provider.nod()
    async with aclosing(metered(provider, usage).watch(BILLED)) as pieces:
        await anext(pieces)
    [work] = usage.works

    assert (work.is_completed, work.cost) == (False, None)


async def test_a_text_that_is_refused_is_free() -> None:
    """Nothing of it has come."""
    provider, usage = Provider(UpstreamBusy("no")), Usage()
    provider.nod()
    with pytest.raises(UpstreamBusy):
        await metered(provider, usage).read(BILLED)
    [work] = usage.works

    assert (work.is_completed, work.cost) == (False, FREE)


async def test_a_text_of_an_unknown_sender_is_not_counted() -> None:
    """There is no line for it."""
    provider, usage = Provider(EVENT), Usage()
    provider.nod()

    assert await metered(provider, usage).read(REQUEST) == EVENT
    assert usage.works == []
