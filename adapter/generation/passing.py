"""Requests for texts that are passed to a provider, and the silence of its streams."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from adapter.domain.allowance import Charge, least_cost
from adapter.domain.ports import Clock, Quotas, TextProvider
from adapter.domain.prices import in_force
from adapter.domain.principal import Principal
from adapter.domain.quotas import NoQuotas
from adapter.domain.spending import Spending
from adapter.domain.telemetry import Telemetry
from adapter.domain.texts import TextReply, TextRequest
from adapter.domain.usage import Cost
from adapter.errors import CostUnknown, Draining, StorageFailed
from adapter.generation.text_metering import TextMeter
from adapter.generation.timeouts import Timeouts
from adapter.tasks import Deadline, beside

log = structlog.get_logger()


class PassedTexts:
    """Passes requests for texts on. A request lasts as long as its caller reads; nothing of it is kept."""

    def __init__(
        self,
        providers: Mapping[str, TextProvider],
        clock: Clock,
        timeouts: Timeouts,
        quotas: Quotas | None = None,
        *,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry()
        self._providers = providers
        self._quotas = quotas or NoQuotas()
        self._clock = clock
        self._timeouts = timeouts
        self._last_while = Deadline()

    async def read(self, request: TextRequest) -> bytes:
        """Return the whole answer.

        Raises:
            AdapterError: as `TextProvider.open_text`, or as `Quotas.take`.
            Draining: the process ended first.
        """
        async with self._open(request) as reply:
            return b"".join([piece async for piece in reply.pieces])

    async def watch(self, request: TextRequest) -> AsyncGenerator[bytes | None, None]:
        """Yield the pieces of an answer as they come, and None after each silence of a heartbeat's length.

        Raises:
            AdapterError, Draining: as `read`.
        """
        hand = _Hand()
        async with beside(self._fill(hand, request)) as filling:
            while True:
                if not (hand.is_full.is_set() or await self._clock.wait(hand.is_full, self._timeouts.heartbeat)):
                    yield None
                elif (piece := hand.take()) is not None:
                    yield piece
                else:
                    await filling  # raises what went wrong
                    return

    async def _fill(self, hand: "_Hand", request: TextRequest) -> None:
        try:
            async with self._open(request) as reply:
                async for piece in reply.pieces:
                    await hand.give(piece)
        finally:
            hand.close()

    async def _take(self, request: TextRequest) -> Charge | None:
        """Count a text of a key that has limits. What it costs is known at its end, so a budget needs something left.

        Raises:
            CostUnknown: the key has a budget, and the end will not tell the cost.
        """
        principal = request.principal
        if principal is None or not principal.allowance.is_limited:
            return None
        spending = Spending(
            owner=principal.owner,
            key=principal.key,
            model=request.name or request.model,
            provider=request.provider,
            kind="text",
            units=1,
            cost=self._least_cost(request, principal),
        )
        return await self._quotas.take(spending, principal.allowance)

    def _least_cost(self, request: TextRequest, principal: Principal) -> Cost | None:
        price = in_force(request.prices, self._clock.now())
        if price is None or not price.is_whole:
            return None
        if not request.has_usage and any(each.currency is price.currency for each in principal.allowance.budget):
            raise CostUnknown(
                "This key has a budget, and a stream tells what it cost only if it is asked to. "
                "Send 'stream_options': {\"include_usage\": true}, or do not stream.",
                param="stream_options",
            )
        return least_cost(price.currency)

    async def _settle(self, charge: Charge | None, cost: Cost | None) -> None:
        """Take the real cost of a text. If that fails, the budget has a little more than it should have."""
        if charge is None or not (excess := charge.excess_of_text(cost)).taken:
            return
        try:
            await self._quotas.give(excess)
        except StorageFailed as fault:
            log.warning("access.text_not_taken", key=excess.key, cost=cost and str(cost), code=fault.code)

    @asynccontextmanager
    async def _open(self, request: TextRequest) -> AsyncIterator[TextReply]:
        charge = await self._take(request)
        meter = TextMeter(request, self._clock, self._telemetry)
        try:
            async with self._last_while.limit(), self._providers[request.provider].open_text(request) as reply:
                yield TextReply(meter.watched(reply.pieces))
        except TimeoutError as error:
            if not self._last_while.is_over:
                raise
            raise Draining("The server is shutting down and could not wait for the text.") from error
        finally:
            await self._settle(charge, await meter.record())

    def drain(self) -> None:
        """Limit the time of the texts that are under way."""
        self._last_while.expire_in(self._timeouts.drain_seconds)


class _Hand:
    """One piece on its way from a task that reads to one that writes: the first waits for the second."""

    def __init__(self) -> None:
        self._piece: bytes | None = None
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        #: Whether there is a piece, or none will come.
        self.is_full = asyncio.Event()
        self._is_closed = False

    async def give(self, piece: bytes) -> None:
        """Wait until the piece before has been taken, and give the next."""
        await self._is_empty.wait()
        self._piece = piece
        self._is_empty.clear()
        self.is_full.set()

    def close(self) -> None:
        """Say that no more will come."""
        self._is_closed = True
        self.is_full.set()

    def take(self) -> bytes | None:
        """Return the piece; None: that was the last one."""
        piece, self._piece = self._piece, None
        self._is_empty.set()
        if not self._is_closed:
            self.is_full.clear()
        return piece
