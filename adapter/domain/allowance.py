"""What a key may do: its limits, the models that it may use, its last day, and settings of its own. Pure and exact."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias

import msgspec

from adapter.domain.delivery import Delivery
from adapter.domain.markup import Markup
from adapter.domain.spending import Spending
from adapter.domain.usage import Cost, Currency

#: What becomes of side calls (as `chat.side_calls`).
SideCallAnswer: TypeAlias = Literal["answer", "refuse", "generate"]
SIDE_CALL_ANSWERS: Final[tuple[SideCallAnswer, ...]] = ("answer", "refuse", "generate")

#: Amounts of money are counted in whole billionths: a picture may cost 0.0336 USD, and sums have to be exact.
PARTS: Final = Decimal(10) ** 9
#: The largest limit of units, and the largest amount of a budget, which fits into 64 bits in `PARTS`.
MOST_UNITS: Final = 999_999
MOST_AMOUNT: Final = 1_000_000_000
#: Takes a value away.
NONE: Final = "none"

_BUDGET: Final = re.compile(r"(?P<amount>[0-9]+(\.[0-9]+)?)\s*(?P<currency>[A-Za-z]+)\s*/\s*(?P<window>[a-z]+)")
_PERIOD: Final = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<unit>[dh])")


class Window(StrEnum):
    """How often a limit is reset: at the beginning of each minute, day or month in UTC."""

    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"

    def begin(self, at: float) -> int:
        """Return when the window began that a time is in. Both are Unix seconds."""
        day = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        match self:
            case Window.MINUTE:
                return int(at // 60) * 60
            case Window.DAY:
                return int(day.timestamp())
            case Window.MONTH:
                return int(day.replace(day=1).timestamp())

    def end(self, at: float) -> int:
        """Return when the window ends that a time is in. Both are Unix seconds."""
        begin = datetime.fromtimestamp(self.begin(at), UTC)
        match self:
            case Window.MINUTE:
                return self.begin(at) + 60
            case Window.DAY:
                return int((begin + timedelta(days=1)).timestamp())
            case Window.MONTH:
                return int((begin + timedelta(days=31)).replace(day=1).timestamp())


class SpendingLimit(msgspec.Struct, frozen=True):
    """How much may be spent in each day or month, in one currency."""

    amount: Decimal
    currency: Currency
    window: Window

    def __str__(self) -> str:
        """Write it as it is read: `20USD/month`."""
        return f"{self.amount.normalize():f}{self.currency}/{self.window}"

    @property
    def limit(self) -> "Limit":
        """The same as a limit that is counted."""
        parts = in_parts(Cost(self.amount, self.currency))
        return Limit(f"{self.currency}/{self.window}", self.window, parts, self.currency)


class Limit(msgspec.Struct, frozen=True):
    """One limit: how many units may be taken in each window."""

    #: What is counted: `requests`, `images`, `videos`, or an amount of money such as `USD/month`.
    kind: str
    window: Window
    #: In units, or in `PARTS` of an amount.
    most: int
    #: None: units are counted.
    currency: Currency | None = None

    def value(self, amount: int) -> int | Decimal:
        """Return an amount as a number: of units, or of money."""
        return amount if self.currency is None else Decimal(amount) / PARTS

    def write(self, amount: int) -> str:
        """Write an amount for people: `10 images`, `0.0336 USD`."""
        if self.currency is not None:
            return str(Cost(Decimal(amount) / PARTS, self.currency))
        return f"{amount} {self.kind.removesuffix('s') if amount == 1 else self.kind}"


class Taken(msgspec.Struct, frozen=True):
    """What was taken of one limit, in the window that began at that time in Unix seconds."""

    kind: str
    begins_at: int
    amount: int


class Remaining(msgspec.Struct, frozen=True):
    """How much of a limit of units is left, and for how many seconds until it is reset."""

    limit: Limit
    left: int
    seconds: float


class LimitState(msgspec.Struct, frozen=True):
    """What is taken of one limit in the present minute, day or month, and when that ends, in Unix seconds."""

    limit: Limit
    #: In the limit's units.
    taken: int
    resets_at: int


class Charge(msgspec.Struct, frozen=True):
    """What an accepted piece of work took of the limits of its key. Jobs are stored with it."""

    key: str
    taken: tuple[Taken, ...]

    @property
    def given_back(self) -> "Charge":
        """What is given back of work that cost nothing: all but the request, which was made."""
        return Charge(self.key, tuple(each for each in self.taken if each.kind != REQUESTS))

    def excess_of_text(self, cost: Cost | None) -> "Charge":
        """What was taken too much for a text. One whose cost is unknown takes nothing: no amount could be named."""
        return self.excess(cost) if cost is not None and cost.amount else self.given_back

    def excess(self, cost: Cost | None) -> "Charge":
        """What was taken too much, where the real cost is known; negative amounts: too little."""
        if cost is None:
            return Charge(self.key, ())
        money = (each for each in self.taken if each.kind.partition("/")[0] == cost.currency)
        over = (Taken(each.kind, each.begins_at, each.amount - in_parts(cost)) for each in money)
        return Charge(self.key, tuple(each for each in over if each.amount))


REQUESTS: Final = "requests"
IMAGES: Final = "images"
VIDEOS: Final = "videos"


class Allowance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a key may do. What is not set has no limit. It is stored as JSON, so its names stay."""

    #: Names of models, or patterns with `*`. Empty: all.
    models: tuple[str, ...] = ()
    #: New work in a minute: pictures, videos and texts. Reading costs nothing.
    rpm: int | None = None
    images_per_day: int | None = None
    videos_per_day: int | None = None
    #: One for each currency and window.
    budget: tuple[SpendingLimit, ...] = ()
    #: From then on the key opens nothing, in Unix seconds.
    expires_at: float | None = None
    #: How its chats show videos, and what becomes of its side calls.
    markup: Markup | None = None
    side_calls: SideCallAnswer | None = None
    #: How the Images API hands it pictures.
    response_format: Delivery | None = None
    #: Whether it also opens what is about the whole server: what all keys made and spent, and the accounts.
    admin: bool = False

    @property
    def limits(self) -> Sequence[Limit]:
        """Its limits, in the order in which they are taken."""
        counted = [
            (IMAGES, Window.DAY, self.images_per_day),
            (REQUESTS, Window.MINUTE, self.rpm),
            (VIDEOS, Window.DAY, self.videos_per_day),
        ]
        found = [Limit(kind, window, most) for kind, window, most in counted if most is not None]
        found += [each.limit for each in self.budget]
        # Requests last: they are never given back, and what another limit refuses has not counted one.
        return sorted(found, key=lambda limit: (limit.kind == REQUESTS, limit.kind))

    @property
    def is_limited(self) -> bool:
        """Whether new work is counted."""
        counts = (self.rpm, self.images_per_day, self.videos_per_day)
        return bool(self.budget) or any(each is not None for each in counts)

    def allows_model(self, *names: str) -> bool:
        """Return whether a model may be used that has these names."""
        return not self.models or any(fnmatchcase(name, pattern) for name in names for pattern in self.models)


#: Of a key without limits.
UNLIMITED: Final = Allowance()


def needs(limits: Iterable[Limit], spending: Spending) -> Sequence[tuple[Limit, int]]:
    """Return what a piece of work takes of each limit.

    Raises:
        ValueError: there is a budget, and the cost is unknown in its currency.
    """
    limits = list(limits)
    currencies = {limit.currency for limit in limits} - {None}
    if currencies and (spending.cost is None or spending.cost.currency not in currencies):
        raise ValueError(_unknown_cost(spending, [limit for limit in limits if limit.currency]))
    found = ((limit, _amount(limit, spending)) for limit in limits)
    return [(limit, amount) for limit, amount in found if amount]


def _amount(limit: Limit, spending: Spending) -> int:
    match limit.kind:
        case "requests":
            return 1
        case "images":
            return spending.units if spending.kind == "image" else 0
        case "videos":
            return 1 if spending.kind == "video" else 0
        case _:
            cost = spending.cost
            return in_parts(cost) if cost is not None and cost.currency is limit.currency else 0


def _unknown_cost(spending: Spending, budgets: Collection[Limit]) -> str:
    told = "what it costs is not known" if spending.cost is None else f"its price is in {spending.cost.currency}"
    wanted = " and ".join(sorted({str(limit.currency) for limit in budgets}))
    return (
        f"This key has a budget in {wanted}. The model '{spending.model}' cannot be counted: {told}. "
        "Use another model, or ask the operator of this server."
    )


def least_cost(currency: Currency) -> Cost:
    """Return the smallest amount that is counted: what is taken for work whose cost is known at its end only.

    So it is accepted while something of a budget is left.
    """
    return Cost(1 / PARTS, currency)


def in_parts(cost: Cost) -> int:
    """Return an amount in `PARTS`, rounded up."""
    return -int(-cost.amount * PARTS // 1)


def read_budget(text: str) -> tuple[SpendingLimit, ...]:
    """Read one or more budgets: `20USD/month`, `20USD/month, 500credits/day`.

    Raises:
        ValueError: it has another form.
    """
    found = tuple(_read_limit(each.strip()) for each in text.split(","))
    if len({(each.currency, each.window) for each in found}) < len(found):
        raise ValueError(f"'{text}' has two budgets of one currency and time")
    return found


def _read_limit(text: str) -> SpendingLimit:
    match = _BUDGET.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is no budget, such as 20USD/month or 500credits/day")
    currencies = {currency.lower(): currency for currency in Currency}
    currency = currencies.get(match["currency"].lower())
    if currency is None:
        raise ValueError(f"'{match['currency']}' is no currency; there are: {', '.join(Currency)}")
    if match["window"] not in {Window.DAY, Window.MONTH}:
        raise ValueError(f"'{match['window']}' is no time of a budget; there are: day, month")
    amount = Decimal(match["amount"])
    if amount > MOST_AMOUNT:
        raise ValueError(f"'{text}' is more than {MOST_AMOUNT}")
    return SpendingLimit(amount, currency, Window(match["window"]))


def read_last_day(day: date) -> float:
    """Return when a key ends whose last day is that one in UTC: at the beginning of the next, in Unix seconds."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + 86_400


def read_end(text: str, now: float) -> float:
    """Read when a key ends: its last day, `2027-01-31`, or a time from now on, `30d` or `12h`.

    Raises:
        ValueError: it has another form, or is over.
    """
    try:
        end = read_last_day(date.fromisoformat(text))
    except (ValueError, OverflowError):
        match = _PERIOD.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text}' is no day, such as 2027-01-31, and no time, such as 30d or 12h") from None
        return now + int(match["count"]) * {"d": 86_400, "h": 3600}[match["unit"]]
    if end <= now:
        raise ValueError(f"'{text}' is over")
    return end


def read_models(text: str) -> tuple[str, ...]:
    """Read names of models and patterns that are separated by commas.

    Raises:
        ValueError: there is none.
    """
    found = tuple(each.strip() for each in text.split(",") if each.strip())
    if not found:
        raise ValueError("it names no model")
    return found


def _read_count(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= MOST_UNITS):
            raise ValueError(f"'{text}' is no whole number from {least} to {MOST_UNITS}")
        return int(text)

    return read


def _read_word(words: Iterable[str]) -> Callable[[str], str]:
    allowed = list(map(str, words))

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"'{text}' is not allowed; there are: {', '.join(allowed)}")
        return text

    return read


#: How a right is written.
YES_OR_NO: Final = ("yes", "no")
#: How each value is read from a text. The time of `expires_at` depends on the present.
READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "models": read_models,
    "rpm": _read_count(1),
    "images_per_day": _read_count(0),
    "videos_per_day": _read_count(0),
    "budget": read_budget,
    "markup": _read_word(Markup),
    "side_calls": _read_word(SIDE_CALL_ANSWERS),
    "response_format": _read_word(Delivery),
    "admin": lambda text: _read_word(YES_OR_NO)(text) == "yes",
}


def changed(allowance: Allowance, name: str, text: str, now: float) -> Allowance:
    """Return an allowance with one value read from a text; `none` takes the value away.

    Raises:
        ValueError: the text is no such value.
    """
    if text.lower() == NONE:
        value = getattr(UNLIMITED, name)
    elif name == "expires_at":
        value = read_end(text, now)
    else:
        value = READERS[name](text)
    return msgspec.convert({**msgspec.to_builtins(allowance), name: msgspec.to_builtins(value)}, Allowance)


def written(allowance: Allowance) -> Mapping[str, str]:
    """Return the values that are set as texts, by their names."""
    texts = {
        "models": ", ".join(allowance.models),
        "rpm": allowance.rpm,
        "images_per_day": allowance.images_per_day,
        "videos_per_day": allowance.videos_per_day,
        "budget": ", ".join(map(str, allowance.budget)),
        "expires": None if allowance.expires_at is None else written_time(allowance.expires_at),
        "markup": allowance.markup,
        "side_calls": allowance.side_calls,
        "response_format": allowance.response_format,
        "admin": "yes" if allowance.admin else None,
    }
    return {name: str(text) for name, text in texts.items() if text is not None and text != ""}


def written_time(at: float) -> str:
    """Write a time in Unix seconds for people: `2027-02-01 00:00 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
