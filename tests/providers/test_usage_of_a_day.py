"""What a day comes to: every execution once, with what it really cost, whatever route it came by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import openai
import pytest

from adapter.database.engine import open_database
from adapter.domain.usage_counts import UsageCounts, UsageQuery
from adapter.jobs.store import SqlJobStore
from adapter.records.usage import SqlUsageStore
from tests.toy_provider import connected

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning"),
]

PRICES = """
[[video.prices]]
since = 2000-01-01
source = "a test"
second = { 720p = 0.07 }
"""
FOX = 'released = 2026-11-01\nratios = ["1:1", "16:9"]\n'
FOX_PRICES = """
[[image.prices]]
since = 2000-01-01
source = "a test"
picture = { 1K = 0.0336 }
"""
#: What the toy does with a prompt.
REFUSES = "what the provider refuses"
SILENT = "what gets no answer"
CRASHES = "what is a mistake of the provider's code"
DECLINED = "what is given up"


@pytest.fixture
def priced(config: Path, toy: ModuleType) -> Path:
    """A configuration with prices, and a provider that fails as the prompt says."""
    models = config.parent / "models.toml"
    models.write_text(models.read_text().replace(FOX, f"{FOX}{FOX_PRICES}") + PRICES)
    assert toy.TOY.name == "toy"
    return config


@asynccontextmanager
async def sums(config: Path) -> AsyncIterator[SqlUsageStore]:
    """Yield the table of a server that has ended."""
    database = await open_database(f"sqlite:///{config.parent}/toy.db")
    try:
        yield SqlUsageStore(database)
    finally:
        await database.dispose()


async def test_a_days_sum_is_what_its_jobs_and_pictures_cost(toy: ModuleType, priced: Path) -> None:
    """With failures, a retry by its key, and an answer that was given before: each is counted once, or not at all."""
    headers = {"idempotency-key": "one"}
    async with connected(toy, priced) as client:
        for _ in range(2):
            await client.images.generate(model="toy-fox", prompt="a fox", n=2, extra_headers=headers)
        made, again = [
            await client.videos.create(model="toy-waves", prompt="waves", extra_headers=headers) for _ in range(2)
        ]
        assert made.id == again.id
        await client.chat.completions.create(model="toy-fox", messages=[{"role": "user", "content": "a fox"}])
        await client.videos.create_and_poll(model="toy-waves", prompt="more waves", poll_interval_ms=20)
        while (await client.videos.retrieve(made.id)).status != "completed":
            pass
        for prompt in (REFUSES, SILENT, CRASHES):
            with pytest.raises(openai.APIStatusError):
                await client.images.generate(model="toy-fox", prompt=prompt)
        given_up = await client.videos.create_and_poll(model="toy-waves", prompt=DECLINED, poll_interval_ms=20)
        assert given_up.status == "failed"
        with pytest.raises(openai.BadRequestError):
            await client.images.generate(model="toy-fox", prompt="", n=99)

    async with sums(priced) as table:
        found = await table.sums(UsageQuery(since=0, until=10**10, by=["key", "kind"]))

    by_kind = {each.labels["kind"]: each.counts for each in found}
    assert by_kind == {
        "image": UsageCounts(requests=5, failed=3, images=3, nano_dollars=100_800_000, unpriced=2),
        "video": UsageCounts(requests=3, failed=1, videos=2, seconds=8, nano_dollars=560_000_000),
    }
    assert {each.labels["key"][:6] for each in found} == {"plain:"}


async def test_the_sum_of_videos_is_the_sum_of_their_jobs(toy: ModuleType, priced: Path) -> None:
    """As the rows of the jobs tell it."""
    async with connected(toy, priced) as client:
        for number in range(5):
            await client.videos.create_and_poll(model="toy-waves", prompt=f"waves {number}", poll_interval_ms=20)

    async with sums(priced) as table:
        [whole] = await table.sums(UsageQuery(since=0, until=10**10))
        jobs = await SqlJobStore(table._database).recent(10)  # noqa: SLF001 - the same file
    assert whole.counts.dollars == sum((job.cost.amount for job in jobs if job.cost), Decimal(0)) == Decimal("1.4")
