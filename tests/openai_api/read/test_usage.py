"""Which usage is asked for."""

import pytest

from adapter.domain.usage_counts import UsageQuery
from adapter.errors import InvalidRequest
from adapter.openai_api.read.usage import UsageRequest, read_usage

HOUR = 3600
DAY = 24 * HOUR
NOW = 100 * DAY + 5.0


def asked(text: str, report: str = "images") -> UsageRequest:
    """Read a query as it stands in an address."""
    pairs = [(name, value) for name, _, value in (each.partition("=") for each in text.split("&"))]
    return read_usage(report, pairs, NOW)  # type: ignore[arg-type]


def test_seven_days_are_a_page_where_nothing_is_said() -> None:
    """A bucket begins at midnight in UTC."""
    found = asked(f"start_time={90 * DAY + 77}")

    assert found.query == UsageQuery(since=90 * DAY, until=97 * DAY, step=DAY, by=[], only={"kind": ("image",)})
    assert found.next_start == 97 * DAY


def test_the_last_page_ends_now() -> None:
    """Today's bucket is in it."""
    found = asked(f"start_time={99 * DAY}")

    assert (found.query.until, found.next_start) == (int(NOW) + 1, None)


def test_the_next_page_goes_on_where_the_page_before_ended() -> None:
    """Up to the end."""
    end = f"start_time={90 * DAY}&end_time={92 * DAY}&bucket_width=1h"
    first = asked(end)
    second = asked(f"{end}&page=page_{first.next_start}")

    assert (first.query.since, first.query.until) == (90 * DAY, 91 * DAY)
    assert (second.query.since, second.query.until, second.next_start) == (91 * DAY, 92 * DAY, None)


@pytest.mark.parametrize(
    "text", ["group_by=model&group_by=user_id", "group_by[]=model&group_by[]=user_id", "group_by=model,user_id"]
)
def test_a_list_has_the_three_forms_of_openai(text: str) -> None:
    """Groups have our own words: a user is an owner."""
    assert list(asked(f"start_time=0&{text}").query.by) == ["model", "owner"]


def test_filters_are_by_our_words() -> None:
    """Each by any of its values."""
    found = asked("start_time=0&api_key_ids[]=ada&api_key_ids[]=bob&models=toy-fox", "videos")

    assert found.query.only == {"kind": ("video",), "key": ("ada", "bob"), "model": ("toy-fox",)}


def test_costs_are_of_pictures_and_videos() -> None:
    """A line item is a model and what it makes."""
    found = asked("start_time=0&group_by=line_item&group_by=project_id&limit=180", "costs")

    assert (list(found.query.by), found.query.only, found.query.until) == (["model", "kind"], {}, int(NOW) + 1)


@pytest.mark.parametrize(
    ("text", "report", "param", "told"),
    [
        ("limit=3", "images", "start_time", "required"),
        ("start_time=1764000000000", "images", "start_time", "from 0 to 99999999999"),
        ("start_time=yesterday", "images", "start_time", "whole number"),
        ("start_time=10&end_time=10", "images", "end_time", "later"),
        ("start_time=0&bucket_width=1m", "images", "bucket_width", "1h, 1d"),
        ("start_time=0&bucket_width=1h", "costs", "bucket_width", "1d"),
        ("start_time=0&limit=0", "images", "limit", "from 1 to 31"),
        ("start_time=0&limit=181", "costs", "limit", "from 1 to 180"),
        ("start_time=0&group_by=batch", "images", "group_by", "project_id, user_id, api_key_id, model, size, source"),
        ("start_time=0&group_by=model", "costs", "group_by", "line_item"),
        ("start_time=0&page=2", "images", "page", "next_page"),
        ("start_time=0&project_ids=p", "images", "project_ids", "not offered"),
    ],
)
def test_what_is_not_offered_is_refused(text: str, report: str, param: str, told: str) -> None:
    """With the parameter and what is allowed."""
    with pytest.raises(InvalidRequest, match=told) as caught:
        asked(text, report)
    assert caught.value.param == param
