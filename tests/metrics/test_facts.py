"""What is read of the process when the page is asked for."""

import asyncio
from collections.abc import Iterable, Mapping

import msgspec

from adapter.budget import MemoryBudget
from adapter.database.write_queue import WriteQueue, WriteTurn
from adapter.domain.job import LIVE
from adapter.domain.job_kinds import KINDS
from adapter.errors import StorageFailed
from adapter.jobs.census import JobCount
from adapter.metrics.facts import Fact, credit_facts, job_facts, memory_facts, write_facts
from adapter.metrics.loop_lag import LOOK_SECONDS, watch_loop
from adapter.metrics.page import MetricsPage
from adapter.providers.credential_pool import CredentialPool
from tests.fakes import FakeClock, let_others_run
from tests.noted_metrics import NotedMetrics


def plain(facts: Iterable[Fact]) -> Mapping[str, float]:
    """Return facts that have no labels by their names."""
    return {fact.family: fact.value for fact in facts}


async def test_the_memory_budget_tells_what_is_used_and_what_is_waited_for() -> None:
    """In bytes, and the number of requests."""
    budget = MemoryBudget(FakeClock(), capacity=100, wait_seconds=30)

    async def wait() -> None:
        async with budget.reserve(70):
            pass

    async with budget.reserve(60):
        waiting = asyncio.ensure_future(wait())
        await let_others_run()
        facts = plain(memory_facts(budget))
    await waiting

    assert facts == {
        "memory_limit_bytes": 100,
        "memory_used_bytes": 60,
        "memory_waiting_requests": 1,
        "memory_waiting_bytes": 70,
    }
    assert plain(memory_facts(budget))["memory_used_bytes"] == 0


async def test_writers_that_wait_are_counted_by_what_they_write_for() -> None:
    """Kinds without a writer are 0."""
    queue = WriteQueue(FakeClock())

    async def write() -> None:
        async with queue.turn(WriteTurn.NEW):
            pass

    async with queue.turn(WriteTurn.LEASE):
        waiting = asyncio.ensure_future(write())
        await let_others_run()
        facts = {fact.labels["turn"]: fact.value for fact in write_facts(queue)}
    await waiting

    assert facts == {"lease": 0, "under_way": 0, "new": 1, "claim": 0}


def test_jobs_are_told_for_every_kind_and_state() -> None:
    """Also where there are none: an alert needs a series that is 0. A clock that was set back makes no negative age."""
    counts = [JobCount("video", "submitted", 3, 900.0), JobCount("image", "accepted", 1, 2000.0)]
    facts = [*job_facts(counts, now=1000.0)]
    found = {(fact.family, fact.labels["kind"], fact.labels["state"]): fact.value for fact in facts}

    assert len(found) == len(facts) == 2 * len(KINDS) * len(LIVE)
    assert found["jobs", "video", "submitted"] == 3
    assert found["job_oldest_seconds", "video", "submitted"] == 100.0
    assert found["job_oldest_seconds", "image", "accepted"] == 0.0
    assert found["jobs", "video", "accepted"] == 0


async def test_a_database_that_cannot_be_read_makes_the_page_shorter() -> None:
    """What the process knows by itself is there all the same."""
    written: list[Fact] = []

    def write(facts: Iterable[Fact]) -> bytes:
        written.extend(facts)
        return b"page"

    async def count() -> list[JobCount]:
        raise StorageFailed("The server cannot reach its database at the moment.")

    page = MetricsPage(write, FakeClock())
    page.open([lambda: [Fact("streams_open", 1.0)]], count)

    assert await page.read() == b"page"
    assert written == [Fact("streams_open", 1.0), Fact("database_readable", 0.0)]


async def test_a_late_event_loop_is_measured() -> None:
    """By what is beyond the time that it was to sleep."""
    clock, metrics = FakeClock(), NotedMetrics()
    watching = asyncio.ensure_future(watch_loop(clock, metrics))
    for seconds in (LOOK_SECONDS, LOOK_SECONDS + 2.0):
        await let_others_run()
        await clock.advance(seconds)
    await let_others_run()
    watching.cancel()
    await asyncio.wait([watching])

    assert metrics.told == [("event_loop_lag_seconds", 0.0, {}), ("event_loop_lag_seconds", 2.0, {})]


async def test_credits_are_those_of_the_accounts_that_there_are() -> None:
    """An account that a reload removed would else have few credits for ever, and an alert with them."""
    accounts = [Account("main"), Account("spare"), Account("new")]
    pool = CredentialPool("Flow account", "flow", accounts, FakeClock())
    pool.note_worth("main", 100)
    pool.note_worth("main", 80)
    pool.note_worth("spare", 0)

    assert [(each.family, each.value, each.labels["credential"]) for each in credit_facts([pool])] == [
        ("credits", 80, "main"),
        ("credits", 0, "spare"),
    ]
    assert [*credit_facts([])] == []


class Account(msgspec.Struct, frozen=True):
    """A credential."""

    name: str
    enabled: bool = True
    concurrency: int = 4
