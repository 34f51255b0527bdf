"""Rows of PostgreSQL that another transaction holds: who waits, who does not, and in which order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import select

from adapter.database.engine import Database, open_database
from adapter.database.tables import JOBS
from adapter.domain.job import Intended, advance
from adapter.domain.ports import Claim, Write
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job
from tests.postgres import PostgresServer
from tests.transactions import open_transaction

Act = Callable[[SqlJobStore, list[Claim]], Awaitable[int]]

FIRST, SECOND = video_job(1), video_job(2)


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A new memory on a server."""
    database = await open_database(postgres.new_url())
    yield database
    await database.dispose()


@pytest.fixture
async def claims(store: SqlJobStore) -> list[Claim]:
    """Two jobs, held; the one with the higher id lies before the other."""
    for job in (SECOND, FIRST):
        await store.admit(job, now=1000.0)
    return sorted(await store.claim(now=1000.0, lease=10.0, limit=2), key=lambda claim: claim.job.id, reverse=True)


async def save(store: SqlJobStore, claims: list[Claim]) -> int:
    """Write a step of each job."""
    return len(await store.save([Write(claim, advance(claim.job, Intended("main")), 2000.0) for claim in claims]))


async def renew(store: SqlJobStore, claims: list[Claim]) -> int:
    """Keep each job."""
    await store.renew(claims, due_at=2000.0)
    return 0


async def until_somebody_waits(database: Database) -> None:
    """Return as soon as one transaction waits for another."""
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
    while not await database.read(lambda connection: connection.exec_driver_sql(waiting).first()):
        await asyncio.sleep(0)


async def test_a_job_that_somebody_is_just_taking_is_not_waited_for(database: Database, store: SqlJobStore) -> None:
    """The others are taken meanwhile."""
    for job in (FIRST, SECOND):
        await store.admit(job, now=1000.0)
    async with open_transaction(database) as other:
        await other.execute(select(JOBS.c.id).where(JOBS.c.id == FIRST.id).with_for_update())
        taken = await store.claim(now=1000.0, lease=10.0, limit=1)

    assert [claim.job.id for claim in taken] == [SECOND.id]


async def test_a_claim_that_is_lost_while_a_write_waits_is_lost(
    database: Database, store: SqlJobStore, claims: list[Claim]
) -> None:
    """The token is compared under the row's lock."""
    async with open_transaction(database) as other:
        await other.execute(JOBS.update().values(claim="of somebody else"))
        late = asyncio.create_task(save(store, claims))
        await until_somebody_waits(database)

    assert await late == 0


@pytest.mark.parametrize("act", [save, renew])
async def test_rows_are_locked_in_one_order(
    database: Database,
    store: SqlJobStore,
    claims: list[Claim],
    act: Act,
) -> None:
    """By id, whatever the caller's: who waits for the first holds nothing yet, so nobody waits in a circle."""
    async with open_transaction(database) as other:
        await other.execute(select(JOBS.c.id).where(JOBS.c.id == FIRST.id).with_for_update())
        waiting = asyncio.ensure_future(act(store, claims))
        await until_somebody_waits(database)
        second = select(JOBS.c.id).where(JOBS.c.id == SECOND.id).with_for_update(nowait=True)
        assert (await other.execute(second)).scalar_one() == SECOND.id
    await waiting
