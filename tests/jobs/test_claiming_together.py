"""Several processes on one database: what one holds, no other one touches. The engines are two, as theirs would be."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from adapter.database.engine import open_database
from adapter.domain.executions import ConnectedProcess, RequestIdentity
from adapter.domain.job import Intended, advance
from adapter.domain.ports import Claim, Write
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES

JOBS, ROUNDS, AT_ONCE, LEASE = 50, 6, 4, 10.0
ONE = ConnectedProcess(process="one", lease=5.0, window=60.0)


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[list[SqlJobStore]]:
    """The memory of work, as two processes see it."""
    databases = [await open_database(database_url) for _ in range(2)]
    yield [SqlJobStore(database) for database in databases]
    for database in databases:
        await database.dispose()


async def take(store: SqlJobStore, now: float, limit: int = 7) -> list[Claim]:
    """Claim what is due, as often as something is."""
    taken: list[Claim] = []
    while claims := await store.claim(now=now, lease=LEASE, limit=limit):
        taken += claims
    return taken


async def test_no_job_is_claimed_twice_while_a_claim_holds(stores: list[SqlJobStore]) -> None:
    """And none is left over, in many rounds with many at once."""
    for number in range(JOBS):
        await stores[0].admit(video_job(number), now=1000.0)
    for number in range(ROUNDS):
        taken = await asyncio.gather(*(take(store, 1000.0 + number * LEASE) for store in stores * AT_ONCE))
        counted = Counter(claim.job.id for claims in taken for claim in claims)

        assert len(counted) == JOBS
        assert set(counted.values()) == {1}


async def test_one_call_takes_no_more_than_it_asks_for(stores: list[SqlJobStore]) -> None:
    """However many others take at the same moment."""
    for number in range(JOBS):
        await stores[0].admit(video_job(number), now=1000.0)
    taken = await asyncio.gather(*(store.claim(now=1000.0, lease=LEASE, limit=3) for store in stores * AT_ONCE))

    assert {len(claims) for claims in taken} == {3}


async def test_what_a_client_left_is_joined_by_one_of_those_that_ask_at_the_same_moment(
    stores: list[SqlJobStore],
) -> None:
    """Whichever process they reached; the others have wishes of their own, and other wishes do not wait for them."""
    for number in range(ROUNDS):
        asked = RequestIdentity(owner="ada", route="/videos", content=f"waves {number}")
        left = await stores[0].admit(video_job(1000 + number), now=1000.0, identity=asked, connected=ONE)
        await stores[0].release(left.id, ONE.process, answered_at=None)
        wishes = [video_job(100 * number + at) for at in range(2 * AT_ONCE)]
        given = await asyncio.gather(
            *(
                store.admit(job, now=1000.0, identity=asked, connected=ONE)
                for store, job in zip(stores * AT_ONCE, wishes, strict=True)
            )
        )

        assert [job.id for job in given].count(left.id) == 1
        assert len({job.id for job in given}) == 2 * AT_ONCE
    assert len(await stores[0].recent(1000)) == ROUNDS * 2 * AT_ONCE


async def test_a_stale_owner_changes_nothing_whenever_it_wakes(stores: list[SqlJobStore]) -> None:
    """Its writes and those of its successor cross each other, in whatever order each has its jobs."""
    for number in range(JOBS):
        await stores[0].admit(video_job(number), now=1000.0)
    old = await stores[0].claim(now=1000.0, lease=LEASE, limit=JOBS)
    new = await stores[1].claim(now=1000.0 + LEASE, lease=LEASE, limit=JOBS)
    stale = [Write(claim, advance(claim.job, Intended("old")), 0.0) for claim in reversed(old)]
    fresh = [Write(claim, advance(claim.job, Intended("new")), 2000.0, keeps_claim=True) for claim in new]
    written = await asyncio.gather(
        *(store.save(writes) for store, writes in zip(stores * AT_ONCE, [stale, fresh] * AT_ONCE, strict=True)),
    )
    await asyncio.gather(*(stores[0].renew(claims, due_at=3000.0) for claims in (old, new, old[::-1], new[::-1])))

    assert [len(jobs) for jobs in written] == [0, JOBS] * AT_ONCE
    assert {job.account for job in await stores[0].recent(JOBS)} == {"new"}
    assert await stores[0].claim(now=2999.0, lease=LEASE, limit=JOBS) == []
