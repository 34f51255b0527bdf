"""The sums of what was made and spent, on both engines."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import msgspec
import pytest

from adapter.database.engine import Database, open_database
from adapter.domain.finished_work import FREE, FinishedWork
from adapter.domain.spending import Spending
from adapter.domain.usage import Cost, Currency
from adapter.domain.usage_counts import UsageCounts, UsageLabels, UsageQuery, summed
from adapter.errors import StorageFailed
from adapter.records.usage import SqlUsageStore
from adapter.records.usage_recorder import SWEEP_SECONDS, WRITE_SECONDS, CountedWork, UsageWriter
from adapter.tasks import Tasks, all_of
from tests.fakes import FakeClock, let_others_run
from tests.postgres import BOTH_ENGINES

HOUR = 3600
DAY = 24 * HOUR
EVER = UsageQuery(since=0, until=10**10)
PICTURES = FinishedWork(
    spending=Spending(owner="key:ada", key="ada", model="toy-fox", provider="toy", kind="image", units=2),
    at=100.0,
    is_completed=True,
    cost=Cost(Decimal("0.0672"), Currency.USD),
    input_tokens=7,
    output_tokens=2580,
    size="1024x1024",
    source="image.generation",
)
VIDEO = FinishedWork(
    spending=Spending(owner="key:bob", key=None, model="toy-waves", provider="toy", kind="video", units=8),
    at=DAY + 100.0,
    is_completed=True,
    cost=Cost(Decimal(20), Currency.CREDITS),
)
UNKNOWN = msgspec.structs.replace(VIDEO, is_completed=False, cost=None)
REFUSED = msgspec.structs.replace(VIDEO, is_completed=False, cost=FREE)


@pytest.fixture
def store(database: Database) -> SqlUsageStore:
    """The store of a database."""
    return SqlUsageStore(database)


@BOTH_ENGINES
async def test_an_empty_table_has_no_sums(store: SqlUsageStore) -> None:
    """Neither over all the time nor by day."""
    assert await store.sums(EVER) == []
    assert await store.sums(msgspec.structs.replace(EVER, step=DAY, by=["model"])) == []


@BOTH_ENGINES
async def test_work_is_summed_up_by_day_and_model(store: SqlUsageStore) -> None:
    """Each sum has what was made, what it cost, and how much of it has no known cost."""
    await store.add(summed([PICTURES, PICTURES]))
    await store.add(summed([PICTURES, VIDEO, UNKNOWN, REFUSED]))

    days = await store.sums(msgspec.structs.replace(EVER, step=DAY, by=["model", "key"]))

    assert [(day.start, dict(day.labels), day.counts) for day in days] == [
        (
            0,
            {"model": "toy-fox", "key": "ada"},
            UsageCounts(requests=3, images=6, input_tokens=21, output_tokens=7740, nano_dollars=201_600_000),
        ),
        (
            DAY,
            {"model": "toy-waves", "key": ""},
            UsageCounts(requests=3, failed=2, videos=1, seconds=8, nano_credits=20 * 10**9, unpriced=1),
        ),
    ]
    assert (days[0].counts.dollars, days[1].counts.credits) == (Decimal("0.2016"), Decimal(20))


@BOTH_ENGINES
async def test_sums_are_of_the_hours_and_values_that_are_asked_for(store: SqlUsageStore) -> None:
    """The end is not included."""
    works = [msgspec.structs.replace(PICTURES, at=float(at)) for at in (0, HOUR - 1, HOUR, 2 * HOUR)]
    await store.add(summed([*works, VIDEO]))

    async def hours(**asked: object) -> Mapping[int, int]:
        query = msgspec.structs.replace(UsageQuery(since=0, until=2 * HOUR, step=HOUR), **asked)
        return {each.start: each.counts.requests for each in await store.sums(query)}

    assert await hours() == {0: 2, HOUR: 1}
    assert await hours(since=HOUR) == {HOUR: 1}
    assert await hours(until=10 * DAY, only={"kind": ["video"]}) == {DAY: 1}
    assert await hours(step=None) == {0: 3}


@BOTH_ENGINES
async def test_a_token_that_costs_a_fraction_of_a_millionth_is_not_lost(store: SqlUsageStore) -> None:
    """A million of them cost what the price list says."""
    token = msgspec.structs.replace(PICTURES, cost=Cost(Decimal("0.000000075"), Currency.USD))
    await store.add(summed([token] * 1000))

    [whole] = await store.sums(EVER)
    assert whole.counts.dollars == Decimal("0.000075")


@BOTH_ENGINES
async def test_several_processes_add_to_the_same_rows(database_url: str) -> None:
    """In whatever order each has its rows: none waits for ever, and nothing is lost."""
    databases = [await open_database(database_url) for _ in range(2)]
    try:
        works = [[PICTURES, VIDEO], [VIDEO, PICTURES]]
        turns = [SqlUsageStore(databases[at % 2]).add(summed(works[at % 2])) for at in range(20)]
        await all_of(turns)
        [whole] = await SqlUsageStore(databases[0]).sums(EVER)
    finally:
        await asyncio.gather(*(database.dispose() for database in databases))

    assert (whole.counts.images, whole.counts.videos) == (40, 20)


@BOTH_ENGINES
async def test_old_hours_are_forgotten(store: SqlUsageStore) -> None:
    """Those that began before the time."""
    await store.add(summed([PICTURES, VIDEO]))

    assert await store.forget(before=float(DAY)) == 1
    [left] = await store.sums(msgspec.structs.replace(EVER, by=["kind"]))
    assert left.labels == {"kind": "video"}


async def test_names_that_are_too_long_are_cut(store: SqlUsageStore) -> None:
    """A job is not lost for the name of its key."""
    spending = msgspec.structs.replace(PICTURES.spending, key="file:/" + "x" * 500)
    await store.add(summed([msgspec.structs.replace(PICTURES, spending=spending)]))

    [found] = await store.sums(msgspec.structs.replace(EVER, by=["key"]))
    assert found.labels["key"] == "file:/" + "x" * 122


class FailingStore(SqlUsageStore):
    """A database that takes nothing for a while."""

    fails = True

    async def add(self, sums: Mapping[UsageLabels, UsageCounts]) -> None:
        if self.fails:
            raise StorageFailed("The database is away.")
        await super().add(sums)


async def test_pictures_are_written_together_after_a_while(store: SqlUsageStore) -> None:
    """And what came since then when the program ends."""
    clock, counted = FakeClock(), CountedWork()
    writer, tasks = UsageWriter(counted, store, clock, keep_seconds=0.0), Tasks("usage")
    tasks.start(writer.run())
    await let_others_run()
    for _ in range(3):
        await counted.finished(PICTURES)
    assert await store.sums(EVER) == []

    await clock.advance(WRITE_SECONDS)
    while not clock.alarms:
        await asyncio.sleep(0)
    [written] = await store.sums(EVER)
    await counted.finished(PICTURES)
    writer.close()
    await tasks.finish()
    await writer.run_once()

    [whole] = await store.sums(EVER)
    assert (written.counts.images, whole.counts.images) == (6, 8)


async def test_what_the_database_does_not_take_is_written_later(database: Database) -> None:
    """Once, with what came meanwhile."""
    store, counted = FailingStore(database), CountedWork()
    writer = UsageWriter(counted, store, FakeClock(), keep_seconds=0.0)
    await counted.finished(PICTURES)
    await writer.run_once()
    await counted.finished(PICTURES)
    store.fails = False
    await writer.run_once()
    await writer.run_once()

    [whole] = await store.sums(EVER)
    assert whole.counts.images == 4


async def test_old_sums_are_swept_once_an_hour(store: SqlUsageStore) -> None:
    """Where the operator wants it."""
    clock = FakeClock(3.0 * DAY)
    await store.add(summed([PICTURES, VIDEO]))
    await UsageWriter(CountedWork(), store, clock, keep_seconds=0.0).run_once()
    assert len(await store.sums(msgspec.structs.replace(EVER, step=DAY))) == 2

    writer = UsageWriter(CountedWork(), store, clock, keep_seconds=2.0 * DAY)
    await writer.run_once()
    assert [each.start for each in await store.sums(msgspec.structs.replace(EVER, step=DAY))] == [DAY]

    await store.add(summed([PICTURES]))
    await writer.run_once()
    assert len(await store.sums(msgspec.structs.replace(EVER, step=DAY))) == 2
    await clock.advance(SWEEP_SECONDS)
    await writer.run_once()
    assert await store.sums(EVER) == []
