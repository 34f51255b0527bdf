"""Which configured models Google switches off soon. `check` says it, and the log of `serve`, each day anew."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog

from adapter.domain.catalogue import Catalogue
from adapter.domain.ports import Clock
from adapter.domain.retirement import Retirement, due
from adapter.settings import Settings

log = structlog.get_logger()

#: Days before the end from which on it is said.
WARNING_DAYS: Final = 30
#: Between two looks, in seconds.
LOOK_SECONDS: Final = 86_400.0


def retirements(settings: Settings, catalogue: Catalogue, now: float) -> list[Retirement]:
    """Return the models in use that end soon, at a time in Unix seconds."""
    dates: dict[str, date | None] = {card.name: card.retires for card in catalogue.cards}
    names = {card.name: catalogue.names_of(card) for card in catalogue.cards}
    for model, users in _text_models(settings, catalogue).items():
        # Such a model may have a row as well.
        dates[model] = dates.get(model) or catalogue.retirements.get(model)
        names[model] = (*names.get(model, ()), *users)
    return [*due(dates, names, today(now) + timedelta(days=WARNING_DAYS))]


def today(now: float) -> date:
    """Return the day of a time in Unix seconds, in UTC."""
    return datetime.fromtimestamp(now, UTC).date()


def _text_models(settings: Settings, catalogue: Catalogue) -> Mapping[str, tuple[str, ...]]:
    """Return the text models that write side calls, each with the settings that name it."""
    found: dict[str, tuple[str, ...]] = {}
    for model, user in _uses(settings, catalogue):
        found[model] = (*found.get(model, ()), user)
    return found


def _uses(settings: Settings, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    if settings.chat.side_call_model:
        yield settings.chat.side_call_model, "chat.side_call_model"
    for card in catalogue.cards:
        if card.side_calls:
            yield card.side_calls, f"side_calls of {card.name}"


class RetirementWatch:
    """Writes into the log which models end soon: at the start, and once a day."""

    def __init__(self, configured: Callable[[], tuple[Settings, Catalogue]], clock: Clock) -> None:
        """Take what returns the configuration that counts now."""
        self._configured = configured
        self._clock = clock

    async def run(self) -> None:
        """Do it until cancelled."""
        while True:
            self.look()
            await self._clock.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Do it once."""
        now = self._clock.now()
        for found in retirements(*self._configured(), now):
            log.warning(
                "catalogue.model_ends",
                model=found.model,
                on=found.on.isoformat(),
                days=found.days_left(today(now)),
                message=found.message(today(now)),
            )
