"""What keys take of their limits, counted in a real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select

from adapter.access.quotas import SqlQuotas
from adapter.database.engine import Database, open_database
from adapter.database.tables import KEY_COUNTS
from adapter.domain.allowance import UNLIMITED, Allowance, read_budget
from adapter.domain.spending import Spending
from adapter.domain.usage import Cost, Currency
from adapter.errors import AdapterError, CostUnknown, LimitReached, RateLimited
from tests.fakes import FakeClock
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
PICTURE = Spending(
    owner="key:ada",
    key="ada",
    model="fox",
    provider="p",
    kind="image",
    units=1,
    cost=Cost(Decimal("0.04"), Currency.USD),
)
VIDEO = msgspec.structs.replace(PICTURE, kind="video", units=8, cost=Cost(Decimal(20), Currency.CREDITS))


@pytest.fixture
def clock() -> FakeClock:
    """The last noon of November."""
    return FakeClock(NOON)


@pytest.fixture
def quotas(database: Database, clock: FakeClock) -> SqlQuotas:
    """The counts, all at nothing."""
    return SqlQuotas(database, clock.now)


@pytest.fixture
async def elsewhere(quotas: SqlQuotas, database_url: str, clock: FakeClock) -> AsyncIterator[SqlQuotas]:
    """The same counts in another process."""
    other = await open_database(database_url)
    yield SqlQuotas(other, clock.now)
    await other.dispose()


async def counts(database: Database) -> dict[tuple[str, str], int]:
    """Return what is taken, by key and kind."""
    found = select(KEY_COUNTS.c.key, KEY_COUNTS.c.kind, KEY_COUNTS.c.taken)
    rows = await database.read(lambda connection: connection.execute(found).all())
    return {(row.key, row.kind): row.taken for row in rows}


def pictures(count: int) -> Spending:
    """Return so many pictures of 0.04 USD."""
    return msgspec.structs.replace(PICTURE, units=count, cost=Cost(Decimal("0.04") * count, Currency.USD))


@pytest.mark.parametrize(
    "allowance",
    [Allowance(images_per_day=10), Allowance(rpm=10), Allowance(budget=read_budget("0.40USD/month"))],
    ids=["images", "requests", "money"],
)
async def test_of_a_hundred_at_once_no_more_are_accepted_than_the_limit_says(
    quotas: SqlQuotas, elsewhere: SqlQuotas, allowance: Allowance
) -> None:
    """By two processes together."""
    taking = [(quotas, elsewhere)[number % 2].take(PICTURE, allowance) for number in range(100)]
    found = await asyncio.gather(*taking, return_exceptions=True)

    refused = [each for each in found if isinstance(each, AdapterError)]
    assert len(refused) == 90
    assert {type(each) for each in refused} <= {LimitReached, RateLimited}


async def test_what_is_refused_by_one_limit_takes_nothing_of_another(quotas: SqlQuotas, database: Database) -> None:
    """All limits are taken together or none is."""
    allowance = Allowance(rpm=10, images_per_day=3, budget=read_budget("1USD/day"))
    await quotas.take(pictures(2), allowance)
    before = await counts(database)
    with pytest.raises(LimitReached):
        await quotas.take(pictures(2), allowance)

    assert before == {("ada", "USD/day"): 80_000_000, ("ada", "images"): 2, ("ada", "requests"): 1}
    assert await counts(database) == before


@pytest.mark.parametrize(
    ("allowance", "says"),
    [
        (
            Allowance(images_per_day=3),
            (
                "This key may have 3 images in a day. 2 images are taken, and this request wants 2 images. "
                "The limit is reset at 2026-12-01 00:00 UTC."
            ),
        ),
        (
            Allowance(budget=read_budget("0.1 USD/month")),
            (
                "This key may have 0.1 USD in a month. 0.08 USD are taken, and this request needs about 0.08 USD. "
                "The limit is reset at 2026-12-01 00:00 UTC."
            ),
        ),
        (
            Allowance(rpm=1),
            "This key may begin 1 request a minute, and has begun 1. The limit is reset at 2026-11-30 12:01 UTC.",
        ),
    ],
)
async def test_a_refusal_names_the_limit_and_its_reset(quotas: SqlQuotas, allowance: Allowance, says: str) -> None:
    """And how long it is until then."""
    await quotas.take(pictures(2), allowance)
    with pytest.raises((LimitReached, RateLimited)) as refused:
        await quotas.take(pictures(2), allowance)

    assert refused.value.message == says
    assert refused.value.retry_after == (60.0 if allowance.rpm else 43_200.0)


async def test_more_than_the_whole_limit_is_refused_at_once(quotas: SqlQuotas, database: Database) -> None:
    """Also as the first request of the day; a limit of 0 lets nothing through."""
    for allowance, spending in [
        (Allowance(images_per_day=3), pictures(4)),
        (Allowance(images_per_day=0), PICTURE),
        (Allowance(videos_per_day=0), VIDEO),
    ]:
        with pytest.raises(LimitReached):
            await quotas.take(spending, allowance)

    assert await counts(database) == {}


async def test_a_limit_begins_anew_and_old_counts_are_forgotten(
    quotas: SqlQuotas, database: Database, clock: FakeClock
) -> None:
    """The count before the present one stays: something may be given back to it."""
    allowance = Allowance(rpm=1, images_per_day=4)
    for _ in range(4):
        await quotas.take(PICTURE, allowance)
        await clock.advance(60.0)
    with pytest.raises(LimitReached):
        await quotas.take(PICTURE, allowance)
    await clock.advance(43_200.0)
    await quotas.take(PICTURE, allowance)

    found = select(KEY_COUNTS.c.kind, KEY_COUNTS.c.taken).order_by(KEY_COUNTS.c.kind, KEY_COUNTS.c.begins_at)
    rows = await database.read(lambda connection: connection.execute(found).all())
    assert [tuple(row) for row in rows] == [("images", 4), ("images", 1), ("requests", 1)]


async def test_what_is_given_back_can_be_taken_again(quotas: SqlQuotas, database: Database) -> None:
    """Given back twice by a mistake, it is no credit."""
    allowance = Allowance(images_per_day=1)
    charge = await quotas.take(PICTURE, allowance)
    assert charge is not None
    for _ in range(2):
        await quotas.give(charge)
    given = await counts(database)
    await quotas.take(PICTURE, allowance)

    assert given == {("ada", "images"): 0}
    with pytest.raises(LimitReached):
        await quotas.take(PICTURE, allowance)


async def test_a_real_cost_may_be_more_than_the_limit_has(quotas: SqlQuotas, database: Database) -> None:
    """It is spent. The next request is refused."""
    allowance = Allowance(budget=read_budget("0.05USD/day"))
    charge = await quotas.take(PICTURE, allowance)
    assert charge is not None
    await quotas.give(charge.excess(Cost(Decimal("0.07"), Currency.USD)))

    assert await counts(database) == {("ada", "USD/day"): 70_000_000}
    with pytest.raises(LimitReached, match=r"0\.07 USD are taken"):
        await quotas.take(PICTURE, allowance)


async def test_each_key_has_its_own_counts(quotas: SqlQuotas) -> None:
    """Two keys of one owner too."""
    allowance = Allowance(images_per_day=1)
    await quotas.take(PICTURE, allowance)
    await quotas.take(msgspec.structs.replace(PICTURE, key="ben"), allowance)

    with pytest.raises(LimitReached):
        await quotas.take(PICTURE, allowance)


async def test_a_key_without_limits_is_not_counted(quotas: SqlQuotas, database: Database) -> None:
    """Models and a last day are no limits."""
    for allowance in (UNLIMITED, Allowance(models=("fox",), expires_at=1.0)):
        assert await quotas.take(PICTURE, allowance) is None

    assert await counts(database) == {}


async def test_a_cost_that_is_not_known_is_refused_by_a_budget(quotas: SqlQuotas, database: Database) -> None:
    """It says why, and whom to ask."""
    with pytest.raises(CostUnknown, match="its price is in credits"):
        await quotas.take(VIDEO, Allowance(budget=read_budget("1USD/day")))

    assert await counts(database) == {}


async def test_an_operator_sees_what_is_taken_and_when_it_is_reset(quotas: SqlQuotas, clock: FakeClock) -> None:
    """Of the present minute, day and month; a limit that nothing was taken of is at 0."""
    allowance = Allowance(rpm=5, images_per_day=9, videos_per_day=1, budget=read_budget("1USD/month"))
    await quotas.take(pictures(2), allowance)
    await clock.advance(60.0)
    states = await quotas.limit_states({"ada": allowance, "ben": UNLIMITED})
    midnight = int(NOON) + 43_200

    assert states["ben"] == []
    assert [(each.limit.kind, each.limit.value(each.taken), each.resets_at) for each in states["ada"]] == [
        ("USD/month", Decimal("0.08"), midnight),
        ("images", 2, midnight),
        ("videos", 0, midnight),
        ("requests", 0, int(NOON) + 120),
    ]
