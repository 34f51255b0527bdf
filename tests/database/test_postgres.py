"""What is particular to a server: it can be away, slow, unwilling, or of another time."""

import asyncio
import time
import traceback

import pytest

from adapter.credentials import FixedSecret
from adapter.database.engine import Database, open_database
from adapter.database.probe import probe
from adapter.database.tables import JOBS
from adapter.errors import StorageFailed, StorageReason, WrongConfiguration
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job
from tests.journeys.server import free_port
from tests.postgres import PASSWORD, PostgresServer
from tests.transactions import open_transaction


@pytest.fixture
def store(database: Database) -> SqlJobStore:
    """The memory of work, empty."""
    return SqlJobStore(database)


async def remember(store: SqlJobStore, number: int) -> None:
    """Remember a job."""
    await store.admit(video_job(number), now=1000.0)


async def failing(store: SqlJobStore, number: int) -> StorageFailed:
    """Return why a job cannot be remembered."""
    with pytest.raises(StorageFailed) as caught:
        await remember(store, number)
    return caught.value


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://ada:{password}@127.0.0.1:{free}/postgres", "the server cannot be reached"),
        ("postgresql://ada:{password}@db.invalid/postgres", "the server cannot be reached"),
        ("postgresql://postgres:not-{password}@127.0.0.1:{port}/postgres", "the password is wrong"),
        ("postgresql://ada:{password}@127.0.0.1:{port}/postgres", "the password is wrong"),
        ("postgresql://postgres:{password}@127.0.0.1:{port}/nowhere", "has no database of this name"),
        ("postgresql://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=require", "rejected SSL upgrade"),
        ("postgresql://postgres:{password}@127.0.0.1:{port}/postgres?colour=blue", 'parameter "colour"'),
        ("postgresql://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=perhaps", "`sslmode` parameter must be"),
        (
            "postgresql://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=verify-ca&sslrootcert=/nowhere",
            "No such file or directory",
        ),
        ("postgresql://ada:x@db:{password}/postgres", "cannot be read"),
        ("postgresql://ada:{password}", "cannot be read"),
    ],
)
async def test_what_is_wrong_is_said_without_the_password(postgres: PostgresServer, address: str, said: str) -> None:
    """In the words of the one who has to mend it, naming the setting; a log with the whole story keeps it too."""
    with pytest.raises(WrongConfiguration, match=r"^storage\.database") as caught:
        await open_database(address.format(password=PASSWORD, port=postgres.port, free=free_port()))

    assert said in caught.value.message
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_a_user_without_the_right_to_make_tables_is_told_so(postgres: PostgresServer) -> None:
    """Since version 15 that is what a new user of a new database is."""
    name = postgres.new_database()
    postgres.sql(f"CREATE USER {name} PASSWORD '{PASSWORD}'")

    with pytest.raises(WrongConfiguration, match="the user lacks a right; it has to own its schema"):
        await open_database(postgres.url(name, login=f"{name}:{PASSWORD}"))


async def test_a_database_that_is_read_only_takes_no_probe(postgres: PostgresServer) -> None:
    """As after a failover, or on a full disk of some providers."""
    name = postgres.new_database()
    database = await open_database(postgres.url(name))
    try:
        await probe(database)
        postgres.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await database.dispose()
        with pytest.raises(StorageFailed) as caught:
            await probe(database)
    finally:
        await database.dispose()

    assert caught.value.reason is StorageReason.READ_ONLY


async def is_usable(database: Database) -> bool:
    """Return whether a store finds its table, and close the database."""
    try:
        return await SqlJobStore(database).recent(1) == []
    finally:
        await database.dispose()


async def test_a_server_can_be_reached_by_a_socket(postgres: PostgresServer) -> None:
    """The address is read as libpq reads it, in both spellings of its scheme."""
    url = postgres.socket_url(postgres.new_database())
    for spelt in (url, url.replace("postgresql://", "postgres://")):
        assert await is_usable(await open_database(spelt))


async def test_a_password_can_be_a_reference(postgres: PostgresServer, url: str) -> None:
    """The address then has none."""
    assert await is_usable(await open_database(url.replace(f":{PASSWORD}", ""), FixedSecret(PASSWORD)))


async def test_a_password_that_was_changed_is_read_again(url: str) -> None:
    """Once for each connection that is refused."""

    class Changed:
        async def read(self) -> str:
            return "the old one"

        async def renew(self) -> str:
            return PASSWORD

    assert await is_usable(await open_database(url.replace(f":{PASSWORD}", ""), Changed()))


async def test_a_server_that_restarts_is_noticed_by_nobody_who_did_not_ask(
    postgres: PostgresServer, store: SqlJobStore
) -> None:
    """Connections that it closed are replaced before they are used."""
    await asyncio.gather(*(remember(store, number) for number in range(5)))
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)

    assert {len(found) for found in await asyncio.gather(*(store.recent(10) for _ in range(10)))} == {5}


async def test_a_server_that_is_away_is_a_503_until_it_is_back(postgres: PostgresServer, store: SqlJobStore) -> None:
    """Without a restart of ours."""
    await remember(store, 1)
    postgres.stop()
    try:
        faults = [await failing(store, number) for number in (2, 3)]
    finally:
        postgres.start()
    await remember(store, 4)

    assert [(fault.status, fault.should_retry) for fault in faults] == [(503, True)] * 2
    assert len(await store.recent(10)) == 2


async def test_a_server_that_hangs_is_not_waited_for(postgres: PostgresServer, store: SqlJobStore) -> None:
    """As when the way to it was cut: no answer ever comes."""
    await remember(store, 1)
    postgres.pause()
    try:
        async with asyncio.timeout(5):
            with pytest.raises(StorageFailed):
                await store.recent(1)
    finally:
        postgres.resume()

    assert len(await store.recent(10)) == 1


async def test_a_lock_is_not_waited_for_without_end(url: str, store: SqlJobStore) -> None:
    """The server ends the statement, and the connection goes on."""
    other = await open_database(url)
    async with open_transaction(other) as connection:
        await connection.exec_driver_sql("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StorageFailed):
            await remember(store, 1)
    await other.dispose()
    await remember(store, 1)


async def test_a_request_that_is_given_up_leaves_the_connections_in_order(store: SqlJobStore) -> None:
    """Clients hang up at any moment of a query."""
    for turns in range(0, 200, 5):
        tasks = [asyncio.create_task(remember(store, 100 * turns + number)) for number in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    found = await asyncio.gather(*(store.recent(1000) for _ in range(30)))

    assert len({len(jobs) for jobs in found}) == 1


async def test_leases_go_by_the_clock_of_the_server(url: str) -> None:
    """A machine whose clock is five minutes ahead takes no job whose lease still holds."""
    right = await open_database(url)
    fast = await open_database(url, clock=lambda: time.time() + 300.0)
    stores = SqlJobStore(right), SqlJobStore(fast)
    now = time.time()
    await stores[0].admit(video_job(), now=now)
    [held] = await stores[0].claim(now=now, lease=10.0, limit=1)
    early = await stores[1].claim(now=now + 300.0, lease=10.0, limit=1)
    await stores[1].renew([held], due_at=now + 300.0 + 20.0)
    due_at = (await right.read(lambda connection: connection.execute(JOBS.select()).one())).due_at
    await right.dispose()
    await fast.dispose()

    assert early == []
    assert right.clock_offset == 0.0
    assert due_at == pytest.approx(now + 20.0, abs=1.0)


async def test_the_server_knows_who_asks_and_for_how_long(database: Database) -> None:
    """It ends what a process that is gone has left behind."""
    names = ("application_name", "statement_timeout", "idle_in_transaction_session_timeout")
    told = await database.read(
        lambda connection: [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]
    )

    assert told == ["adapter", "250ms", "300ms"]
