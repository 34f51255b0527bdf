"""What a key may do: how it is read and written, and when its limits begin anew."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from adapter.domain.allowance import (
    UNLIMITED,
    Allowance,
    Charge,
    SpendingLimit,
    Taken,
    Window,
    changed,
    needs,
    read_budget,
    read_end,
    read_last_day,
    written,
)
from adapter.domain.delivery import Delivery
from adapter.domain.spending import Spending
from adapter.domain.usage import Cost, Currency

USD, CREDITS = Currency.USD, Currency.CREDITS
#: Of the last day of a leap year's February, in the evening.
EVENING = datetime(2028, 2, 29, 21, 30, 15, tzinfo=UTC).timestamp()
PICTURES = Spending(
    owner="ada", key="ada", model="fox", provider="p", kind="image", units=4, cost=Cost(Decimal("0.1344"), USD)
)
VIDEO = Spending(
    owner="ada", key="ada", model="waves", provider="p", kind="video", units=8, cost=Cost(Decimal(20), CREDITS)
)


def day(at: float) -> str:
    """Write a time in Unix seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("window", "begin", "end"),
    [
        (Window.MINUTE, "2028-02-29 21:30:00", "2028-02-29 21:31:00"),
        (Window.DAY, "2028-02-29 00:00:00", "2028-03-01 00:00:00"),
        (Window.MONTH, "2028-02-01 00:00:00", "2028-03-01 00:00:00"),
    ],
)
def test_a_limit_begins_anew_with_the_minute_day_or_month_of_utc(window: Window, begin: str, end: str) -> None:
    """Wherever the server is."""
    assert (day(window.begin(EVENING)), day(window.end(EVENING))) == (begin, end)


def test_december_ends_with_the_year() -> None:
    """The next month is one of another year."""
    assert day(Window.MONTH.end(datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())) == "2028-01-01 00:00:00"


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("20USD/month", [SpendingLimit(Decimal(20), USD, Window.MONTH)]),
        ("0.50 usd / day", [SpendingLimit(Decimal("0.50"), USD, Window.DAY)]),
        (
            "20USD/month,500credits/day",
            [SpendingLimit(Decimal(20), USD, Window.MONTH), SpendingLimit(Decimal(500), CREDITS, Window.DAY)],
        ),
    ],
)
def test_a_budget_is_an_amount_of_a_currency_in_a_day_or_month(text: str, limits: list[SpendingLimit]) -> None:
    """Several are separated by commas."""
    assert list(read_budget(text)) == limits
    assert read_budget(", ".join(map(str, limits))) == tuple(limits)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("20", "is no budget, such as 20USD/month"),
        ("-1USD/day", "is no budget"),
        ("20EUR/month", "'EUR' is no currency; there are: USD, credits"),
        ("20USD/year", "'year' is no time of a budget; there are: day, month"),
        ("1USD/day,2USD/day", "two budgets of one currency and time"),
        ("9999999999USD/day", "is more than"),
    ],
)
def test_what_is_no_budget_is_refused_with_what_is_one(text: str, says: str) -> None:
    """The message names the part that is wrong."""
    with pytest.raises(ValueError, match=says):
        read_budget(text)


def test_a_key_is_valid_until_its_last_day_is_over() -> None:
    """In UTC; or for so long from now on."""
    assert day(read_last_day(date(2027, 1, 31))) == "2027-02-01 00:00:00"
    assert read_end("2028-03-01", EVENING) == read_last_day(date(2028, 3, 1))
    assert read_end("30d", EVENING) == EVENING + 30 * 86_400
    assert read_end("12h", EVENING) == EVENING + 12 * 3600
    for text, says in {"tomorrow": "is no day, such as 2027-01-31", "2028-02-28": "is over", "0d": "is no day"}.items():
        with pytest.raises(ValueError, match=says):
            read_end(text, EVENING)


TEXTS = {
    "models": ("gemini-*, veo-3.1-fast", "a model"),
    "rpm": ("10", "0"),
    "images_per_day": ("0", "-1"),
    "videos_per_day": ("5", "1.5"),
    "budget": ("20USD/month, 5credits/day", "5"),
    "markup": ("html", "xml"),
    "side_calls": ("refuse", "ignore"),
    "response_format": ("url", "jpeg"),
    "admin": ("yes", "perhaps"),
}


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "models"])
def test_a_value_that_is_not_allowed_is_refused(name: str) -> None:
    """The values that are there stay."""
    with pytest.raises(ValueError, match=r"is no|not allowed"):
        changed(UNLIMITED, name, TEXTS[name][1], EVENING)


def test_each_value_is_read_and_written_stored_and_taken_away() -> None:
    """What is written can be read again."""
    whole = UNLIMITED
    for name, (text, _) in TEXTS.items():
        whole = changed(whole, name, text, EVENING)
    whole = changed(whole, "expires_at", "2028-12-31", EVENING)

    assert written(whole) == {**{name: text for name, (text, _) in TEXTS.items()}, "expires": "2029-01-01 00:00 UTC"}
    assert whole.response_format is Delivery.LINK
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Allowance) == whole
    for name in (*TEXTS, "expires_at"):
        whole = changed(whole, name, "none", EVENING)
    assert whole == UNLIMITED
    assert written(UNLIMITED) == {}


def test_a_key_may_use_the_models_that_its_patterns_name() -> None:
    """By any of their names. Without patterns it may use all."""
    allowance = Allowance(models=("gemini-*-image", "sora-2"))

    assert allowance.allows_model("gemini-3-pro-image-portrait", "gemini-3-pro-image")
    assert allowance.allows_model("sora-2", "veo-3.1-fast")
    assert not allowance.allows_model("veo-3.1-fast", "veo-3.1-fast")
    assert UNLIMITED.allows_model("anything")


def amounts(allowance: Allowance, spending: Spending) -> dict[str, str]:
    """Return what a piece of work takes, by the kinds of limits."""
    return {limit.kind: limit.write(amount) for limit, amount in needs(allowance.limits, spending)}


def test_work_takes_from_each_limit_that_counts_it() -> None:
    """Of several pictures each counts; a video is one, however long it is."""
    allowance = Allowance(rpm=10, images_per_day=5, videos_per_day=2, budget=read_budget("1USD/day,50credits/month"))

    assert amounts(allowance, PICTURES) == {"USD/day": "0.1344 USD", "images": "4 images", "requests": "1 request"}
    assert amounts(allowance, VIDEO) == {"credits/month": "20 credits", "requests": "1 request", "videos": "1 video"}
    assert amounts(UNLIMITED, PICTURES) == {}
    assert (allowance.is_limited, UNLIMITED.is_limited, Allowance(rpm=1).is_limited) == (True, False, True)


@pytest.mark.parametrize(
    ("spending", "says"),
    [
        (msgspec.structs.replace(PICTURES, cost=None), "'fox' cannot be counted: what it costs is not known"),
        (VIDEO, "budget in USD. The model 'waves' cannot be counted: its price is in credits"),
    ],
)
def test_an_unknown_cost_is_never_nothing_for_a_budget(spending: Spending, says: str) -> None:
    """A price in another currency is unknown too."""
    with pytest.raises(ValueError, match=says):
        needs(Allowance(budget=read_budget("1USD/day")).limits, spending)


def test_what_cost_nothing_gives_all_back_but_the_request() -> None:
    """The request was made."""
    taken = (Taken("USD/day", 0, 100), Taken("images", 0, 2), Taken("requests", 60, 1))

    assert Charge("ada", taken).given_back.taken == taken[:2]


def test_the_real_cost_replaces_the_estimate() -> None:
    """More or less of it was taken. One that stays unknown changes nothing."""
    charge = Charge("ada", (Taken("USD/day", 0, 50_000_000), Taken("images", 0, 2)))

    assert charge.excess(Cost(Decimal("0.04"), USD)).taken == (Taken("USD/day", 0, 10_000_000),)
    assert charge.excess(Cost(Decimal("0.06"), USD)).taken == (Taken("USD/day", 0, -10_000_000),)
    assert charge.excess(Cost(Decimal("0.05"), USD)).taken == ()
    assert charge.excess(None).taken == ()
