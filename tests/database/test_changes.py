"""What one process hears of what another one wrote. The processes are two Databases, as theirs would be."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import structlog.testing

from adapter.clock import SystemClock
from adapter.database.changes import LOOK_SECONDS, PROBE_SECONDS, Changes
from adapter.database.engine import Database, open_database
from tests.fakes import FakeClock
from tests.postgres import PostgresServer
from tests.transactions import open_transaction

SECONDS = 20.0
WATCHED = {f"video_{number:032x}" for number in range(1000)}


@pytest.fixture
async def other(url: str) -> AsyncIterator[Database]:
    """The same database, as another process has it."""
    database = await open_database(url)
    yield database
    await database.dispose()


class Hearing:
    """What was heard so far."""

    def __init__(self, states: AsyncGenerator[Collection[str] | None, None]) -> None:
        self._states = states

    async def next(self) -> Collection[str] | None:
        """Return what comes, which has to be soon."""
        async with asyncio.timeout(SECONDS):
            return await anext(self._states)

    async def until(self, count: int) -> set[str]:
        """Return so many ids, in as many pieces as they come."""
        listen: set[str] = set()
        while len(listen) < count:
            listen |= set(await self.next() or ())
        return listen


@asynccontextmanager
async def hearing(
    changes: Changes, *, watched: Collection[str] = WATCHED, clock: FakeClock | None = None
) -> AsyncIterator[Hearing]:
    """Listen, from the moment on when it works."""
    states = changes.listen(clock or SystemClock(), watched)
    hearing = Hearing(states)
    try:
        assert await hearing.next() is None
        yield hearing
    finally:
        await states.aclose()


async def notify(database: Database, *ids: str) -> None:
    """Tell of rows in a transaction of their own."""
    await database.write(lambda connection: database.changes.notify(connection, ids))


async def test_what_another_process_wrote_is_heard_when_it_is_committed(database: Database, other: Database) -> None:
    """And not before, when looking again would find nothing; and never what was not committed."""
    first, second, third = sorted(WATCHED)[:3]
    async with hearing(database.changes) as listen:
        with suppress(LookupError):
            async with open_transaction(other) as connection:
                await connection.run_sync(other.changes.notify, [first])
                raise LookupError
        async with open_transaction(other) as connection:
            await connection.run_sync(other.changes.notify, [second])
            await notify(other, third)
            assert await listen.next() == {third}
        assert await listen.next() == {second}


async def test_a_process_does_not_hear_itself(database: Database, other: Database) -> None:
    """Its readers are told directly."""
    own, strange = sorted(WATCHED)[:2]
    async with hearing(database.changes) as listen:
        await notify(database, own)
        await notify(other, strange)

        assert await listen.next() == {strange}


async def test_nothing_is_kept_of_what_nobody_watches(database: Database, other: Database) -> None:
    """Who watches may change while it is listened."""
    watched = {"video_a"}
    async with hearing(database.changes, watched=watched) as listen:
        await notify(other, "video_b", "video_a")
        assert await listen.next() == {"video_a"}
        watched.add("video_c")
        await notify(other, "video_b", "video_c")
        assert await listen.next() == {"video_c"}


async def test_many_rows_are_told_in_several_payloads(database: Database, other: Database) -> None:
    """PostgreSQL takes less than 8,000 bytes in one."""
    async with hearing(database.changes) as listen:
        await notify(other, *WATCHED)

        assert await listen.until(len(WATCHED)) == WATCHED


async def test_what_comes_while_nobody_takes_it_comes_in_one_piece(database: Database, other: Database) -> None:
    """A burst is one query for who looks again."""
    rows = sorted(WATCHED)[:20]
    async with hearing(database.changes) as listen:
        for row in rows:
            await notify(other, row)
        await notify(database)
        pieces = [await listen.next()]
        while set().union(*(piece or () for piece in pieces)) != set(rows):
            pieces.append(await listen.next())

    assert len(pieces) < len(rows)


async def test_a_lost_connection_is_made_again_and_everything_may_have_changed(
    postgres: PostgresServer, database: Database, other: Database
) -> None:
    """Said once in the log, however often it is tried; afterwards it is as before."""
    row = min(WATCHED)
    async with hearing(database.changes) as listen:
        await asyncio.to_thread(postgres.stop)
        with structlog.testing.capture_logs() as said:
            again = asyncio.create_task(listen.next())
            await asyncio.wait([again], timeout=1.0)
            await asyncio.to_thread(postgres.start)
            assert await again is None
        await notify(other, row)
        assert await listen.next() == {row}

    assert [line["event"] for line in said] == ["database.not_listening", "database.listening_again"]


async def test_a_connection_that_the_server_closes_is_noticed(
    postgres: PostgresServer, database: Database, other: Database
) -> None:
    """By itself, without anybody asking for anything."""
    async with hearing(database.changes) as listen:
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'adapter'"
            " AND query LIKE 'LISTEN%'"
        )
        assert await listen.next() is None
        await notify(other, min(WATCHED))
        assert await listen.next() == {min(WATCHED)}


async def test_a_way_that_was_cut_is_noticed_by_asking(postgres: PostgresServer, database: Database) -> None:
    """As when the other machine lost its power: nothing ever comes, and nothing says so."""
    clock = FakeClock()
    async with hearing(database.changes, clock=clock) as listen:
        again = asyncio.create_task(listen.next())
        postgres.pause()
        try:
            with structlog.testing.capture_logs() as said:
                async with asyncio.timeout(SECONDS):
                    while not said:
                        await clock.advance(PROBE_SECONDS)
                        await asyncio.sleep(0.01)
        finally:
            postgres.resume()
        async with asyncio.timeout(SECONDS):
            while not again.done():
                await clock.advance(PROBE_SECONDS)
                await asyncio.sleep(0.01)

        assert said[0]["event"] == "database.not_listening"
        assert await again is None


async def test_who_stops_listening_leaves_no_connection_behind(postgres: PostgresServer, database: Database) -> None:
    """When the process is told to stop."""
    async with hearing(database.changes):
        pass
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'adapter' AND query LIKE 'LISTEN%'"
    async with asyncio.timeout(SECONDS):
        while postgres.sql(left) != "0":
            await asyncio.sleep(0.01)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[list[Database]]:
    """One SQLite file, as two processes have it."""
    databases = [await open_database(f"sqlite:///{tmp_path}/there/adapter.db") for _ in range(2)]
    yield databases
    for database in databases:
        await database.dispose()


async def write(database: Database) -> None:
    """Change something."""
    adding = "INSERT INTO keys (name, digest, created_at) SELECT count(*), count(*), 0 FROM keys"
    await database.write(lambda connection: connection.exec_driver_sql(adding))


class Look:
    """Somebody who watches a file, look by look."""

    def __init__(self, database: Database, watched: Collection[str]) -> None:
        self._clock = FakeClock()
        self._states = database.changes.listen(self._clock, watched)
        self._next: asyncio.Task[Collection[str] | None] | None = None

    async def finds_a_change(self) -> bool:
        """Say whether the next look finds one: until it begins to wait for the one after it."""
        waiting = self._next or asyncio.create_task(anext(self._states))
        async with asyncio.timeout(SECONDS):
            while not self._clock.alarms:
                await asyncio.sleep(0)
            await self._clock.advance(LOOK_SECONDS)
            while not self._clock.alarms and not waiting.done():
                await asyncio.sleep(0.001)
        self._next = None if waiting.done() else waiting
        return waiting.done() and waiting.result() is None

    async def close(self) -> None:
        """Look no more."""
        if self._next:
            self._next.cancel()
            with suppress(asyncio.CancelledError):
                await self._next
        await self._states.aclose()


async def test_a_file_that_another_process_wrote_to_is_noticed_at_the_next_look(files: list[Database]) -> None:
    """Once; and what this process wrote is not looked at again."""
    look = Look(files[0], WATCHED)
    await look.finds_a_change()  # the first look has nothing to compare with
    quiet = await look.finds_a_change()
    await write(files[0])
    own = await look.finds_a_change()
    await write(files[1])
    strange = [await look.finds_a_change() for _ in range(2)]
    await look.close()

    assert (quiet, own, strange) == (False, False, [True, False])


async def test_a_file_that_nobody_watches_is_not_looked_at(files: list[Database]) -> None:
    """Who comes later finds everything that has changed since."""
    watched: set[str] = set()
    look = Look(files[0], watched)
    idle = [await look.finds_a_change() for _ in range(2)]
    watched.add("video_a")
    first = await look.finds_a_change()
    await look.close()

    assert (idle, first) == ([False, False], True)


async def test_a_file_that_cannot_be_looked_at_is_looked_at_later(files: list[Database], tmp_path: Path) -> None:
    """Who needs it says so; here everything goes on."""
    look = Look(files[0], WATCHED)
    await look.finds_a_change()
    await files[0].transactions.disconnect()
    (tmp_path / "there").rename(tmp_path / "gone")
    gone = await look.finds_a_change()
    (tmp_path / "gone").rename(tmp_path / "there")
    back = await look.finds_a_change()
    await look.close()

    assert (gone, back) == (False, True)
