"""Readers of one process hear of what another one wrote."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from adapter.clock import SystemClock
from adapter.database.changes import Changes
from adapter.database.engine import Database, open_database
from adapter.domain.job import Intended, Missed, Operation, Progressed, Submitted, VideoJob, advance
from adapter.domain.ports import Claim, Clock, Subscription, Write
from adapter.errors import StorageFailed
from adapter.jobs.feed import LocalFeed
from adapter.jobs.follow import READ_LIMIT, Follower
from adapter.jobs.store import SqlJobStore
from tests.fakes import FakeClock, video_job
from tests.postgres import BOTH_ENGINES

SECONDS = 20.0


class Told:
    """Changes, as a test says them."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[Collection[str] | None] = asyncio.Queue()

    async def say(self, changed: Collection[str] | None) -> None:
        """Say what changed and return when it was looked at."""
        await self._said.put(changed)
        await self._said.join()

    async def tell(self, connection: AsyncConnection, ids: Sequence[str]) -> None:
        raise AssertionError(f"{ids} on {connection}")

    async def heard(
        self,
        clock: Clock,  # noqa: ARG002 - a test says when
        watched: Collection[str],  # noqa: ARG002 - and what
    ) -> AsyncGenerator[Collection[str] | None, None]:
        while True:
            yield await self._said.get()
            self._said.task_done()


class CountingStore(SqlJobStore):
    """Knows what it was asked for."""

    asked: list[list[str]]
    fault: StorageFailed | None = None

    async def get_many(self, job_ids: Collection[str]) -> Sequence[VideoJob]:
        self.asked.append(sorted(job_ids))
        if self.fault:
            raise self.fault
        return await super().get_many(job_ids)


@asynccontextmanager
async def following(store: SqlJobStore, feed: LocalFeed, changes: Changes, clock: Clock) -> AsyncIterator[None]:
    """Let a follower run meanwhile."""
    task = asyncio.create_task(Follower(store, feed, changes, clock).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def store(database: Database) -> CountingStore:
    """A memory that counts."""
    store = CountingStore(database)
    store.asked = []
    return store


async def news(changes: Subscription) -> VideoJob:
    """Return what a reader hears, which has to be soon."""
    job = await changes.next(SECONDS)
    assert job is not None
    return job


async def test_only_what_changed_and_somebody_watches_is_read(store: CountingStore) -> None:
    """All of it at once, and its readers are told."""
    feed, told = LocalFeed(FakeClock()), Told()
    jobs = [await store.admit(video_job(number), now=1000.0) for number in range(3)]
    async with following(store, feed, told, FakeClock()):
        with feed.subscribe(jobs[0].id) as one, feed.subscribe(jobs[1].id) as two:
            await told.say({jobs[0].id})
            await told.say(None)

            assert [await news(one), await news(two)] == jobs[:2]
    assert store.asked == [[jobs[0].id], [jobs[0].id, jobs[1].id]]


async def test_very_many_are_read_in_several_queries(store: CountingStore) -> None:
    """Each of a bounded size."""
    feed, told = LocalFeed(FakeClock()), Told()
    ids = [f"video_{number}" for number in range(READ_LIMIT + 1)]
    async with following(store, feed, told, FakeClock()):
        await told.say(ids)

    assert [len(asked) for asked in store.asked] == [READ_LIMIT, 1]


async def test_a_store_that_is_away_ends_nothing(store: CountingStore) -> None:
    """The next change is looked at again."""
    feed, told = LocalFeed(FakeClock()), Told()
    job = await store.admit(video_job(), now=1000.0)
    async with following(store, feed, told, FakeClock()):
        with feed.subscribe(job.id) as changes:
            store.fault = StorageFailed("away")
            await told.say({job.id})
            store.fault = None
            await told.say({job.id})
            assert await news(changes) == job


async def test_an_older_state_does_not_replace_a_newer_one() -> None:
    """What another process wrote may be read before, and told after, what this one wrote."""
    feed = LocalFeed(FakeClock())
    older = advance(advance(video_job(), Intended("main")), Submitted(Operation("op", "mark"), 1000.0))
    newer = advance(older, Progressed(50))
    with feed.subscribe(older.id) as changes:
        feed.publish(newer)
        feed.publish(older)

        assert await news(changes) == newer


async def moved(store: SqlJobStore, claim: Claim, move: Callable[[VideoJob], VideoJob]) -> Claim:
    """Write the next state of a job and return the claim with it."""
    job = move(claim.job)
    assert await store.save([Write(claim, job, 2000.0, keeps_claim=True)])
    return msgspec.structs.replace(claim, job=job)


@BOTH_ENGINES
async def test_a_reader_hears_what_another_process_wrote(database_url: str) -> None:
    """Through the real database; a change that no reader could see is not told of."""
    databases = [await open_database(database_url) for _ in range(2)]
    here, there = (SqlJobStore(database) for database in databases)
    clock = SystemClock()
    feed = LocalFeed(clock)
    job = await there.admit(video_job(), now=1000.0)
    async with following(here, feed, databases[0].changes, clock):
        with feed.subscribe(job.id) as changes:
            assert await news(changes) == job  # as soon as it listens, or first looks
            [claim] = await there.claim(now=1000.0, lease=10.0, limit=1)
            claim = await moved(there, claim, lambda job: advance(job, Intended("main")))
            intended = await news(changes)
            claim = await moved(there, claim, lambda job: advance(job, Submitted(Operation("op", "mark"), 1000.0)))
            submitted = await news(changes)
    for database in databases:
        await database.dispose()

    assert [intended.state, submitted.state] == ["submitting", "submitted"]
    assert claim.job == submitted


async def test_only_what_a_reader_could_see_is_told(database: Database) -> None:
    """A notification costs every process a look, and the server a lock."""
    told: list[list[str]] = []

    class Noting(Told):
        async def tell(self, connection: AsyncConnection, ids: Sequence[str]) -> None:
            assert connection.in_transaction()
            told.append(list(ids))

    store = SqlJobStore(Database(database.reader, database.writer, Noting()))
    await store.admit(video_job(), now=1000.0)
    [claim] = await store.claim(now=1000.0, lease=10.0, limit=1)
    claim = await moved(store, claim, lambda job: advance(job, Intended("main")))
    claim = await moved(store, claim, lambda job: advance(job, Submitted(Operation("op", "mark"), 1000.0)))
    claim = await moved(store, claim, lambda job: advance(job, Missed()))
    await moved(store, claim, lambda job: advance(job, Progressed(5)))

    assert told == [[claim.job.id], [claim.job.id], [], [claim.job.id]]
