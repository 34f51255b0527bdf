"""What models cost, as the catalogue has it, and what an order comes to. Pure and exact: amounts are decimals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Literal, TypeVar

import msgspec

from adapter.domain.media import Image, Resolution
from adapter.domain.usage import Cost, Currency, Usage

#: What an amount is for.
Per = Literal["picture", "search", "second", "clip", "upscale", "extension", "million_tokens"]

#: The number of tokens that a price of tokens is for, as a power of ten.
MILLION = 6


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """One amount of a price list."""

    per: Per
    #: The resolution that is made, or the kind of tokens; empty: any.
    of: str = ""
    cost: Cost

    def __str__(self) -> str:
        """Write it for people: `0.0336 USD a picture (1K)`."""
        what = f"{self.per.replace('_', ' ')}{f' ({self.of})' if self.of else ''}"
        return f"{self.cost} {'an' if self.per in {'upscale', 'extension'} else 'a'} {what}"


class TokenPrices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a million tokens cost, by what `Usage` counts; None: unknown."""

    input_text: Decimal | None = None
    input_image: Decimal | None = None
    output_text: Decimal | None = None
    output_image: Decimal | None = None

    def of(self, usage: Usage) -> Decimal | None:
        """Return what an answer cost; None if a price that it needs is unknown."""
        sums = Decimal(0)
        for name in self.__struct_fields__:
            count, price = getattr(usage, name), getattr(self, name)
            if count and price is None:
                return None
            sums += (price or Decimal(0)) * count
        return sums.scaleb(-MILLION)

    @property
    def known(self) -> Mapping[str, Decimal]:
        """The prices that are known, by name."""
        return {name: price for name in self.__struct_fields__ if (price := getattr(self, name)) is not None}


#: None of these prices is known.
NO_TOKENS: Final = TokenPrices()


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model costs from a day on. What is not named is unknown, which is not the same as free."""

    #: The first day of the price, in UTC.
    since: date
    #: Who says so.
    source: str
    currency: Currency = Currency.USD

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise ValueError("'source' has to say where the price is from")
        rates = list(self.rates())
        if not rates:
            raise ValueError(f"the price since {self.since} has no amount")
        for rate in rates:
            if not (rate.cost.amount.is_finite() and rate.cost.amount >= 0):
                raise ValueError(f"{rate.cost.amount} is no price; it has to be 0 or more")

    def rates(self) -> Iterator[Rate]:
        """Yield its amounts."""
        raise NotImplementedError  # each kind says it

    def _rates(self, per: Per, amounts: Iterable[tuple[str, Decimal]]) -> Iterator[Rate]:
        return (Rate(per=per, of=str(of), cost=Cost(amount, self.currency)) for of, amount in amounts)


class ImagePrice(Price, frozen=True, kw_only=True):
    """What a model that makes pictures costs."""

    #: A picture, by its resolution.
    picture: Mapping[Resolution, Decimal] = {}
    #: Tokens. Where all that an answer needs are known, they count, and not `picture`.
    million_tokens: TokenPrices = NO_TOKENS
    #: One search on the web for a picture.
    search: Decimal | None = None

    def rates(self) -> Iterator[Rate]:
        """Yield its amounts (as `Price`)."""
        yield from self._rates("picture", self.picture.items())
        yield from self._rates("million_tokens", self.million_tokens.known.items())
        if self.search is not None:
            yield Rate(per="search", cost=Cost(self.search, self.currency))

    def quote(self, resolution: Resolution) -> "Quote":
        """Return what a picture costs."""
        tokens = None if self.million_tokens == NO_TOKENS else self.million_tokens
        return Quote(self.since, self.currency, self.picture.get(resolution), tokens, self.search)


class TextTokenPrices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a million tokens of a text cost; None: unknown."""

    input: Decimal | None = None
    #: Input that came from a cache. Where it is unknown, it costs what other input does.
    cached: Decimal | None = None
    #: Output, thoughts included.
    output: Decimal | None = None

    @property
    def known(self) -> Mapping[str, Decimal]:
        """The prices that are known, by name."""
        return {name: price for name in self.__struct_fields__ if (price := getattr(self, name)) is not None}


class TextPrice(Price, frozen=True, kw_only=True):
    """What a model that writes texts costs."""

    million_tokens: TextTokenPrices = TextTokenPrices()

    def rates(self) -> Iterator[Rate]:
        """Yield its amounts (as `Price`)."""
        yield from self._rates("million_tokens", self.million_tokens.known.items())

    @property
    def is_whole(self) -> bool:
        """Whether the cost of every text follows from its tokens."""
        return self.million_tokens.input is not None and self.million_tokens.output is not None

    def cost(self, given: int, cached: int, written: int) -> Cost | None:
        """Return what so many tokens cost: all input, what of it came from a cache, output. None: that is unknown."""
        prices = self.million_tokens
        of_cache = prices.input if prices.cached is None else prices.cached
        sums = Decimal(0)
        for count, price in ((given - cached, prices.input), (cached, of_cache), (written, prices.output)):
            if count and price is None:
                return None
            sums += count * (price or Decimal(0))
        return Cost(sums.scaleb(-MILLION), self.currency)


class VideoPrice(Price, frozen=True, kw_only=True):
    """What a model that makes videos costs."""

    #: A clip of any length.
    clip: Decimal | None = None
    #: A second of a clip, by its resolution.
    second: Mapping[str, Decimal] = {}
    #: An upscale of a finished clip, by the resolution that it gets.
    upscale: Mapping[str, Decimal] = {}
    #: A clip that goes on from an earlier one, of a model with `next_clips`.
    extension: Decimal | None = None

    def __post_init__(self) -> None:
        if self.clip is not None and self.second:
            raise ValueError(f"the price since {self.since} has 'clip' and 'second'; a clip has one price")
        super().__post_init__()

    def rates(self) -> Iterator[Rate]:
        """Yield its amounts (as `Price`)."""
        if self.clip is not None:
            yield Rate(per="clip", cost=Cost(self.clip, self.currency))
        yield from self._rates("second", self.second.items())
        yield from self._rates("upscale", self.upscale.items())
        if self.extension is not None:
            yield Rate(per="extension", cost=Cost(self.extension, self.currency))

    def quote(self, resolution: str, seconds: int) -> "Quote":
        """Return what a clip costs."""
        second = self.second.get(resolution)
        return Quote(self.since, self.currency, self.clip if second is None else second * seconds)

    def quote_of_upscale(self, resolution: str) -> "Quote":
        """Return what an upscale of a finished clip costs."""
        return Quote(self.since, self.currency, self.upscale.get(resolution))

    def quote_of_extension(self) -> "Quote":
        """Return what a clip costs that goes on from an earlier one."""
        return Quote(self.since, self.currency, self.extension)


class Quote(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one picture, or one clip, of an order costs from a day on."""

    since: date
    currency: Currency
    #: None: unknown, or known of the tokens alone.
    amount: Decimal | None = None
    tokens: TokenPrices | None = None
    #: Of one search.
    search: Decimal | None = None

    def cost(self, usage: Usage | None, searches: int) -> Cost | None:
        """Return what it cost; None if that is unknown."""
        counted = self.tokens.of(usage) if self.tokens and usage else None
        amount = self.amount if counted is None else counted
        if amount is None or (searches and self.search is None):
            return None
        return Cost(amount + (self.search or Decimal(0)) * searches, self.currency)


_D = TypeVar("_D", bound=Quote | Price)


def in_force(dated: Iterable[_D], at: float) -> _D | None:
    """Return the newest one that has begun at a time in Unix seconds."""
    today, newest = datetime.fromtimestamp(at, UTC).date(), None
    for each in dated:
        if each.since <= today and (newest is None or each.since > newest.since):
            newest = each
    return newest


def cost_of(quotes: Sequence[Quote], at: float, usage: Usage | None = None, searches: int = 0) -> Cost | None:
    """Return what one picture or clip costs that is ordered at a time in Unix seconds; None if that is unknown."""
    quote = in_force(quotes, at)
    return None if quote is None else quote.cost(usage, searches)


def priced(images: Sequence[Image], quotes: Sequence[Quote], at: float) -> Sequence[Image]:
    """Return pictures with what each cost that was ordered at a time in Unix seconds."""
    if not quotes:
        return images
    return [msgspec.structs.replace(image, cost=_cost(image, quotes, at)) for image in images]


def _cost(image: Image, quotes: Sequence[Quote], at: float) -> Cost | None:
    return cost_of(quotes, at, image.usage, len(image.grounding.queries) if image.grounding else 0)


def total_cost(images: Iterable[Image]) -> Cost | None:
    """Return what pictures cost together; None if that of one is unknown."""
    total: Cost | None = None
    for image in images:
        if image.cost is None:
            return None
        total = image.cost if total is None else total + image.cost
    return total


def check_dates(prices: Sequence[Price]) -> None:
    """Look at the days of a model's prices.

    Raises:
        ValueError: two prices begin on the same day.
    """
    days = [price.since for price in prices]
    if twice := {day for day in days if days.count(day) > 1}:
        raise ValueError(f"two prices begin on {min(twice)}")
