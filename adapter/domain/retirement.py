"""When Google switches models off. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec


class Retirement(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is about to be switched off, or was."""

    model: str
    on: date
    #: Other names that lead to it, or the settings that name it.
    names: tuple[str, ...] = ()

    def days_left(self, today: date) -> int:
        """Return the days until then; 0 or less if it is off."""
        return (self.on - today).days

    def message(self, today: date) -> str:
        """Return what an operator is told."""
        names = f" (also by: {', '.join(self.names)})" if self.names else ""
        days = self.days_left(today)
        if days <= 0:
            return f"Google switched the model '{self.model}'{names} off on {self.on}. Requests for it fail."
        return f"Google switches the model '{self.model}'{names} off on {self.on}, in {days} days."


def due(dates: Mapping[str, date | None], names: Mapping[str, tuple[str, ...]], last: date) -> Iterator[Retirement]:
    """Yield the models that are off by a day, by their dates and their other names, the first one first."""
    known = {model: on for model, on in dates.items() if on is not None and on <= last}
    for model, on in sorted(known.items(), key=lambda each: (each[1], each[0])):
        yield Retirement(model=model, on=on, names=names.get(model, ()))
