"""The contract of the memory of requests, on both engines."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy import select, update

from adapter.database.engine import Database, open_database
from adapter.database.tables import EXECUTIONS, JOBS, PROCESSES
from adapter.domain.executions import (
    KEY_SECONDS,
    RETRY_SECONDS,
    ConnectedProcess,
    ExecutionRecord,
    ExecutionStatus,
    LivingProcess,
    RequestIdentity,
    RetryInfo,
    StoredFault,
    StoredImageBatch,
)
from adapter.domain.job import Failed, Failure, JobState, VideoJob, advance
from adapter.domain.media import Pixels
from adapter.domain.ports import Write
from adapter.domain.stored_files import StoredImage
from adapter.domain.usage import Usage
from adapter.errors import ContentRefused, InvalidRequest, NotFound, StorageFailed, UpstreamBusy
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job, video_order
from tests.postgres import BOTH_ENGINES
from tests.transactions import execute

pytestmark = BOTH_ENGINES

ONE = LivingProcess(process="one", lease=30.0)
KEY = RetryInfo(key="k")
PICTURE = StoredImage(name=f"{7:032x}.png", pixels=Pixels(16, 9), usage=Usage(input_text=1, output_image=2))
ALBUM = StoredImageBatch((PICTURE, msgspec.structs.replace(PICTURE, usage=None)), linked=False)


@pytest.fixture
def requests(database: Database) -> SqlRequestStore:
    """The memory, empty."""
    return SqlRequestStore(database)


@pytest.fixture
async def other(database_url: str, database: Database) -> AsyncIterator[SqlRequestStore]:
    """The same memory as another process has it."""
    second = await open_database(database_url)
    yield SqlRequestStore(second)
    await second.dispose()


def record(
    execution_id: int = 1, *, scope: str = "s", content: str = "1:c", repeat: RetryInfo = KEY, began_at: float = 1000.0
) -> ExecutionRecord:
    """Return an execution of a request with a key."""
    return ExecutionRecord(
        scope=scope,
        content=content,
        execution_id=f"{execution_id:032x}",
        began_at=began_at,
        keep_seconds=RETRY_SECONDS,
        repeat=repeat,
    )


async def test_the_first_attempt_begins_and_the_second_learns_of_it(requests: SqlRequestStore) -> None:
    """Under way, by whom, and since when."""
    assert await requests.begin(record(1), now=1000.0, holder=ONE) is None
    known = await requests.begin(record(2), now=1001.0, holder=ONE)

    assert known is not None
    assert (known.status, known.execution_id, known.began_at) == (
        ExecutionStatus.RUNNING,
        record(1).execution_id,
        1000.0,
    )


async def test_of_attempts_at_the_same_moment_in_two_processes_one_begins(
    requests: SqlRequestStore, other: SqlRequestStore
) -> None:
    """A hundred: each process has one connection that writes to a file, so two wait for its lock and not a hundred."""
    tasks = [store.begin(record(number), now=1000.0, holder=ONE) for number, store in enumerate([requests, other] * 50)]

    known = await asyncio.gather(*tasks)
    assert len([one for one in known if one is None]) == 1
    assert len({one.execution_id for one in known if one}) == 1


@pytest.mark.parametrize("answer", [ALBUM, StoredFault(Failure.of(ContentRefused("no"))), None])
async def test_an_answer_comes_back_as_it_was_given(
    requests: SqlRequestStore, other: SqlRequestStore, answer: StoredImageBatch | StoredFault | None
) -> None:
    """In any process."""
    await requests.begin(record(), now=1000.0, holder=ONE)
    assert await requests.finish(record(), answer, answered_at=None)
    known = await other.begin(record(2), now=1100.0, holder=ONE)

    assert known is not None
    assert known.answer == answer
    assert known.status == (ExecutionStatus.HANDED if answer is None else ExecutionStatus.ANSWERED)


async def test_an_execution_whose_holder_died_is_lost_and_not_begun_again(requests: SqlRequestStore) -> None:
    """What came of it is unknown."""
    await requests.begin(record(), now=1000.0, holder=ONE)
    await requests.keep_alive(ONE, now=1020.0)
    alive = await requests.begin(record(2), now=1045.0, holder=ONE)
    dead = await requests.begin(record(2), now=1051.0, holder=ONE)

    assert alive is not None
    assert dead is not None
    assert (alive.status, dead.status) == (ExecutionStatus.RUNNING, ExecutionStatus.LOST)


async def lease_of(database: Database, process: LivingProcess) -> float:
    """Return until when a process is believed to be alive."""
    until = select(PROCESSES.c.alive_until).where(PROCESSES.c.id == process.process)
    there = await database.read(lambda connection: connection.execute(until).scalar_one())
    return float(there) - database.clock_offset


async def test_one_renewal_keeps_all_executions_of_a_process(requests: SqlRequestStore) -> None:
    """And none of another one."""
    two = msgspec.structs.replace(ONE, process="two")
    for number, holder in enumerate((ONE, ONE, two)):
        await requests.begin(record(number, scope=str(number)), now=1000.0, holder=holder)
    await requests.keep_alive(ONE, now=1025.0)
    found = [await requests.begin(record(9, scope=str(number)), now=1035.0, holder=two) for number in range(3)]

    running, lost = ExecutionStatus.RUNNING, ExecutionStatus.LOST
    assert [one.status for one in found if one] == [running, running, lost]


async def test_a_lease_that_is_fresh_is_not_written_again(requests: SqlRequestStore, database: Database) -> None:
    """Many transactions of a process would else write one row. A clock that was set back is believed."""
    leases = []
    for number, now in enumerate((1000.0, 1002.0, 1004.0, 900.0)):
        await requests.begin(record(number, scope=str(number)), now=now, holder=ONE)
        leases.append(await lease_of(database, ONE))

    assert leases == pytest.approx([1030.0, 1030.0, 1034.0, 930.0])


async def test_executions_of_an_older_version_have_leases_of_their_own(
    requests: SqlRequestStore, database: Database
) -> None:
    """They have no holder."""
    for number, until in enumerate((1010.0, 1020.0, None)):
        await requests.begin(record(number, scope=str(number)), now=1000.0, holder=ONE)
        there = None if until is None else until + database.clock_offset
        old = update(EXECUTIONS).where(EXECUTIONS.c.id == record(number).execution_id)
        await execute(database, old.values(holder=None, lease_until=there))
    found = [await requests.begin(record(9, scope=str(number)), now=1015.0, holder=ONE) for number in range(3)]

    running, lost = ExecutionStatus.RUNNING, ExecutionStatus.LOST
    assert [one.status for one in found if one] == [lost, running, lost]


async def test_an_older_version_takes_an_execution_for_running_as_long_as_any_takes(
    requests: SqlRequestStore, database: Database
) -> None:
    """It knows no holders, and looks at a column that this version only writes."""
    await requests.begin(record(), now=1000.0, holder=ONE)
    lease = select(EXECUTIONS.c.lease_until)
    until = await database.read(lambda connection: connection.execute(lease).scalar_one())

    assert until - database.clock_offset == pytest.approx(1600.0)


async def test_equal_requests_side_by_side_have_an_execution_each(requests: SqlRequestStore) -> None:
    """Each has its own end, and what is forgotten of one is not forgotten of the other."""
    plain = RetryInfo()
    for execution_id in (1, 2):
        await requests.register(record(execution_id, repeat=plain), now=1000.0, holder=ONE)
    assert await requests.finish(record(1), ALBUM, answered_at=None)
    await requests.forget(record(2))
    assert not await requests.finish(record(2), ALBUM, answered_at=None)

    known = await requests.begin(record(3, repeat=RetryInfo(count=1)), now=1002.0, holder=ONE)
    assert known is not None
    assert (known.execution_id, known.status) == (record(1).execution_id, ExecutionStatus.ANSWERED)


async def test_each_retry_finds_an_execution_that_was_not_retried_yet(requests: SqlRequestStore) -> None:
    """Of two equal requests that were both cut off."""
    for execution_id in (1, 2):
        await requests.register(
            record(execution_id, repeat=RetryInfo(), began_at=1000.0 + execution_id), now=1000.0, holder=ONE
        )
        await requests.finish(record(execution_id), ALBUM, answered_at=None)
    retry = RetryInfo(count=1)
    found = [await requests.begin(record(3, repeat=retry), now=1002.0, holder=ONE) for _ in range(3)]

    assert [one.execution_id for one in found if one] == [
        record(2).execution_id,
        record(1).execution_id,
        record(2).execution_id,
    ]


async def test_a_first_attempt_finds_what_no_client_was_given(requests: SqlRequestStore) -> None:
    """Neither what is under way, nor what failed, nor what was handed over."""
    plain = RetryInfo()
    await requests.register(record(1, repeat=plain), now=1000.0, holder=ONE)
    await requests.register(record(2, repeat=plain), now=1000.0, holder=ONE)
    await requests.finish(record(2), StoredFault(Failure.of(ContentRefused("no"))), answered_at=None)
    await requests.register(record(3, repeat=plain), now=1000.0, holder=ONE)
    await requests.finish(record(3), ALBUM, answered_at=None)

    first = await requests.begin(record(4, repeat=plain), now=1001.0, holder=ONE)
    assert first is not None
    assert (first.execution_id, first.answer) == (record(3).execution_id, ALBUM)
    await requests.mark_answered(record(3).execution_id, now=1002.0)
    assert await requests.begin(record(4, repeat=plain), now=1003.0, holder=ONE) is None


async def test_a_request_of_which_nothing_came_is_forgotten(requests: SqlRequestStore) -> None:
    """The next attempt begins."""
    await requests.begin(record(), now=1000.0, holder=ONE)
    await requests.forget(record())

    assert await requests.begin(record(2), now=1000.0, holder=ONE) is None


async def test_what_is_too_old_is_forgotten_with_its_files(requests: SqlRequestStore) -> None:
    """And what is not stays."""
    await requests.begin(record(), now=1000.0, holder=ONE)
    await requests.finish(record(), ALBUM, answered_at=None)
    await requests.begin(record(2, scope="t"), now=1500.0, holder=ONE)

    assert await requests.prune(now=1000.0 + RETRY_SECONDS - 1) == []
    assert await requests.prune(now=1000.0 + RETRY_SECONDS) == [ALBUM]
    assert await requests.begin(record(3), now=1950.0, holder=ONE) is None
    assert await requests.begin(record(3, scope="t"), now=1950.0, holder=ONE) is not None


def identity(
    *, key: str | None = None, count: int = 0, content: str = "1:waves", owner: str = "ada"
) -> RequestIdentity:
    """Return a request for a video."""
    return RequestIdentity(owner=owner, route="/videos", content=content, repeat=RetryInfo(key=key, count=count))


async def admit(store: SqlJobStore, number: int, asked: RequestIdentity, *, now: float = 1000.0) -> VideoJob:
    """Ask for a video, by a connection that stays."""
    job = msgspec.structs.replace(video_job(number, order=video_order("waves"), at=now), owner=asked.owner)
    connected = ConnectedProcess(process="one", lease=5.0, window=60.0)
    return await store.admit(job, now=now, identity=asked, connected=connected)


async def end(store: SqlJobStore, job: VideoJob, failure: Failure) -> VideoJob:
    """Let a job fail before it was submitted."""
    claims = await store.claim(now=1001.0, lease=10.0, limit=100)
    [claim] = [claim for claim in claims if claim.job.id == job.id]
    [saved] = await store.save([Write(claim, advance(claim.job, Failed(failure, 1001.0)), 0.0)])
    return saved


async def test_the_same_key_gets_the_same_job_as_it_is_now(store: SqlJobStore) -> None:
    """For a day, and whatever became of it."""
    first = await admit(store, 1, identity(key="k"))
    failed = await end(store, first, Failure.of(ContentRefused("no")))

    assert await admit(store, 2, identity(key="k"), now=1000.0 + KEY_SECONDS - 1) == failed
    assert (await admit(store, 3, identity(key="k"), now=1000.0 + KEY_SECONDS)).seed == 3


@pytest.mark.parametrize("other", [identity(key="l"), identity(key="k", owner="bob"), identity()])
async def test_another_key_is_another_job(store: SqlJobStore, other: RequestIdentity) -> None:
    """As another owner's is, and none."""
    await admit(store, 1, identity(key="k"))

    assert (await admit(store, 2, other)).seed == 2


async def test_a_key_that_stood_for_something_else_is_refused(store: SqlJobStore) -> None:
    """Nothing is made."""
    await admit(store, 1, identity(key="k"))

    with pytest.raises(InvalidRequest) as caught:
        await admit(store, 2, identity(key="k", content="1:wind"))
    assert caught.value.code == "idempotency_key_reused"
    assert len(await store.recent(10)) == 1


async def test_a_key_is_not_forgotten_while_its_job_lives(store: SqlJobStore, requests: SqlRequestStore) -> None:
    """However long that takes."""
    first = await admit(store, 1, identity(key="k"))
    late = 1000.0 + 2 * KEY_SECONDS

    await requests.prune(now=late)
    assert await admit(store, 2, identity(key="k"), now=late) == first

    await end(store, first, Failure.of(ContentRefused("no")))
    await requests.prune(now=late)
    assert (await admit(store, 3, identity(key="k"), now=late)).seed == 3


async def test_the_video_of_a_key_that_was_deleted_is_not_made_again(store: SqlJobStore) -> None:
    """It is gone, and the client is told so."""
    first = await admit(store, 1, identity(key="k"))
    await store.delete(first.id, "ada", now=1001.0)

    with pytest.raises(NotFound):
        await admit(store, 2, identity(key="k"))


async def test_a_retry_gets_the_newest_job_of_its_content(store: SqlJobStore) -> None:
    """For a quarter of an hour, and the one that was not retried yet; first attempts get one each."""
    first = await admit(store, 1, identity())
    second = await admit(store, 2, identity(), now=1001.0)
    again = [await admit(store, 3, identity(count=1), now=now) for now in (1002.0, 1003.0, 1000.0 + RETRY_SECONDS)]

    assert [job.id for job in again] == [second.id, first.id, second.id]
    assert (await admit(store, 4, identity(count=1, content="1:wind"))).seed == 4
    claims = await store.claim(now=1001.0, lease=10.0, limit=100)
    over = Failed(Failure.of(ContentRefused("no")), 1001.0)
    await store.save([Write(claim, advance(claim.job, over), 0.0) for claim in claims])
    assert (await admit(store, 5, identity(count=2), now=1001.0 + RETRY_SECONDS)).seed == 5


async def test_what_an_older_version_remembered_of_a_key_is_believed(store: SqlJobStore) -> None:
    """Its content was digested in another way, which says nothing about this request."""
    first = await admit(store, 1, identity(key="k", content="waves"))

    assert await admit(store, 2, identity(key="k", content="1:waves")) == first


async def test_a_retry_of_what_failed_for_free_is_a_new_attempt(store: SqlJobStore) -> None:
    """It was told to try again."""
    first = await admit(store, 1, identity())
    failed = await end(store, first, Failure.of(UpstreamBusy("later")))
    assert failed.state is JobState.FAILED

    assert (await admit(store, 2, identity(count=1))).seed == 2


async def test_what_failed_for_free_stands_for_one_retry(store: SqlJobStore) -> None:
    """Of two equal wishes one was cut off, and one was refused: their retries are two videos in all, and not three."""
    cut_off, refused = await admit(store, 1, identity()), await admit(store, 2, identity())
    await store.release(cut_off.id, "one", answered_at=None)
    await end(store, refused, Failure.of(UpstreamBusy("later")))

    assert [(await admit(store, 3 + retry, identity(count=1))).seed for retry in range(3)] == [1, 4, 4]


async def test_a_retry_whose_job_cannot_be_read_here_makes_no_second_one(
    store: SqlJobStore, database: Database
) -> None:
    """A newer version wrote it: the next attempt may reach a process of that version."""
    for asked in (identity(), identity(key="k")):
        first = await admit(store, 1 + asked.has_key, asked)
        await execute(database, JOBS.update().where(JOBS.c.id == first.id).values(document=b"{"))
        again = msgspec.structs.replace(asked, repeat=msgspec.structs.replace(asked.repeat, count=1))

        with pytest.raises(StorageFailed):
            await admit(store, 3, again)
        with pytest.raises(StorageFailed):
            await store.recall(again, now=1000.0)
    assert await store.get(video_job(3).id) is None


async def test_an_answer_that_cannot_be_read_stops_no_other(requests: SqlRequestStore, database: Database) -> None:
    """A newer version wrote it: it is handed, and its files are left to the janitor."""
    for number in (1, 2):
        await requests.begin(record(number, scope=str(number)), now=1000.0, holder=ONE)
        await requests.finish(record(number, scope=str(number)), ALBUM, answered_at=None)
    await execute(database, EXECUTIONS.update().where(EXECUTIONS.c.scope == "1").values(document=b"{"))
    known = await requests.begin(record(3, scope="1"), now=1001.0, holder=ONE)

    assert known is not None
    assert (known.status, known.answer) == (ExecutionStatus.ANSWERED, None)
    assert await requests.prune(now=1000.0 + RETRY_SECONDS) == [ALBUM]


async def test_a_retry_gets_what_was_handed_over(store: SqlJobStore) -> None:
    """The connection broke at the very end."""
    first = await admit(store, 1, identity())
    await store.mark_delivered(first.id, now=1001.0)

    assert (await admit(store, 3, identity(count=1))).id == first.id


async def test_of_videos_with_one_key_at_the_same_moment_one_is_made(
    store: SqlJobStore, database_url: str, requests: SqlRequestStore
) -> None:
    """A hundred, over two processes."""
    second = await open_database(database_url)
    stores = [store, SqlJobStore(second)] * 50
    jobs = await asyncio.gather(*(admit(one, number, identity(key="k")) for number, one in enumerate(stores)))
    await second.dispose()

    assert len({job.id for job in jobs}) == 1
    assert len(await store.recent(10)) == 1
