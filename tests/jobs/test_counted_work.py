"""Each job is counted once, in the transaction that ends it, with what it really cost."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.database.engine import Database
from adapter.domain.executions import RequestIdentity, RetryInfo
from adapter.domain.finished_work import FREE, FinishedWork
from adapter.domain.image_job import LOST, ImageJob, Made, advance_image, called_off
from adapter.domain.job import (
    DEADLINE_CODE,
    SUBMIT_UNKNOWN_CODE,
    EmptyPoll,
    Failed,
    Failure,
    Intended,
    NotSent,
    Operation,
    Stored,
    StoredVideo,
    Submitted,
    VideoJob,
    advance,
)
from adapter.domain.job_kinds import IMAGE
from adapter.domain.media import Frame
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Claim, Write
from adapter.domain.prices import Quote
from adapter.domain.stored_files import StoredImage
from adapter.domain.usage import Cost, Currency, VideoTokens
from adapter.domain.usage_counts import UsageCounts, UsageQuery
from adapter.errors import JobFailed, NoMedia, StorageFailed, UpstreamQuota, UpstreamSilent
from adapter.jobs.job_writer import log_end
from adapter.jobs.store import SqlJobStore
from adapter.records.usage import SqlUsageStore
from adapter.records.usage_recorder import CountedWork
from tests.fakes import made_image, rendered_job, video_job
from tests.postgres import BOTH_ENGINES

EVER = UsageQuery(since=0, until=10**10)
PRICE = Cost(Decimal("3.2"), Currency.USD)
MEDIA = StoredVideo(video="a.mp4", poster=None, size=1, sha256="00")
NANO = 10**9
CANCELLED = Failure.of(JobFailed("It was cancelled.", code="cancelled"))
ORDER = ImageOrder(model="m", provider="p", upstream="u", prompt="a fox", n=1, frame=Frame())


def priced(job: VideoJob) -> VideoJob:
    """Return a job with a price."""
    return msgspec.structs.replace(job, cost=PRICE, key="ada")


def submitted() -> VideoJob:
    """Return a job that the provider works on."""
    job = priced(video_job())
    return advance(advance(job, Intended("main")), Submitted(Operation("op", job.mark), 1000.0))


def failed(job: VideoJob, failure: Failure) -> VideoJob:
    """Return a job that has failed."""
    return advance(job, Failed(failure, 1080.0))


def done() -> VideoJob:
    """Return a job with its video."""
    return advance(priced(rendered_job()), Stored(MEDIA, 1080.0))


async def counted(database: Database, query: UsageQuery = EVER) -> UsageCounts:
    """Return all that is counted."""
    found = await SqlUsageStore(database).sums(query)
    return found[0].counts if found else UsageCounts()


async def claimed(store: SqlJobStore, now: float = 1000.0) -> Claim:
    """Return the claim of the only job."""
    [claim] = await store.claim(now=now, lease=10.0, limit=10)
    return claim


@BOTH_ENGINES
async def test_a_finished_video_is_counted_in_the_transaction_that_ends_it(database: Database) -> None:
    """By its key, with its seconds and its price; not before it ends."""
    store = SqlJobStore(database, usage=CountedWork())
    asked = RequestIdentity(owner="ada", route="/videos", content="waves", key="ada's")
    await store.admit(priced(video_job()), now=1000.0, identity=asked)
    claim = await claimed(store)
    assert claim.job.key == "ada's"
    assert await counted(database) == UsageCounts()

    ended = msgspec.structs.replace(done(), key=claim.job.key)
    await store.save([Write(claim, ended, 0.0)])

    [found] = await SqlUsageStore(database).sums(msgspec.structs.replace(EVER, by=["key", "model", "kind", "owner"]))
    assert list(found.labels.values()) == ["ada's", "veo-3.1-fast", "video", "ada"]
    assert found.counts == UsageCounts(requests=1, videos=1, seconds=8, nano_dollars=32 * NANO // 10)


@BOTH_ENGINES
async def test_a_job_that_is_written_again_is_counted_once(database: Database) -> None:
    """By the process that ends it: another one has lost its claim, or finds it ended."""
    store = SqlJobStore(database, usage=CountedWork())
    await store.admit(priced(video_job()), now=1000.0)
    first = await claimed(store)
    second = await claimed(store, 1011.0)

    for claim in (first, second, second):
        await store.save([Write(claim, done(), 0.0, keeps_claim=True)])

    assert (await counted(database)).requests == 1


class Dying(CountedWork):
    """A process that dies once, after it has counted and before the transaction ends."""

    died = False

    def finished_in(self, transaction: object, works: Sequence[FinishedWork]) -> None:
        super().finished_in(transaction, works)
        if not self.died:
            self.died = True
            raise StorageFailed("The process was killed.")


@BOTH_ENGINES
async def test_a_transaction_that_fails_counts_nothing(database: Database) -> None:
    """The job and its count are kept together, or neither."""
    store = SqlJobStore(database, usage=Dying())
    await store.admit(priced(video_job()), now=1000.0)
    claim = await claimed(store)
    with pytest.raises(StorageFailed):
        await store.save([Write(claim, done(), 0.0)])
    found = await store.get(claim.job.id)
    assert found is not None
    assert not found.is_over
    assert await counted(database) == UsageCounts()

    await store.save([Write(claim, done(), 0.0)])
    assert (await counted(database)).requests == 1


@BOTH_ENGINES
async def test_a_repeated_request_is_counted_once(database: Database) -> None:
    """It joins the job of its first attempt."""
    store = SqlJobStore(database, usage=CountedWork())
    asked = RequestIdentity(owner="ada", route="/videos", content="waves", repeat=RetryInfo(count=1))
    job = await store.admit(priced(video_job(1)), now=1000.0, identity=asked)
    again = await store.admit(priced(video_job(2)), now=1001.0, identity=asked)
    assert again.id == job.id
    await store.save([Write(await claimed(store), done(), 0.0)])

    assert (await counted(database)).requests == 1


@BOTH_ENGINES
async def test_a_picture_that_is_cancelled_is_counted_once(database: Database) -> None:
    """It ends without a claim."""
    store = SqlJobStore(database, IMAGE, CountedWork())
    job = ImageJob(id="imgjob_1", owner="ada", order=ORDER, stem="a" * 32, created_at=1000.0)
    await store.admit(job, now=1000.0)
    ended = advance_image(job, Failed(called_off(), 1001.0))

    assert await store.replace(job, ended, now=1001.0)
    assert not await store.replace(job, ended, now=1001.0)
    assert await counted(database) == UsageCounts(requests=1, failed=1)


@pytest.mark.parametrize(
    ("job", "cost"),
    [
        (done(), PRICE),
        (failed(priced(video_job()), Failure.of(UpstreamQuota("No credits."))), FREE),
        (failed(priced(video_job()), CANCELLED), FREE),
        (failed(priced(video_job()), Failure.of(JobFailed("Lost.", code=SUBMIT_UNKNOWN_CODE))), None),
        (failed(submitted(), Failure.of(JobFailed("Declined."))), FREE),
        (failed(submitted(), CANCELLED), PRICE),
        (failed(submitted(), Failure.of(JobFailed("Too late.", code=DEADLINE_CODE))), None),
        (failed(advance(submitted(), EmptyPoll()), Failure.of(NoMedia("Nothing came."))), PRICE),
        (failed(priced(rendered_job()), Failure.of(JobFailed("Too late.", code=DEADLINE_CODE))), PRICE),
    ],
    ids=[
        "made",
        "refused",
        "cancelled before it was sent",
        "sent, and no answer",
        "given up by the provider",
        "cancelled after it was sent",
        "never finished",
        "finished without a video",
        "made, and never fetched",
    ],
)
def test_a_video_costs_what_is_known_of_its_charge(job: VideoJob, cost: Cost | None) -> None:
    """What may have been charged is unknown, and never 0. The log does not name the price of what was not sent."""
    with capture_logs() as logs:
        log_end(job)

    assert job.finished().cost == cost
    assert logs[0]["cost"] == (cost and str(cost))


def test_tokens_of_a_video_are_counted() -> None:
    """Where the provider tells them."""
    work = msgspec.structs.replace(done(), tokens=VideoTokens(10, 2000, 1900)).finished()

    assert (work.input_tokens, work.output_tokens) == (10, 2000)


def test_a_picture_costs_what_is_known_of_its_charge() -> None:
    """One that was cancelled while it was made is paid for, as the price list says."""
    quotes = (Quote(date(1970, 1, 1), Currency.USD, Decimal("0.5")),)
    order = msgspec.structs.replace(ORDER, quotes=quotes)
    job = ImageJob(id="imgjob_1", owner="ada", order=order, stem="a" * 32, created_at=1000.0)
    sent = advance_image(job, Intended("", 1001.0))
    cost = Cost(Decimal("0.4"), Currency.USD)
    drawn = StoredImage.of(msgspec.structs.replace(made_image(), cost=cost), "a.png")

    def end(job: ImageJob, failure: Failure, *, may_be_paid: bool = False) -> Cost | None:
        return advance_image(job, Failed(failure, 1002.0, may_be_paid)).finished().cost

    made = advance_image(sent, Made(drawn, 1002.0)).finished()
    assert (made.cost, made.size, made.source, made.units) == (cost, "16x9", "image.generation", 1)
    assert end(job, called_off()) == FREE
    assert end(sent, called_off()) == Cost(Decimal("0.5"), Currency.USD)
    assert end(sent, LOST, may_be_paid=True) is None
    assert end(sent, Failure.of(UpstreamSilent("No answer.")), may_be_paid=True) is None
    assert end(sent, Failure.of(UpstreamQuota("No quota."))) == FREE
    assert end(advance_image(sent, NotSent()), Failure.of(JobFailed("Too late.", code=DEADLINE_CODE))) == FREE
