"""What a text cost that was passed on: it is known when its answer has gone by."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec
import structlog

from adapter.domain.finished_work import FREE, FinishedWork
from adapter.domain.ports import Clock
from adapter.domain.prices import in_force
from adapter.domain.spending import Spending
from adapter.domain.telemetry import Telemetry
from adapter.domain.text_tokens import TextTokens, TokenReader
from adapter.domain.texts import TextRequest
from adapter.domain.usage import Cost

log = structlog.get_logger()

KIND: Final = "text"


class TextMeter:
    """Watches one answer, and records it at its end."""

    def __init__(self, request: TextRequest, clock: Clock, telemetry: Telemetry) -> None:
        self._request = request
        self._clock = clock
        self._telemetry = telemetry
        self._reader = TokenReader(request)
        self._began_at = clock.now()
        self._has_begun = False
        self._is_whole = False

    async def watched(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the pieces as they are."""
        async for piece in pieces:
            self._has_begun = True
            self._reader.read(piece)
            yield piece
        self._is_whole = True

    async def record(self) -> Cost | None:
        """Record the text, and return what it cost; None: that is unknown.

        One that was refused before its first byte is free; one that was cut off may not be.
        """
        principal = self._request.principal
        if principal is None:
            return None
        tokens = self._reader.tokens
        cost = self._cost(tokens)
        spending = Spending(
            owner=principal.owner,
            key=principal.key,
            model=self._request.name or self._request.model,
            provider=self._request.provider,
            kind=KIND,
            units=1,
            cost=cost,
        )
        counted = tokens or TextTokens()
        work = FinishedWork(
            spending=spending,
            at=self._clock.now(),
            is_completed=self._is_whole,
            cost=cost,
            input_tokens=counted.input,
            output_tokens=counted.output,
        )
        await self._telemetry.usage.finished(work)
        if self._has_begun:
            said = None if tokens is None else msgspec.structs.asdict(tokens)
            log.info("text.finished", model=spending.model, tokens=said, cost=cost and str(cost), whole=self._is_whole)
        return cost

    def _cost(self, tokens: TextTokens | None) -> Cost | None:
        if not self._has_begun:
            return FREE
        price = in_force(self._request.prices, self._began_at)
        return price.cost(tokens.input, tokens.cached, tokens.output) if price and tokens else None
