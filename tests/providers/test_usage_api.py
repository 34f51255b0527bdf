"""`/v1/organization/…` with the official client, in front of a provider with prices."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import openai
import pytest
from openai.types.admin.organization import UsageCostsResponse, UsageImagesResponse

from adapter.database.engine import open_database
from adapter.domain.finished_work import FinishedWork
from adapter.domain.spending import Spending
from adapter.domain.usage import Cost, Currency
from adapter.domain.usage_counts import summed
from adapter.records.usage import SqlUsageStore
from tests.toy_provider import connected

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning"),
]

DAY = 86_400
PICTURES = FinishedWork(
    spending=Spending(owner="key:ada", key="ada", model="toy-fox", provider="toy", kind="image", units=2),
    at=DAY + 10.0,
    is_completed=True,
    cost=Cost(Decimal("0.5"), Currency.USD),
    size="1024x1024",
    source="image.generation",
)
VIDEO = FinishedWork(
    spending=Spending(owner="key:bob", key="bob", model="toy-waves", provider="toy", kind="video", units=8),
    at=3 * DAY + 10.0,
    is_completed=True,
    cost=Cost(Decimal(20), Currency.CREDITS),
    size="1280x720",
)
UNKNOWN = msgspec.structs.replace(PICTURES, at=3 * DAY + 20.0, is_completed=False, cost=None, size="")


@asynccontextmanager
async def administrator(toy: ModuleType, config: Path) -> AsyncIterator[openai.AsyncOpenAI]:
    """Yield the client of an administrator. Three days have some work."""
    database = await open_database(f"sqlite:///{config.parent}/toy.db")
    try:
        await SqlUsageStore(database).add(summed([PICTURES, PICTURES, VIDEO, UNKNOWN]))
    finally:
        await database.dispose()
    config.write_text(config.read_text().replace("[access]", '[access]\nadmin_keys = ["plain:sk-administrator"]'))
    async with connected(toy, config) as client:
        yield client.copy(admin_api_key="sk-administrator")


def lines(page: UsageImagesResponse | UsageCostsResponse) -> list[tuple[int, dict[str, Any]]]:
    """Return the results with the day of each, without what is null."""
    return [
        (bucket.start_time // DAY, {name: value for name, value in result.to_dict().items() if value is not None})
        for bucket in page.data
        for result in bucket.results
    ]


async def test_pictures_are_told_by_day_and_group(toy: ModuleType, config: Path) -> None:
    """A day without work is a bucket without results."""
    async with administrator(toy, config) as client:
        usage = client.admin.organization.usage
        page = await usage.images(start_time=0, end_time=4 * DAY, group_by=["model", "api_key_id"])
        sizes = await usage.images(start_time=DAY, end_time=2 * DAY, group_by=["size", "source", "user_id"])

    assert [bucket.start_time for bucket in page.data] == [0, DAY, 2 * DAY, 3 * DAY]
    of_ada = {"object": "organization.usage.images.result", "api_key_id": "ada", "model": "toy-fox"}
    assert lines(page) == [
        (1, {**of_ada, "images": 4, "num_model_requests": 2, "num_failed_requests": 0}),
        (3, {**of_ada, "images": 0, "num_model_requests": 1, "num_failed_requests": 1}),
    ]
    [(_, found)] = lines(sizes)
    assert (found["size"], found["source"], found["user_id"]) == ("1024x1024", "image.generation", "key:ada")
    assert "model" not in found


async def test_costs_are_dollars_with_credits_beside_them(toy: ModuleType, config: Path) -> None:
    """Credits are no money: they are no part of the amount. What has no known cost is counted by itself."""
    async with administrator(toy, config) as client:
        page = await client.admin.organization.usage.costs(start_time=0, end_time=4 * DAY, group_by=["line_item"])

    assert [
        (day, line["line_item"], line["amount"], line["credits"], line["num_unpriced_requests"])
        for day, line in lines(page)
    ] == [
        (1, "toy-fox, images", {"value": 1.0, "currency": "usd"}, 0, 0),
        (3, "toy-fox, images", {"value": 0.0, "currency": "usd"}, 0, 1),
        (3, "toy-waves, videos", {"value": 0.0, "currency": "usd"}, 20, 0),
    ]
    quantities = [(line["quantity"], line["quantity_unit"]) for _, line in lines(page)]
    assert quantities == [(4, "images"), (0, "images"), (8, "duration_seconds")]


async def test_pages_follow_each_other(toy: ModuleType, config: Path) -> None:
    """Each has the buckets that were asked for, and says where the next one begins."""
    async with administrator(toy, config) as client:
        usage = client.admin.organization.usage
        first = await usage.images(start_time=0, end_time=4 * DAY, limit=3)
        second = await usage.images(start_time=0, end_time=4 * DAY, limit=3, page=first.next_page or "")

    assert (first.has_more, len(first.data), second.has_more, second.next_page) == (True, 3, False, None)
    assert [bucket.start_time for bucket in second.data] == [3 * DAY]


async def test_videos_have_a_route_of_ours(toy: ModuleType, config: Path) -> None:
    """In the form of the others."""
    async with administrator(toy, config) as client:
        path = f"/organization/usage/videos?start_time={3 * DAY}&end_time={4 * DAY}&group_by=model"
        page = await client.get(path, cast_to=dict[str, Any], options={"security": {"admin_api_key_auth": True}})

    [bucket] = page["data"]
    assert bucket["results"] == [
        {
            "object": "organization.usage.videos.result",
            "project_id": None,
            "user_id": None,
            "api_key_id": None,
            "videos": 1,
            "seconds": 8,
            "num_model_requests": 1,
            "num_failed_requests": 0,
            "model": "toy-waves",
            "size": None,
        }
    ]


async def test_what_was_just_made_is_told_after_a_restart(toy: ModuleType, config: Path) -> None:
    """Pictures are written at the end of the server at the latest."""
    async with connected(toy, config) as client:
        await client.images.generate(model="toy-fox", prompt="a fox", n=2)
    async with administrator(toy, config) as client:
        yesterday = int(time.time()) - DAY
        page = await client.admin.organization.usage.images(start_time=yesterday, group_by=["api_key_id"])

    [(_, found)] = lines(page)
    assert (found["images"], found["api_key_id"][:6]) == (2, "plain:")


async def test_another_key_sees_nothing(toy: ModuleType, config: Path) -> None:
    """A valid one is told what it lacks, another one that it is wrong. An administrator's makes nothing."""
    async with administrator(toy, config) as client:
        with pytest.raises(openai.PermissionDeniedError, match="admin_keys"):
            await client.copy(admin_api_key="sk-toy").admin.organization.usage.images(start_time=0)
        with pytest.raises(openai.AuthenticationError, match="Incorrect"):
            await client.copy(admin_api_key="sk-other").admin.organization.usage.costs(start_time=0)
        with pytest.raises(openai.AuthenticationError, match="Incorrect"):
            await client.copy(api_key="sk-administrator").models.list()
