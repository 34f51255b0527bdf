"""What an administrator's key sees in the studio."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from tests.journeys.server import HTTP, KEY, Server, wait_until
from tests.studio.visitor import Visitor, missing


class Seen(msgspec.Struct, frozen=True):
    """What the administrator saw."""

    #: Requests before the part was opened.
    before: int
    refused: str
    #: What is in the stores of the browser.
    stored: list[str]
    asked: list[str]
    #: The caption and the rows of each table.
    tables: list[list[str]]


def page(*results: Mapping[str, object]) -> Mapping[str, object]:
    """Return a page of usage in OpenAI's form: a bucket for each result."""
    buckets = [{"object": "bucket", "start_time": 0, "end_time": 1, "results": [result]} for result in results]
    return {"object": "page", "data": buckets, "has_more": False, "next_page": None}


def accounts(*credentials: Mapping[str, object]) -> Mapping[str, Sequence[Mapping[str, object]]]:
    """Return a list of accounts."""
    return {"data": credentials}


def test_an_administrator_sees_usage_by_key_and_the_accounts(visitor: Visitor) -> None:
    """They are asked for when the part is opened, and days are summed."""
    answers = {
        "/v1/organization/usage/images": page(
            {"api_key_id": "shop", "images": 3}, {"api_key_id": "shop", "images": 4}, {"api_key_id": None, "images": 1}
        ),
        "/v1/organization/costs": page(
            {"api_key_id": "shop", "amount": {"value": 0.5, "currency": "usd"}, "credits": 0.0},
            {
                "api_key_id": "shop",
                "amount": {"value": 0.25, "currency": "usd"},
                "credits": 20.0,
                "num_unpriced_requests": 2,
            },
        ),
        "/v1/organization/accounts": accounts(
            {"provider": "flow", "name": "main", "health": "ok", "credits": 0, "tier": "PAYGATE_TIER_ONE", "calls": 2}
        ),
    }
    seen = visitor.visit("admin", Seen, answers=answers)

    assert seen.before == 0
    assert seen.refused.startswith("This is no administrator's key")
    assert seen.stored == [KEY]
    query = "?start_time=…&bucket_width=1d&limit=31&group_by=api_key_id"
    assert seen.asked == [
        "/v1/organization/accounts",
        f"/v1/organization/costs{query}",
        f"/v1/organization/usage/images{query}",
        f"/v1/organization/usage/videos{query}",
    ]
    usage, of_google = seen.tables
    assert usage[1:] == [
        "Key | Pictures | Videos | Seconds | Cost",
        "– | 1 | 0 | 0 | –",
        "shop | 7 | 0 | 0 | $0.75 + 20 credits + 2 of unknown price",
    ]
    assert of_google[2] == "flow/main | ok | 0 | PAYGATE_TIER_ONE | 2 | – | –"


def test_what_a_key_made_is_seen_with_the_servers_own_answers(tmp_path: Path) -> None:
    """A video that was just finished is counted."""
    if reason := missing():
        pytest.skip(reason)
    server = Server(tmp_path)
    config = tmp_path / "adapter.toml"
    config.write_text(config.read_text().replace("[access]", '[access]\nadmin_keys = ["plain:sk-administrator"]'))
    server.start()
    headers = {"authorization": f"Bearer {KEY}"}
    order = {"model": "veo-3.1-lite", "prompt": "waves", "seconds": "4"}
    video = HTTP.post(f"{server.url}/v1/videos", headers=headers, json=order).json()["id"]
    wait_until(
        lambda: HTTP.get(f"{server.url}/v1/videos/{video}", headers=headers).json()["status"] == "completed",
        "the video was not finished",
    )
    folder = tmp_path / "visit"
    folder.mkdir()
    seen = Visitor(folder, server).visit("admin", Seen)

    assert seen.tables[0][1] == "Key | Pictures | Videos | Seconds | Cost"
    [row] = seen.tables[0][2:]
    assert row.endswith(" | 0 | 1 | 4 | 10 credits")
    assert server.stop() == 0
