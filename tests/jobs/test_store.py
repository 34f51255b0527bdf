"""The contract of the job store, on both engines."""

from collections.abc import Callable

import msgspec
import pytest

from adapter.database.engine import Database, open_database
from adapter.database.tables import JOBS
from adapter.domain.executions import ConnectedProcess, LivingProcess, RequestIdentity
from adapter.domain.job import (
    Failed,
    Failure,
    Intended,
    JobState,
    NotSent,
    Operation,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    VideoJob,
    advance,
)
from adapter.domain.media import RemoteVideo
from adapter.domain.ports import Claim, Write
from adapter.errors import Undecided
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job, video_order
from tests.postgres import BOTH_ENGINES
from tests.transactions import execute

pytestmark = BOTH_ENGINES


async def admit(store: SqlJobStore, job: VideoJob, *, now: float = 1000.0) -> VideoJob:
    """Remember a job."""
    return await store.admit(job, now=now)


async def admit_for(
    store: SqlJobStore, job: VideoJob, content: str = "waves", *, process: str = "one", now: float = 1000.0
) -> VideoJob:
    """Remember a job for a request, or join one."""
    asked = RequestIdentity(owner=job.owner, route="/videos", content=content)
    return await store.admit(
        job, now=now, identity=asked, connected=ConnectedProcess(process=process, lease=5.0, window=60.0)
    )


async def claim(store: SqlJobStore, now: float) -> list[Claim]:
    """Claim what is due, for ten seconds."""
    return list(await store.claim(now=now, lease=10.0, limit=100))


def completed(job: VideoJob, *, submitted: float = 1000.0, finished: float = 1080.0) -> VideoJob:
    """Return a job with its video."""
    for event in (
        Intended("first"),
        Submitted(Operation("op", job.mark), submitted),
        Rendered(RemoteVideo("u")),
        Stored(StoredVideo(video="a.mp4", poster=None, size=1, sha256="00"), finished),
    ):
        job = advance(job, event)
    return job


async def finish(store: SqlJobStore, job: VideoJob, *, finished: float = 1080.0) -> None:
    """Take a job to its end."""
    [held] = [held for held in await claim(store, 1000.0) if held.job.id == job.id]
    await store.save([Write(held, completed(job, finished=finished), 0.0)])


async def test_a_job_comes_back_as_it_was_given(store: SqlJobStore) -> None:
    """Every field survives the database."""
    job = completed(video_job(order=video_order("waves 🌊", seed=7)))
    await admit(store, job)

    assert await store.get(job.id) == job
    assert await store.get("video_unknown") is None


@pytest.mark.parametrize("unknown", [1, 40], ids=["a few are looked up", "more are read in a thread"])
async def test_many_jobs_come_at_once(store: SqlJobStore, unknown: int) -> None:
    """Those that are known."""
    jobs = [await admit(store, video_job(number)) for number in range(3)]
    found = await store.get_many([jobs[2].id, *(f"video_{number}x" for number in range(unknown)), jobs[0].id])

    assert sorted(job.id for job in found) == [jobs[0].id, jobs[2].id]
    assert await store.get_many([]) == []


async def test_the_newest_jobs_come_first(store: SqlJobStore) -> None:
    """As the operator wants to see them."""
    for number in (1, 3, 2):
        await admit(store, video_job(number, at=float(number)))

    assert [job.created_at for job in await store.recent(2)] == [3.0, 2.0]


@pytest.mark.parametrize("other", ["owner", "content"])
async def test_another_wish_is_another_job(store: SqlJobStore, other: str) -> None:
    """Another owner, or another request, gets a video of its own, also when no connection waits for the first."""
    first = video_job(1)
    await admit_for(store, first)
    await store.release(first.id, "one", answered_at=None)
    second = msgspec.structs.replace(video_job(2), owner="bob" if other == "owner" else first.owner)

    assert await admit_for(store, second, "waves" if other == "owner" else "wind") == second


async def test_an_equal_request_whose_connections_are_alive_gets_a_job_of_its_own(store: SqlJobStore) -> None:
    """Whoever sends two wants two; what is left by its client is joined once."""
    first, second, third, fourth = (video_job(number) for number in (1, 2, 3, 4))
    await admit_for(store, first)
    assert await admit_for(store, second) == second

    await store.release(first.id, "one", answered_at=None)
    assert await admit_for(store, third) == first
    assert await admit_for(store, fourth) == fourth


async def test_a_job_whose_id_was_given_to_a_client_is_not_joined(store: SqlJobStore) -> None:
    """That client can ask for it."""
    first, second = video_job(1), video_job(2)
    await admit_for(store, first)
    await store.release(first.id, "one", answered_at=1001.0)

    assert await admit_for(store, second) == second


async def test_the_lease_of_a_process_says_whether_its_connections_are_there(
    store: SqlJobStore, database: Database
) -> None:
    """Undecided while it runs; renewed it is alive, run out it is dead."""
    first, second = video_job(1), video_job(2)
    await admit_for(store, first)
    with pytest.raises(Undecided) as caught:
        await admit_for(store, second, process="two", now=1001.0)
    assert caught.value.process == "one"
    assert caught.value.until == pytest.approx(1005.0)

    await SqlRequestStore(database).keep_alive(LivingProcess(process="one", lease=5.0), now=1004.0)
    with pytest.raises(Undecided) as renewed:
        await admit_for(store, second, process="two", now=1005.0)
    assert renewed.value.until == pytest.approx(1009.0)
    assert await admit_for(store, second, process="two", now=1009.0) == first


async def test_a_video_that_no_client_was_given_answers_the_same_wish(store: SqlJobStore) -> None:
    """A client that comes back gets what was paid for; once handed over, the same wish is a new one."""
    job, again = video_job(1), video_job(2)
    await admit_for(store, job)
    await store.release(job.id, "one", answered_at=None)
    await finish(store, job)

    found = await admit_for(store, again, now=1100.0)
    assert found.id == job.id

    await store.release(job.id, "one", answered_at=None)
    await store.mark_delivered(job.id, now=1101.0)
    assert await admit_for(store, again, now=1102.0) == again


async def test_a_video_that_was_never_fetched_is_not_replayed_for_ever(store: SqlJobStore) -> None:
    """Outside the window the same wish is a new one."""
    job, again = video_job(1), video_job(2)
    await admit_for(store, job)
    await store.release(job.id, "one", answered_at=None)
    await finish(store, job)

    assert await admit_for(store, again, now=1080.0 + 61.0) == again


@pytest.mark.parametrize("end", ["failed", "deleted", "cancelled"])
async def test_a_job_without_a_video_does_not_answer_for_the_next_one(store: SqlJobStore, end: str) -> None:
    """Asking again after that is a new try."""
    job, again = video_job(1), video_job(2)
    await admit_for(store, job)
    await store.release(job.id, "one", answered_at=None)
    if end == "deleted":
        await store.delete(job.id, job.owner, now=1001.0)
    elif end == "cancelled":
        await store.cancel(job.id, now=1001.0)
    else:
        [held] = await claim(store, 1000.0)
        failed = advance(job, Failed(Failure(message="no", code=None, type="server_error", status=502), 1001.0))
        await store.save([Write(held, failed, 0.0)])

    assert await admit_for(store, again) == again


async def test_a_job_is_claimed_once_until_its_lease_ends(store: SqlJobStore) -> None:
    """A dead owner's job simply becomes due again."""
    await admit(store, video_job())

    assert len(await claim(store, 1000.0)) == 1
    assert await claim(store, 1009.9) == []
    assert len(await claim(store, 1010.0)) == 1


async def test_the_oldest_due_jobs_are_claimed_first_and_no_more_than_asked(store: SqlJobStore) -> None:
    """The rest waits for the next round."""
    for number in range(1, 6):
        await admit(store, video_job(number), now=1000.0 + number)
    taken = await store.claim(now=1010.0, lease=10.0, limit=2)

    assert {held.job.seed for held in taken} == {1, 2}
    assert {held.job.seed for held in await claim(store, 1010.0)} == {3, 4, 5}


async def test_a_renewed_claim_lasts_longer(store: SqlJobStore) -> None:
    """A slow download keeps its job."""
    await admit(store, video_job())
    held = await claim(store, 1000.0)
    await store.renew(held, due_at=1020.0)

    assert await claim(store, 1015.0) == []
    assert len(await claim(store, 1020.0)) == 1


async def test_a_write_whose_claim_was_lost_does_nothing(store: SqlJobStore) -> None:
    """An owner that slept past its lease cannot overwrite its successor."""
    await admit(store, video_job())
    [stale] = await claim(store, 1000.0)
    [fresh] = await claim(store, 1010.0)
    moved = advance(stale.job, Intended("first"))

    assert await store.save([Write(stale, moved, 1020.0)]) == []
    await store.renew([stale], due_at=9999.0)
    assert await store.save([Write(fresh, moved, 1020.0)]) == [moved]
    assert len(await claim(store, 1020.0)) == 1


async def test_a_job_that_is_over_is_never_due_again(store: SqlJobStore) -> None:
    """Not even if a renewal comes late."""
    job = video_job()
    await admit(store, job)
    [held] = await claim(store, 1000.0)
    await store.save([Write(held, completed(job), 1001.0)])
    await store.renew([held], due_at=1002.0)

    assert await claim(store, 99999.0) == []


async def test_durations_are_measured_per_upstream_model(store: SqlJobStore) -> None:
    """The mean of completed jobs, from submission to the end."""
    assert await store.measured_seconds("veo_3_1_t2v_fast") is None
    for number, took in ((1, 80.0), (2, 120.0)):
        job = video_job(number)
        await admit(store, job)
        await finish(store, job, finished=1000.0 + took)

    assert await store.measured_seconds("veo_3_1_t2v_fast") == 100.0
    assert await store.measured_seconds("veo_3_1_t2v_fast_portrait") is None


async def test_what_was_remembered_is_there_after_the_process_ends(database_url: str) -> None:
    """Opening an old database changes nothing in it."""
    first = await open_database(database_url)
    await admit(SqlJobStore(first), video_job())
    await first.dispose()
    second = await open_database(database_url)
    [found] = await SqlJobStore(second).recent(10)
    await second.dispose()

    assert found == video_job()


async def test_states_are_stored_by_the_words_of_the_domain(store: SqlJobStore) -> None:
    """A person reads them in the database as well."""
    await admit(store, video_job())

    assert [str(job.state) for job in await store.recent(1)] == [JobState.ACCEPTED.value]


async def test_what_the_caller_holds_already_is_not_claimed_again(store: SqlJobStore) -> None:
    """Not even when its lease ran out because the disk was slow."""
    job = await admit(store, video_job())
    await claim(store, 1000.0)

    assert await store.claim(now=2000.0, lease=10.0, limit=10, held=[job.id]) == []


async def test_a_clock_that_was_set_back_hides_no_job(store: SqlJobStore) -> None:
    """Nothing is ever put off for longer than eleven minutes, so what lies further ahead is due."""
    await admit(store, video_job(), now=10_000.0)

    assert await claim(store, 10_000.0 - 600.0) == []
    assert len(await claim(store, 10_000.0 - 1800.0)) == 1


async def test_a_row_that_cannot_be_read_stops_no_other(store: SqlJobStore, database: Database) -> None:
    """One damaged job is written down, and the rest go on."""
    await admit(store, video_job(1))
    await admit(store, video_job(2))
    await execute(database, JOBS.update().where(JOBS.c.id == video_job(1).id).values(document=b"{"))

    assert [held.job.seed for held in await claim(store, 1000.0)] == [2]
    assert [job.seed for job in await store.recent(10)] == [2]
    assert await store.get(video_job(1).id) is None
    assert (await admit(store, video_job(3, order=video_job(1).order))).seed == 3


async def test_the_store_knows_whose_files_are_needed(store: SqlJobStore) -> None:
    """Live, fresh, waiting to be given, given late; of those that are asked about."""
    live, fresh, waiting, late, done, unasked = jobs = [video_job(number) for number in range(1, 7)]
    for job in jobs:
        await admit(store, job)
    claims = {held.job.id: held for held in await claim(store, 1000.0)}
    for job, finished in ((fresh, 5000.0), (waiting, 4000.0), (late, 3000.0), (done, 4000.0)):
        await store.save([Write(claims[job.id], completed(job, finished=finished), 0.0)])
    for job, given in ((fresh, 5000.0), (late, 3900.0), (done, 4000.0)):
        await store.mark_delivered(job.id, now=given)
    stems = {job.stem for job in jobs if job is not unasked} | {"of a picture"}
    needed = await store.needed(stems, fresh_since=4900.0, waiting_since=3500.0, given_since=3800.0)

    assert needed == {job.stem for job in (live, fresh, waiting, late)}


async def listed(store: SqlJobStore, *, after: VideoJob | None = None, newest_first: bool = True) -> list[int]:
    """Return the seeds of the next two jobs of the owner of the first job."""
    jobs = await store.list(video_job().owner, after=after, limit=2, newest_first=newest_first)
    return [job.seed for job in jobs]


async def test_an_owners_jobs_are_listed_page_by_page(store: SqlJobStore) -> None:
    """In either order, also where several were accepted at the same moment; never those of somebody else."""
    jobs = [video_job(number, at=1000.0 + number // 3) for number in range(1, 6)]
    for job in (*jobs, msgspec.structs.replace(video_job(9), owner="somebody else")):
        await admit(store, job)
    ordered = sorted(jobs, key=lambda job: (job.created_at, job.id))
    seeds = [job.seed for job in ordered]

    assert await listed(store, newest_first=False) == seeds[:2]
    assert await listed(store, after=ordered[1], newest_first=False) == seeds[2:4]
    assert await listed(store, after=ordered[3], newest_first=False) == seeds[4:]
    assert await listed(store) == seeds[:2:-1]
    assert await listed(store, after=ordered[2]) == seeds[1::-1]


async def test_a_job_that_cannot_be_read_ends_no_list(store: SqlJobStore, database: Database) -> None:
    """A page that it made shorter would look like the last one."""
    for number in range(1, 6):
        await admit(store, video_job(number, at=1000.0 + number))
    for number in (4, 3):
        await execute(database, JOBS.update().where(JOBS.c.id == video_job(number).id).values(document=b"{"))

    assert await listed(store) == [5, 2]
    assert await listed(store, newest_first=False) == [1, 2]
    assert await listed(store, after=video_job(2, at=1002.0)) == [1]


async def test_what_can_be_no_name_of_a_job_is_none(store: SqlJobStore) -> None:
    """PostgreSQL refuses a NUL in any text, which is no fault of the database."""
    assert await store.get("video_\0") is None
    assert await store.find("\0", "ada") is None
    assert not await store.delete("\0", "ada", now=1000.0)


async def test_a_job_is_found_by_its_owner_alone(store: SqlJobStore) -> None:
    """Nobody learns that there is such a job."""
    job = await admit(store, video_job())

    assert await store.find(job.id, job.owner) == job
    assert await store.find(job.id, "somebody else") is None


async def test_a_deleted_job_is_gone_for_its_owner_and_due_for_its_files(store: SqlJobStore) -> None:
    """Until they are gone too; its row stays, because it was paid for."""
    job = await admit(store, video_job())
    await finish(store, job)
    assert await claim(store, 5000.0) == []

    assert not await store.delete(job.id, "somebody else", now=5000.0)
    assert await store.delete(job.id, job.owner, now=5000.0)
    assert not await store.delete(job.id, job.owner, now=5001.0)

    assert await store.find(job.id, job.owner) is None
    assert await listed(store) == []
    [due] = await claim(store, 5000.0)
    assert due.unwanted
    await store.forget(due)
    assert await claim(store, 9000.0) == []
    assert (await store.get(job.id)) == completed(job)


async def test_deleting_a_live_job_leaves_it_to_who_holds_it(store: SqlJobStore) -> None:
    """Whoever is sending it may go on and write; the next claim says that nobody wants it, and so does its end."""
    job = await admit(store, video_job())
    [held] = await claim(store, 1000.0)
    assert await store.delete(job.id, job.owner, now=1001.0)

    assert await claim(store, 1001.0) == []
    submitted = advance(advance(job, Intended("first")), Submitted(Operation("op", job.mark), 1002.0))
    assert await store.save([Write(held, submitted, 1005.0)]) == [submitted]
    [again] = await claim(store, 1005.0)
    assert again.unwanted
    await store.save([Write(again, completed(job), 0.0)])
    [last] = await claim(store, 1080.0)
    assert last.job.is_over


async def test_a_late_write_has_the_files_of_a_deleted_job_deleted_again(store: SqlJobStore) -> None:
    """It may have stored one after they were deleted, even while somebody is deleting them."""
    job = await admit(store, video_job())
    [stale] = await claim(store, 1000.0)
    [fresh] = await claim(store, 1010.0)
    await store.save([Write(fresh, completed(job), 0.0)])
    assert await store.delete(job.id, job.owner, now=5000.0)
    [discarding] = await claim(store, 5000.0)
    late = Write(stale, completed(job), 0.0)

    assert await store.save([late]) == []
    await store.forget(discarding)
    [again] = await claim(store, 5000.0)
    assert again.unwanted
    await store.forget(again)
    assert await claim(store, 9000.0) == []
    assert await store.save([late]) == []
    assert len(await claim(store, 9000.0)) == 1


async def test_a_late_write_wakes_no_job_that_is_over_and_wanted(store: SqlJobStore) -> None:
    """Its files stay."""
    job = await admit(store, video_job())
    [stale] = await claim(store, 1000.0)
    [fresh] = await claim(store, 1010.0)
    await store.save([Write(fresh, completed(job), 0.0)])

    assert await store.save([Write(stale, completed(job), 0.0)]) == []
    assert await claim(store, 9000.0) == []


async def test_a_job_can_be_called_off_while_it_is_live(store: SqlJobStore) -> None:
    """It stays in sight, serves no wish any more, and its next claim says so."""
    job = await admit(store, video_job(1, order=video_order("waves")))
    assert await store.cancel(job.id, now=1000.0)

    assert await store.find(job.id, job.owner) == job
    assert (await admit(store, video_job(2, order=video_order("waves")))).seed == 2
    assert {held.job.seed: held.unwanted for held in await claim(store, 1000.0)} == {1: True, 2: False}


async def test_what_is_over_cannot_be_called_off(store: SqlJobStore) -> None:
    """Neither what is not there."""
    job = await admit(store, video_job())
    await finish(store, job)

    assert not await store.cancel(job.id, now=2000.0)
    assert not await store.cancel("video_unknown", now=2000.0)


async def test_a_late_renewal_does_not_put_off_what_was_written(store: SqlJobStore) -> None:
    """It was on its way while the step ended: the job is due when the step said, and not when the claim would end."""
    done, going_on = [await admit(store, video_job(number)) for number in (1, 2)]
    held = {one.job.id: one for one in await claim(store, 1000.0)}
    await store.save(
        [
            Write(held[done.id], advance(done, Intended("first")), 1005.0),
            Write(held[going_on.id], advance(going_on, Intended("first")), 1005.0, keeps_claim=True),
        ]
    )
    await store.renew(held.values(), due_at=1015.0)

    assert [one.job.id for one in await claim(store, 1005.0)] == [done.id]


async def test_a_job_is_written_over_whoever_holds_it(store: SqlJobStore) -> None:
    """The holder's claim is void, and the job is due."""
    job = await admit(store, video_job())
    [held] = await claim(store, 1000.0)
    moved = advance(job, Intended("first", 1000.0))

    assert await store.replace(job, moved, now=1001.0)
    assert await store.save([Write(held, advance(moved, NotSent()), 1020.0)]) == []
    [again] = await claim(store, 1001.0)
    assert (again.job, again.token != held.token) == (moved, True)


async def test_a_job_that_is_not_what_was_seen_is_not_written_over(store: SqlJobStore) -> None:
    """Whoever moved it meanwhile knew better, and keeps its claim."""
    job = await admit(store, video_job())
    [held] = await claim(store, 1000.0)
    moved = advance(job, Intended("first", 1000.0))
    await store.save([Write(held, moved, 1020.0, keeps_claim=True)])

    assert not await store.replace(job, advance(job, Intended("second", 1000.0)), now=1001.0)
    assert not await store.replace(video_job(9), video_job(9), now=1001.0)
    sent = advance(moved, NotSent())
    assert await store.save([Write(held, sent, 1030.0)]) == [sent]


FAILURE = Failure(message="no", code=None, type="server_error", status=502)
SINCE, REFUNDS_SINCE = 2000.0, 1400.0


def failed(job: VideoJob, at: float, *, account: str | None = "first") -> VideoJob:
    """Return a job that failed, after it was sent if it has an account."""
    return advance(advance(job, Intended(account)) if account else job, Failed(FAILURE, at))


@pytest.mark.parametrize(
    ("is_near", "move"),
    [
        (True, lambda job: advance(job, Intended("first"))),
        (True, lambda job: advance(advance(job, Intended("first")), Submitted(Operation("op", "mark"), 1500.0))),
        (True, lambda job: completed(job, finished=2000.0)),
        (True, lambda job: failed(job, 2500.0)),
        (True, lambda job: failed(job, 1400.0)),
        (False, lambda job: job),
        (False, lambda job: advance(advance(job, Intended("first")), NotSent())),
        (False, lambda job: completed(job, finished=1999.0)),
        (False, lambda job: failed(job, 1399.0)),
        (False, lambda job: failed(job, 2500.0, account=None)),
        (False, lambda job: failed(job, 2500.0, account="second")),
        (False, lambda job: advance(job, Intended("second"))),
    ],
)
async def test_the_store_knows_what_may_have_changed_an_accounts_credits(
    store: SqlJobStore, move: Callable[[VideoJob], VideoJob], *, is_near: bool
) -> None:
    """Under way, ended since, or failed so late that a refund may have come since; of the same account alone."""
    for number in (1, 2):
        await admit(store, video_job(number))
    claims = {held.job.seed: held for held in await claim(store, 1000.0)}
    identity, other = (advance(claims[1].job, Intended("first", SINCE)), move(claims[2].job))
    await store.save([Write(claims[1], identity, 3000.0), Write(claims[2], other, 3000.0)])

    near = await store.neighbours(identity, since=SINCE, refunds_since=REFUNDS_SINCE)
    assert near == ({other.id} if is_near else set())


async def test_a_neighbour_that_cannot_be_read_may_be_any(store: SqlJobStore, database: Database) -> None:
    """Nothing is proved beside it."""
    for number in (1, 2):
        await admit(store, video_job(number))
    held = {each.job.seed: each for each in await claim(store, 1000.0)}
    jobs = [advance(held[number].job, Intended("first")) for number in (1, 2)]
    await store.save([Write(held[number], jobs[number - 1], 3000.0) for number in (1, 2)])
    await execute(database, JOBS.update().where(JOBS.c.id == jobs[1].id).values(document=b"{"))

    assert await store.neighbours(jobs[0], since=SINCE, refunds_since=REFUNDS_SINCE) == {jobs[1].id}


async def test_the_operator_sees_which_jobs_nobody_wants(store: SqlJobStore) -> None:
    """Deleted by their owner, or called off."""
    deleted, cancelled, wanted = [await admit(store, video_job(number)) for number in (1, 2, 3)]
    await store.delete(deleted.id, deleted.owner, now=1000.0)
    await store.cancel(cancelled.id, now=1000.0)

    ids = [deleted.id, cancelled.id, wanted.id]
    assert await store.unwanted(ids) == {deleted.id: "deleted", cancelled.id: "cancelled"}
