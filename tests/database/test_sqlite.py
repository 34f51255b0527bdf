"""What is particular to a file."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from adapter.clock import SystemClock
from adapter.database.engine import WRITERS_OF_A_FILE, Database, open_database
from adapter.database.file import DatabaseFile
from adapter.database.file_transactions import FileTransactions
from adapter.database.probe import probe
from adapter.domain.executions import ExecutionRecord, LivingProcess
from adapter.errors import StorageFailed, StorageReason, WrongConfiguration
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job

RECORD = ExecutionRecord(scope="scope", content="c", execution_id="execution", began_at=1.0, keep_seconds=60.0)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new file."""
    database = await open_database(f"sqlite:///{tmp_path}/adapter.db")
    yield database
    await database.dispose()


async def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    """The error names the file."""
    file = tmp_path / "jobs.db"
    file.write_bytes(b"not a database, certainly not one" * 100)

    with pytest.raises(WrongConfiguration, match=r"jobs\.db cannot be used"):
        await open_database(f"sqlite:///{file}")


async def test_a_new_database_is_for_its_user_alone(tmp_path: Path) -> None:
    """Its folder, and the log that SQLite writes beside it, too. What exists keeps its rights."""
    database = await open_database(f"sqlite:///{tmp_path}/var/adapter.db")
    await SqlJobStore(database).admit(video_job(), now=1000.0)
    modes = {path.name: path.stat().st_mode & 0o777 for path in [tmp_path / "var", *(tmp_path / "var").iterdir()]}
    await database.dispose()
    (tmp_path / "var" / "adapter.db").chmod(0o640)
    await (await open_database(f"sqlite:///{tmp_path}/var/adapter.db")).dispose()

    assert modes == {"var": 0o700, "adapter.db": 0o600, "adapter.db-wal": 0o600, "adapter.db-shm": 0o600}
    assert (tmp_path / "var" / "adapter.db").stat().st_mode & 0o777 == 0o640


async def test_a_renewal_does_not_wait_for_a_burst_of_new_jobs(database: Database) -> None:
    """It waits for those that are committed together at the most. A lease that is renewed late is lost."""
    database.order_writers(SystemClock())
    store = SqlJobStore(database)
    await store.admit(video_job(), now=1000.0)
    claims = await store.claim(now=1000.0, lease=5.0, limit=1)
    burst = [asyncio.ensure_future(store.admit(video_job(number), now=1000.0)) for number in range(2, 102)]
    await asyncio.sleep(0)
    await store.renew(claims, due_at=1010.0)
    before = sum(task.done() for task in burst)
    await asyncio.gather(*burst)

    assert before <= WRITERS_OF_A_FILE
    assert len(await store.recent(200)) == 101


async def test_a_database_that_is_locked_is_said_to_be(database: Database, tmp_path: Path) -> None:
    """A 503 that invites to ask again; readers need no lock."""
    store = SqlJobStore(database)
    await store.admit(video_job(), now=1000.0)
    with closing(sqlite3.connect(tmp_path / "adapter.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(await store.recent(1)) == 1
        await set_pragma(database, "busy_timeout = 1")
        with pytest.raises(StorageFailed) as caught:
            await store.admit(video_job(2), now=1000.0)

    assert (caught.value.status, caught.value.should_retry, caught.value.reason) == (503, True, StorageReason.LOCKED)


async def set_pragma(database: Database, pragma: str) -> None:
    """Set something for the connection of the writer."""
    assert isinstance(database.transactions, FileTransactions)
    await database.transactions.ask_writer(lambda connection: connection.exec_driver_sql(f"PRAGMA {pragma}"))


async def reason_for(work: Awaitable[object]) -> StorageReason | None:
    """Return why work fails; None if it does not."""
    try:
        await work
    except StorageFailed as fault:
        return fault.reason
    return None


async def test_a_file_that_lost_its_name_takes_on_no_paid_work(database: Database, tmp_path: Path) -> None:
    """What is written to it is lost with the process. A job that was taken on before is still moved."""
    store, requests = SqlJobStore(database), SqlRequestStore(database)
    await store.admit(video_job(), now=1000.0)
    (tmp_path / "adapter.db").unlink()
    reasons = [
        await reason_for(store.admit(video_job(2), now=1000.0)),
        await reason_for(requests.begin(RECORD, now=1000.0, holder=LivingProcess(process="one", lease=1.0))),
        await reason_for(probe(database)),
    ]
    [claim] = await store.claim(now=1000.0, lease=10.0, limit=10)

    assert reasons == [StorageReason.REPLACED] * 3
    assert claim.job.id == video_job().id


async def test_a_file_that_was_replaced_is_not_written_to_any_more(database: Database, tmp_path: Path) -> None:
    """SQLite's log belongs to the name, so both files would be written to through one log."""
    store = SqlJobStore(database)
    await store.admit(video_job(), now=1000.0)
    (tmp_path / "adapter.db").rename(tmp_path / "away.db")
    (tmp_path / "adapter.db").write_bytes(b"")
    reasons = [
        await reason_for(store.admit(video_job(2), now=1000.0)),
        await reason_for(store.claim(now=1000.0, lease=10.0, limit=10)),
        await reason_for(probe(database)),
    ]

    assert reasons == [StorageReason.REPLACED] * 3


async def test_a_process_never_mixes_two_files(database: Database, tmp_path: Path) -> None:
    """A new connection would open the file that has the name now."""
    await SqlJobStore(database).admit(video_job(), now=1000.0)
    (tmp_path / "adapter.db").rename(tmp_path / "away.db")
    (tmp_path / "adapter.db").write_bytes(b"")
    await database.transactions.disconnect()

    assert await reason_for(SqlJobStore(database).recent(1)) is StorageReason.REPLACED


async def test_a_probe_writes_and_leaves_nothing(database: Database) -> None:
    """It is repeated as often as one likes."""
    for _ in range(3):
        await probe(database)
    counted = await database.read(lambda connection: connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    assert counted == 3
    assert await SqlJobStore(database).recent(1) == []


async def test_a_disk_without_room_for_a_log_counts_as_full(database: Database, tmp_path: Path) -> None:
    """SQLite would go on for a while in the room that its log has already."""
    database.file = DatabaseFile(tmp_path / "adapter.db", room=2**60)
    with pytest.raises(StorageFailed) as caught:
        await probe(database)

    assert caught.value.reason is StorageReason.FULL


@pytest.mark.parametrize(
    ("pragma", "reason"),
    [("max_page_count = 1", StorageReason.FULL), ("query_only = ON", StorageReason.READ_ONLY)],
)
async def test_the_reason_of_a_failure_is_told(database: Database, pragma: str, reason: StorageReason) -> None:
    """As SQLite itself says it. The client reads one sentence for all."""
    await set_pragma(database, pragma)
    store = SqlJobStore(database)
    admitted = await asyncio.gather(
        *(store.admit(video_job(number), now=1000.0) for number in range(100)), return_exceptions=True
    )

    faults = [fault for fault in admitted if isinstance(fault, StorageFailed)]
    assert {(fault.reason, fault.code) for fault in faults} == {(reason, "storage_unavailable")}


async def test_a_round_that_finds_no_job_waits_for_no_writer(database: Database, tmp_path: Path) -> None:
    """Most rounds of an idle server find none."""
    with closing(sqlite3.connect(tmp_path / "adapter.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await set_pragma(database, "busy_timeout = 1")

        assert await SqlJobStore(database).claim(now=1000.0, lease=10.0, limit=1) == []


async def test_a_new_file_that_another_process_is_setting_up_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself refuses at once to begin the log of a file that somebody writes to."""
    with closing(sqlite3.connect(tmp_path / "adapter.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(open_database(f"sqlite:///{tmp_path}/adapter.db"))
        await asyncio.wait([opening], timeout=0.3)
        was_waiting = not opening.done()
        other.execute("COMMIT")
        database = await opening
    jobs = await SqlJobStore(database).recent(1)
    await database.dispose()

    assert was_waiting
    assert jobs == []


async def test_writers_that_are_given_up_do_not_keep_the_file_from_the_others(database: Database) -> None:
    """Clients hang up at any moment, and all that is written goes through one connection."""
    store = SqlJobStore(database)
    for turns in range(0, 60, 3):
        tasks = [asyncio.create_task(store.admit(video_job(100 * turns + number), now=1000.0)) for number in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0.0001)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        async with asyncio.timeout(5):
            job = video_job(100 * turns + 50)
            assert await store.admit(job, now=1000.0) == job


async def test_those_who_write_have_their_turn_in_the_order_in_which_they_came(database: Database) -> None:
    """By itself SQLite has them look again after ever longer naps, and whoever is unlucky waits for seconds."""
    had: list[int] = []

    def note(number: int, _connection: Connection) -> None:
        had.append(number)

    await asyncio.gather(*(database.write(partial(note, number)) for number in range(40)))

    assert had == [*range(40)]
