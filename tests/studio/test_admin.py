"""What an operator's key sees in the studio."""

from collections.abc import Mapping, Sequence

import msgspec

from tests.studio.visitor import Visitor


class Seen(msgspec.Struct, frozen=True):
    """What the operator saw."""

    #: Requests before the part was opened.
    before: int
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


def test_an_operator_sees_usage_by_key_and_the_accounts(visitor: Visitor) -> None:
    """They are asked for when the part is opened, and days are summed."""
    answers = {
        "/v1/organization/usage/images": page(
            {"api_key_id": "shop", "images": 3}, {"api_key_id": "shop", "images": 4}, {"api_key_id": None, "images": 1}
        ),
        "/v1/organization/costs": page(
            {"api_key_id": "shop", "amount": {"value": 0.5, "currency": "usd"}},
            {"api_key_id": "shop", "amount": {"value": 20, "currency": "credits"}},
        ),
        "/v1/organization/accounts": accounts(
            {"provider": "flow", "name": "main", "health": "ok", "credits": 0, "tier": "PAYGATE_TIER_ONE", "calls": 2}
        ),
    }
    seen = visitor.visit("admin", Seen, answers=answers)

    assert seen.before == 0
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
        "shop | 7 | 0 | 0 | $0.50 + 20 credits",
    ]
    assert of_google[2] == "flow/main | ok | 0 | PAYGATE_TIER_ONE | 2 | – | –"
