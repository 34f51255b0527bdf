"""What models cost by the catalogue, and what orders come to."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from adapter.domain.catalogue import CatalogueFile
from adapter.domain.grounding import Grounding, WebSource
from adapter.domain.media import Frame, Ratio, Resolution
from adapter.domain.orders import ImageOrder
from adapter.domain.prices import ImagePrice, Quote, TokenPrices, VideoPrice, cost_of, in_force, priced
from adapter.domain.usage import Cost, Currency, Usage
from adapter.errors import WrongConfiguration
from adapter.settings import Settings, load_catalogue
from tests.fakes import made_image
from tests.support import CONFIG, catalogue

USD, CREDITS = Currency.USD, Currency.CREDITS
NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)

IMAGES = """
[[image]]
name = "fox"
provider = "gemini"
upstream = "fox-1"
released = 2026-10-06
ratios = ["1:1"]
resolutions = ["1K", "2K"]
"""
VIDEOS = """
[[video]]
name = "waves"
provider = "flow"
released = 2026-10-06
seconds = 8
typical_seconds = 60
upstream = { text = { "16:9" = "waves-1" } }
sizes = { "16:9" = { width = 1280, height = 720 } }
"""
CLIP = 'since = 2026-11-01\nsource = "a page"\nclip = 20'


def noon(day: date) -> float:
    """Return a time of a day in Unix seconds."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()


def quotes(*prices: ImagePrice, resolution: Resolution = Resolution.ONE) -> list[Quote]:
    """Return what a picture costs by a list of prices."""
    return [price.quote(resolution) for price in prices]


def price(amount: str, since: date = NOVEMBER, **others: object) -> ImagePrice:
    """Return a price of 1K pictures."""
    plain = ImagePrice(since=since, source="a page", picture={Resolution.ONE: Decimal(amount)})
    return msgspec.structs.replace(plain, **others)


def test_the_newest_price_that_has_begun_counts() -> None:
    """A price can be written down before its day; a day begins at midnight in UTC."""
    dated = quotes(price("0.03", DECEMBER), price("0.04", NOVEMBER))

    assert cost_of(dated, noon(NOVEMBER)) == Cost(Decimal("0.04"), USD)
    assert cost_of(dated, noon(DECEMBER) - 12 * 3600 - 1) == Cost(Decimal("0.04"), USD)
    assert cost_of(dated, noon(DECEMBER) - 12 * 3600) == Cost(Decimal("0.03"), USD)


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param([], id="no price"),
        pytest.param(quotes(price("0.04", DECEMBER)), id="none has begun"),
        pytest.param(quotes(price("0.04"), resolution=Resolution.TWO), id="another resolution"),
    ],
)
def test_what_no_price_tells_is_unknown(unknown: list[Quote]) -> None:
    """And never 0: a budget must not take it for free."""
    assert cost_of(unknown, noon(NOVEMBER)) is None


def test_free_is_known() -> None:
    """It is an amount like any other."""
    assert cost_of(quotes(price("0", currency=CREDITS)), noon(NOVEMBER)) == Cost(Decimal(0), CREDITS)


@pytest.mark.parametrize(
    ("seconds", "resolution", "amount"), [(8, "720p", "0.56"), (15, "360p", "0.345"), (3, "4k", None)]
)
def test_seconds_are_multiplied_exactly(seconds: int, resolution: str, amount: str | None) -> None:
    """15 times 0.023 is 0.345, and not 0.34499999999999997."""
    by_second = VideoPrice(
        since=NOVEMBER, source="a page", second={"720p": Decimal("0.07"), "360p": Decimal("0.023")}
    ).quote(resolution, seconds)

    assert by_second.amount == (None if amount is None else Decimal(amount))


def test_a_clip_may_have_a_price_whatever_its_length() -> None:
    """As at Flow."""
    clip = VideoPrice(since=NOVEMBER, source="a page", currency=CREDITS, clip=Decimal(20))

    assert cost_of([clip.quote("720p", 4)], noon(NOVEMBER)) == Cost(Decimal(20), CREDITS)


TOKENS = TokenPrices(input_text=Decimal("0.5"), output_text=Decimal(3), output_image=Decimal(30))


@pytest.mark.parametrize(
    ("usage", "amount"),
    [
        (Usage(input_text=10, output_text=200, output_image=1120), "0.034205"),
        (Usage(input_text=10, input_image=560, output_image=1120), "0.04"),
        (None, "0.04"),
    ],
    ids=["all known", "the price of one kind is unknown", "not counted"],
)
def test_tokens_count_where_all_their_prices_are_known(usage: Usage | None, amount: str) -> None:
    """Otherwise it is the price of a picture: what is left out of a sum would be taken for free."""
    dated = quotes(price("0.04", million_tokens=TOKENS))

    assert cost_of(dated, noon(NOVEMBER), usage) == Cost(Decimal(amount), USD)


@pytest.mark.parametrize(
    ("search", "searches", "amount"),
    [("0.014", 0, "0.04"), ("0.014", 2, "0.068"), (None, 0, "0.04"), (None, 1, None)],
)
def test_searches_are_added(search: str | None, searches: int, amount: str | None) -> None:
    """If their price is unknown, so is the sum."""
    dated = quotes(price("0.04", search=search and Decimal(search)))

    assert cost_of(dated, noon(NOVEMBER), None, searches) == (amount and Cost(Decimal(amount), USD))


def test_a_picture_that_was_searched_for_costs_more() -> None:
    """By the number of its queries."""
    found = Grounding(queries=("fox", "red fox"), sources=(WebSource("https://a.example/", "A"),))
    images = [made_image(), msgspec.structs.replace(made_image(), grounding=found)]
    told = priced(images, quotes(price("0.04", search=Decimal("0.014"))), noon(NOVEMBER))

    assert [str(image.cost) for image in told] == ["0.04 USD", "0.068 USD"]


def test_two_currencies_are_no_sum() -> None:
    """A credit is no dollar."""
    with pytest.raises(ValueError, match="two currencies"):
        Cost(Decimal(1), USD) + Cost(Decimal(1), CREDITS)


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(Decimal("0.0336"), USD), "0.0336 USD"),
        (Cost(Decimal("1.50"), USD), "1.5 USD"),
        (Cost(Decimal(20), CREDITS), "20 credits"),
    ],
)
def test_a_cost_is_written_for_people(cost: Cost, words: str) -> None:
    """Without an exponent and without zeros at its end."""
    assert str(cost) == words


def test_an_order_says_what_it_will_cost() -> None:
    """All its pictures together: it is what a budget decides by."""
    order = ImageOrder(
        model="fox",
        provider="gemini",
        upstream="fox-1",
        prompt="a fox",
        n=3,
        frame=Frame(Ratio.SQUARE, None),
        quotes=tuple(quotes(price("0.0336"))),
    )

    assert order.spending("ada", None, noon(NOVEMBER)).cost == Cost(Decimal("0.1008"), USD)
    assert order.spending("ada", None, 1000.0).cost is None


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("gemini-nano-banana-2.1", ["0.0336 USD a picture (1K)", "0.014 USD a search"]),
        ("gemini-3.1-flash-image", ["0.0672 USD a picture (1K)", "0.014 USD a search"]),
        ("gemini-3-pro-image", ["0.134 USD a picture (1K)", "0.014 USD a search"]),
        ("gemini-2.5-flash-image", ["0.039 USD a picture (1K)"]),
        ("gemini-3.1-flash-lite-image", []),
        ("flow-gem-pix-2", []),
        ("veo-3.1-fast", ["20 credits a clip", "0 credits an upscale (1080p)", "50 credits an upscale (4k)"]),
        (
            "gemini-omni-1.2-flash",
            [
                "0.023 USD a second (360p)",
                "0.07 USD a second (720p)",
                "0.105 USD a second (1080p)",
                "0.21 USD a second (4k)",
            ],
        ),
    ],
)
def test_the_catalogue_has_the_prices_of_its_sources(name: str, rates: list[str]) -> None:
    """And none that no source tells."""
    found = in_force(catalogue().find(name).card.prices, noon(date(2026, 11, 29)))

    assert ([str(rate) for rate in found.rates()] if found else []) == rates


@pytest.mark.parametrize(
    ("model", "lines", "words"),
    [
        (IMAGES, 'since = 2026-11-01\npicture = { "1K" = 0.04 }', "source"),
        (IMAGES, 'since = 2026-11-01\nsource = " "\npicture = { "1K" = 0.04 }', "where the price is from"),
        (IMAGES, 'since = 2026-11-01\nsource = "a page"', "has no amount"),
        (IMAGES, 'source = "a page"\npicture = { "1K" = 0.04 }', "since"),
        (IMAGES, 'since = 2026-11-01\nsource = "a page"\npicture = { "1K" = -1 }', "-1 is no price"),
        (IMAGES, 'since = 2026-11-01\nsource = "a page"\npicture = { "1K" = nan }', "NaN is no price"),
        (IMAGES, 'since = 2026-11-01\nsource = "a page"\npicture = { "4K" = 0.04 }', "a price for 4K, and no such"),
        (IMAGES, 'since = 2026-11-01\nsource = "a page"\nsecond = { "1K" = 0.04 }', "second"),
        (IMAGES, 'since = 2026-11-01\nsource = "a page"\ncurrency = "EUR"\npicture = { "1K" = 0.04 }', "EUR"),
        (VIDEOS, 'since = 2026-11-01\nsource = "a page"\nsecond = { 1080p = 0.1 }', "a price for 1080p, and no such"),
        (VIDEOS, 'since = 2026-11-01\nsource = "a page"\nclip = 20\nsecond = { 720p = 0.1 }', "a clip has one price"),
        (
            VIDEOS,
            f"{CLIP}\n[[video.prices]]\n{CLIP}",
            "two prices begin on 2026-11-01",
        ),
    ],
)
def test_a_wrong_price_is_told_at_the_start(model: str, lines: str, words: str, tmp_path: Path) -> None:
    """With the file and the reason."""
    kind = "image" if model is IMAGES else "video"
    (tmp_path / "models.toml").write_text(f"{model}\n[[{kind}.prices]]\n{lines}\n")
    with pytest.raises(WrongConfiguration, match=words) as wrong:
        load_catalogue(tmp_path / "adapter.toml", Settings(providers=CONFIG.providers))
    assert "models.toml" in wrong.value.message


def test_a_catalogue_without_prices_stays_valid() -> None:
    """Older files have none."""
    file = msgspec.convert(msgspec.toml.decode(IMAGES + VIDEOS), CatalogueFile)

    assert file.image[0].quotes(None) == file.video[0].quotes("720p", 8) == ()
