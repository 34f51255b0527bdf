"""Jobs of keys with limits: what they take is taken and given back in the transactions that move them."""

import asyncio
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select

from adapter.access.quotas import SqlQuotas
from adapter.database.engine import Database, open_database
from adapter.database.tables import JOBS, KEY_COUNTS
from adapter.domain.allowance import Allowance, read_budget
from adapter.domain.executions import ConnectedProcess, RequestIdentity, RetryInfo
from adapter.domain.image_job import ImageJob, Made, advance_image, called_off
from adapter.domain.job import (
    DEADLINE_CODE,
    SUBMIT_UNKNOWN_CODE,
    Event,
    Failed,
    Failure,
    Intended,
    Operation,
    Submitted,
    VideoJob,
    advance,
)
from adapter.domain.job_kinds import IMAGE
from adapter.domain.media import Pixels
from adapter.domain.ports import Write
from adapter.domain.prices import Quote
from adapter.domain.stored_files import StoredImage
from adapter.domain.usage import Cost, Currency
from adapter.errors import AdapterError, ContentRefused, JobFailed, LimitReached, UpstreamRejected
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job
from tests.generation.conftest import ONE_PICTURE
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES

NOW = 1000.0
ALLOWANCE = Allowance(videos_per_day=10, images_per_day=10, budget=read_budget("1000credits/day,1USD/day"))
PROCESS = ConnectedProcess(process="one", lease=5.0, window=60.0)


def now() -> float:
    """Return the time: it stands still."""
    return NOW


@pytest.fixture
def limited(database: Database) -> SqlJobStore:
    """A store of videos that counts."""
    return SqlJobStore(database, quotas=SqlQuotas(database, now))


def priced_job(number: int = 1) -> VideoJob:
    """Return a job that costs 20 credits."""
    return msgspec.structs.replace(video_job(number), cost=Cost(Decimal(20), Currency.CREDITS))


def asked(content: str, key: str | None = None, retry: int = 0) -> RequestIdentity:
    """Return the identity of a request with a key that has limits."""
    repeat = RetryInfo(key=key, count=retry)
    return RequestIdentity(
        owner="ada", route="/videos", content=f"1:{content}", repeat=repeat, key="ada", allowance=ALLOWANCE
    )


async def admit(store: SqlJobStore, number: int = 1, identity: RequestIdentity | None = None) -> VideoJob:
    """Accept a job."""
    return await store.admit(
        priced_job(number), now=NOW, identity=identity or asked(f"waves {number}"), connected=PROCESS
    )


async def counts(database: Database) -> dict[str, int]:
    """Return what is taken, by kind, without what is nothing."""
    found = select(KEY_COUNTS.c.kind, KEY_COUNTS.c.taken).where(KEY_COUNTS.c.taken != 0)
    return {row.kind: row.taken for row in await database.read(lambda connection: connection.execute(found).all())}


async def move(store: SqlJobStore, *events: Event) -> None:
    """Let the one job that is due go through some events, and write the end."""
    [claim] = await store.claim(now=NOW + 100, lease=10.0, limit=100)
    job = claim.job
    for event in events:
        job = advance(job, event)
    await store.save([Write(claim, job, NOW)])


async def test_of_a_hundred_videos_at_once_ten_are_accepted(
    limited: SqlJobStore, database: Database, database_url: str
) -> None:
    """By two processes together. What is refused is not stored."""
    other = await open_database(database_url)
    stores = (limited, SqlJobStore(other, quotas=SqlQuotas(other, now)))
    found = await asyncio.gather(*(admit(stores[number % 2], number) for number in range(100)), return_exceptions=True)
    await other.dispose()

    assert len([each for each in found if isinstance(each, LimitReached)]) == 90
    assert len(await limited.recent(100)) == 10
    assert await counts(database) == {"videos": 10, "credits/day": 200 * 10**9}


async def test_repetitions_and_joined_requests_take_nothing(limited: SqlJobStore, database: Database) -> None:
    """The same `Idempotency-Key` twice; a client that came back."""
    await admit(limited, 1, asked("a", key="one"))
    again = await admit(limited, 2, asked("a", key="one"))
    left = await admit(limited, 3, asked("b"))
    await limited.release(left.id, PROCESS.process, answered_at=None)
    back = await admit(limited, 4, asked("b"))

    assert (again.id, back.id) == (priced_job(1).id, priced_job(3).id)
    assert (await counts(database))["videos"] == 2


REFUSED = Failure.of(UpstreamRejected("no"))
DECLINED = Failure.of(ContentRefused("no"))
BROKEN = Failure.of(JobFailed("broken"))
LATE = Failure.of(JobFailed("late", code=DEADLINE_CODE))
UNKNOWN = Failure.of(JobFailed("who knows", code=SUBMIT_UNKNOWN_CODE))
TAKEN = (Intended("first"), Submitted(Operation("op", "mark"), NOW))


@pytest.mark.parametrize(
    ("events", "videos"),
    [
        ([Failed(BROKEN, NOW)], 0),
        ([Intended("first"), Failed(REFUSED, NOW)], 0),
        ([*TAKEN, Failed(DECLINED, NOW)], 0),
        ([*TAKEN, Failed(BROKEN, NOW)], 0),
        ([*TAKEN, Failed(LATE, NOW)], 1),
        ([Intended("first"), Failed(UNKNOWN, NOW)], 1),
        (TAKEN, 1),
    ],
    ids=[
        "never sent",
        "refused",
        "declined for its content",
        "given up by the provider",
        "too late",
        "unknown",
        "under way",
    ],
)
async def test_a_video_that_cost_nothing_gives_back_what_it_took(
    limited: SqlJobStore, database: Database, events: list[Event], videos: int
) -> None:
    """In the transaction that writes its end, also by a process that was started after it was accepted."""
    await admit(limited)
    await move(SqlJobStore(database, quotas=SqlQuotas(database, now)), *events)

    assert await counts(database) == ({"videos": 1, "credits/day": 20 * 10**9} if videos else {})


async def test_a_video_is_given_back_once(limited: SqlJobStore, database: Database) -> None:
    """What it took is no part of its document any more."""
    await admit(limited, 1)
    await move(limited, Failed(BROKEN, NOW))
    await admit(limited, 2)
    over = await limited.get(priced_job(1).id)
    document = await database.read(
        lambda it: it.execute(select(JOBS.c.document).where(JOBS.c.id == priced_job(2).id)).scalar_one()
    )

    assert over is not None
    assert (over.charge, b'"charge":{' in document) == (None, True)
    assert (await counts(database))["videos"] == 1


def image_job(number: int) -> ImageJob:
    """Return a picture in the background that probably costs 0.04 USD."""
    quotes = (Quote(date(1970, 1, 1), Currency.USD, Decimal("0.04")),)
    order = msgspec.structs.replace(ONE_PICTURE, quotes=quotes)
    return ImageJob(id=f"image_{number:032x}", owner="ada", order=order, stem=f"{number:032x}", created_at=86_400.0)


async def test_a_picture_in_the_background_pays_what_it_really_cost(database: Database) -> None:
    """The estimate is taken first. One that is cancelled before it was sent takes nothing."""
    store = SqlJobStore(database, IMAGE, quotas=SqlQuotas(database, now))
    for number in range(2):
        await store.admit(image_job(number), now=NOW, identity=asked(f"fox {number}"), connected=PROCESS)
    before = await counts(database)
    first, second = [await store.get(image_job(number).id) for number in range(2)]
    assert first is not None
    assert second is not None
    drawn = StoredImage(name="a.png", pixels=Pixels(1, 1), cost=Cost(Decimal("0.03"), Currency.USD))
    made = advance_image(advance_image(first, Intended("", NOW)), Made(drawn, NOW))
    await store.replace(first, made, now=NOW)
    await store.replace(second, advance_image(second, Failed(called_off(), NOW)), now=NOW)

    assert before == {"images": 2, "USD/day": 80_000_000}
    assert await counts(database) == {"images": 1, "USD/day": 30_000_000}


async def test_a_job_that_fails_to_be_stored_takes_nothing(limited: SqlJobStore, database: Database) -> None:
    """A key that stood for something else is refused before anything is counted."""
    await admit(limited, 1, asked("a", key="one"))
    with pytest.raises(AdapterError, match="Idempotency-Key"):
        await admit(limited, 2, asked("b", key="one"))

    assert (await counts(database))["videos"] == 1
