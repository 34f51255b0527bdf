"""How many jobs are not over, on both engines."""

from adapter.database.engine import Database
from adapter.domain.job import Failed, Failure, Intended, advance
from adapter.domain.ports import Write
from adapter.errors import JobFailed
from adapter.jobs.census import JobCount, count_live
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES


async def test_jobs_that_are_not_over_are_counted_by_state_with_the_age_of_the_oldest(database: Database) -> None:
    """Those that are over are not."""
    store = SqlJobStore(database)
    for number, at in ((1, 1000.0), (2, 990.0), (3, 980.0), (4, 970.0)):
        await store.admit(video_job(number, at=at), now=1000.0)
    claims = {claim.job.id: claim for claim in await store.claim(now=1000.0, lease=10.0, limit=100)}
    sent, over = claims[video_job(3).id], claims[video_job(4).id]
    failed = advance(over.job, Failed(Failure.of(JobFailed("It is over.")), 1001.0))
    await store.save([Write(sent, advance(sent.job, Intended("main")), 2000.0), Write(over, failed, 2000.0)])

    assert sorted(await count_live(database), key=lambda each: each.state) == [
        JobCount("video", "accepted", 2, 990.0),
        JobCount("video", "submitting", 1, 980.0),
    ]


async def test_an_empty_database_has_none(database: Database) -> None:
    """No row, and no error."""
    assert list(await count_live(database)) == []
