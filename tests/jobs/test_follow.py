"""Readers of one process hear of what another one wrote."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress

import msgspec
import pytest
from sqlalchemy import Connection

from adapter.clock import SystemClock
from adapter.database.changes import Changes
from adapter.database.engine import Database, open_database
from adapter.domain.job import Intended, Job, Missed, Operation, Progressed, Submitted, VideoJob, advance
from adapter.domain.ports import Claim, Clock, Subscription, Write
from adapter.errors import StorageFailed
from adapter.jobs.feed import LocalFeed
from adapter.jobs.follow import READ_LIMIT, RETRY_SECONDS, Follower
from adapter.jobs.store import SqlJobStore
from tests.fakes import FakeClock, video_job
from tests.postgres import BOTH_ENGINES

SECONDS = 20.0
SILENCE = 10.0


class Told:
    """Changes, as a test says them."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[Collection[str] | None] = asyncio.Queue()

    async def say(self, changed: Collection[str] | None) -> None:
        """Say what changed and return when it was looked at."""
        await self._said.put(changed)
        await self._said.join()

    def notify(self, connection: Connection, ids: Sequence[str]) -> None:
        raise AssertionError(f"{ids} on {connection}")

    async def listen(
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
    #: How many of the looks have come to their end, and were told to the readers.
    answered = 0
    fault: StorageFailed | None = None

    async def get_many(self, job_ids: Collection[str]) -> Sequence[Job]:
        self.asked.append(sorted(job_ids))
        if self.fault:
            raise self.fault
        jobs = await super().get_many(job_ids)
        self.answered += 1
        return jobs


@asynccontextmanager
async def following(store: SqlJobStore, feed: LocalFeed, changes: Changes, clock: Clock) -> AsyncIterator[None]:
    """Let a follower run meanwhile."""
    task = asyncio.create_task(Follower(store, feed, changes, clock, silence=SILENCE).run())
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


async def news(changes: Subscription, known: VideoJob) -> VideoJob:
    """Return what is news to a reader, which has to come soon."""
    async with asyncio.timeout(SECONDS):
        job = await changes.next(known, SECONDS)
    assert job is not None
    return job


async def until(happened: Callable[[], bool]) -> None:
    """Return when something has happened, which has to be soon."""
    async with asyncio.timeout(SECONDS):
        while not happened():
            await asyncio.sleep(0)


async def admitted(store: SqlJobStore, number: int) -> list[VideoJob]:
    """Leave jobs behind."""
    return [await store.admit(video_job(each), now=1000.0) for each in range(number)]


async def written(store: SqlJobStore, limit: int) -> list[VideoJob]:
    """Move jobs without telling anybody, as another process does."""
    claims = await store.claim(now=1000.0, lease=10.0, limit=limit)
    return list(await store.save([Write(claim, advance(claim.job, Intended("main")), 2000.0) for claim in claims]))


async def test_a_job_is_looked_at_when_its_readers_come(store: CountingStore) -> None:
    """It may have moved since they came to know it; one look is for all of them."""
    feed = LocalFeed(FakeClock())
    [job] = await admitted(store, 1)
    [intended] = await written(store, 1)
    with feed.subscribe(job.id) as one, feed.subscribe(job.id) as two:
        async with following(store, feed, Told(), FakeClock()):
            assert [await news(one, job), await news(two, job)] == [intended] * 2

    assert store.asked == [[job.id]]


async def test_only_what_changed_and_somebody_watches_is_read(store: CountingStore) -> None:
    """All of it at once, and its readers are told."""
    feed, told = LocalFeed(FakeClock()), Told()
    jobs = await admitted(store, 3)
    async with following(store, feed, told, FakeClock()):
        with feed.subscribe(jobs[0].id) as one, feed.subscribe(jobs[1].id) as two:
            await until(lambda: store.answered == 1)  # else it may be overtaken by what is written next
            moved = {job.id: job for job in await written(store, 3)}
            await told.say({jobs[0].id, jobs[2].id})
            assert await news(one, jobs[0]) == moved[jobs[0].id]
            await told.say(None)
            assert await news(two, jobs[1]) == moved[jobs[1].id]

    watched = [jobs[0].id, jobs[1].id]
    assert store.asked == [watched, [jobs[0].id], watched]


async def test_what_nothing_is_heard_of_is_looked_at(store: CountingStore) -> None:
    """A message may be lost. Ten thousand readers cost as many looks as they watch jobs, many of them in one query."""
    clock = FakeClock()
    feed = LocalFeed(clock)
    jobs = await admitted(store, 2)
    async with following(store, feed, Told(), clock):
        with feed.subscribe(jobs[0].id) as one, feed.subscribe(jobs[0].id), feed.subscribe(jobs[1].id):
            await until(lambda: store.answered == 1)  # else it may be overtaken by what is written next
            moved = {job.id: job for job in await written(store, 2)}
            for _ in range(2):
                await until(lambda: bool(clock.alarms))
                await clock.advance(SILENCE / 2)
            assert await news(one, jobs[0]) == moved[jobs[0].id]

    assert store.asked == [[jobs[0].id, jobs[1].id]] * 2


async def test_very_many_are_read_in_several_queries(store: CountingStore) -> None:
    """Each of a bounded size."""
    feed = LocalFeed(FakeClock())
    with ExitStack() as readers:
        for number in range(READ_LIMIT + 1):
            readers.enter_context(feed.subscribe(f"video_{number}"))
        async with following(store, feed, Told(), FakeClock()):
            await until(lambda: len(store.asked) == 2)

    assert [len(asked) for asked in store.asked] == [READ_LIMIT, 1]


async def test_a_look_that_fails_is_tried_again_and_ends_nothing(store: CountingStore) -> None:
    """Its readers learn what happened as soon as the store is back."""
    clock = FakeClock()
    feed = LocalFeed(clock)
    [job] = await admitted(store, 1)
    [intended] = await written(store, 1)
    store.fault = StorageFailed("away")
    with feed.subscribe(job.id) as changes:
        async with following(store, feed, Told(), clock):
            for tries in range(1, 4):
                await until(lambda: len(store.asked) == tries)  # noqa: B023 - it is waited for within the round
                await until(lambda: any(at <= clock.now() + RETRY_SECONDS for at in clock.alarms))
                if tries == 3:
                    store.fault = None
                await clock.advance(RETRY_SECONDS)
            assert await news(changes, job) == intended


async def test_an_older_state_does_not_replace_a_newer_one() -> None:
    """What another process wrote may be read before, and told after, what this one wrote."""
    feed = LocalFeed(FakeClock())
    older = advance(advance(video_job(), Intended("main")), Submitted(Operation("op", "mark"), 1000.0))
    newer = advance(older, Progressed(50))
    with feed.subscribe(older.id) as changes:
        feed.publish(newer)
        feed.publish(older)

        assert await news(changes, older) == newer


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
            [claim] = await there.claim(now=1000.0, lease=10.0, limit=1)
            claim = await moved(there, claim, lambda job: advance(job, Intended("main")))
            intended = await news(changes, job)
            claim = await moved(there, claim, lambda job: advance(job, Submitted(Operation("op", "mark"), 1000.0)))
            submitted = await news(changes, intended)
    for database in databases:
        await database.dispose()

    assert [intended.state, submitted.state] == ["submitting", "submitted"]
    assert claim.job == submitted


async def test_only_what_a_reader_could_see_is_told(database: Database) -> None:
    """A notification costs every process a look, and the server a lock."""
    told: list[list[str]] = []

    class Noting(Told):
        def notify(self, connection: Connection, ids: Sequence[str]) -> None:
            assert connection.in_transaction()
            told.append(list(ids))

    store = SqlJobStore(Database(database.transactions, Noting()))
    await store.admit(video_job(), now=1000.0)
    [claim] = await store.claim(now=1000.0, lease=10.0, limit=1)
    claim = await moved(store, claim, lambda job: advance(job, Intended("main")))
    claim = await moved(store, claim, lambda job: advance(job, Submitted(Operation("op", "mark"), 1000.0)))
    claim = await moved(store, claim, lambda job: advance(job, Missed()))
    await moved(store, claim, lambda job: advance(job, Progressed(5)))

    assert told == [[claim.job.id], [claim.job.id], [], [claim.job.id]]
