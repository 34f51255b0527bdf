"""What `adapter usage` prints."""

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from adapter.commands.usage_report import (
    Column,
    UsageReport,
    as_csv,
    as_json,
    as_table,
    query_of,
    read_columns,
    usual_days,
)
from adapter.domain.usage_counts import Dimension, UsageCounts, UsageSum

DAY = 86_400
NOVEMBER_29 = 1_795_951_800.0
PICTURES = UsageCounts(requests=1200, failed=3, images=1200, input_tokens=9600, nano_dollars=40_320_000_000)
ADA: Mapping[Dimension, str] = {"key": "ada", "model": "gemini-3-pro-image", "owner": "f" * 64}
VIDEOS = UsageCounts(requests=12, videos=11, failed=1, seconds=88, nano_dollars=6_160_000_000, unpriced=1)


def report(by: Sequence[Column] = ("key", "model")) -> UsageReport:
    """Return a report of two keys."""
    return UsageReport(
        since=date(1970, 1, 2),
        until=date(1970, 1, 31),
        by=by,
        sums=[
            UsageSum(start=DAY, labels=ADA, counts=PICTURES),
            UsageSum(start=3 * DAY, labels={"key": "", "model": "veo-3.1-fast", "owner": "key:bob"}, counts=VIDEOS),
        ],
    )


TABLE = """\
Usage from 1970-01-02 to 1970-01-31 (UTC)

key  model               requests  failed  images  videos  seconds  tokens in      USD
----------------------------------------------------------------------------------------
ada  gemini-3-pro-image     1,200       3   1,200       0        0      9,600  40.3200
-    veo-3.1-fast              12       1       0      11       88          0   6.1600+?
----------------------------------------------------------------------------------------
sum                         1,212       4   1,200      11       88      9,600  46.4800+?

+?  The cost of 1 of these requests is unknown and is not in the sum.
"""


def test_a_table_has_a_line_for_each_sum_and_one_for_all() -> None:
    """Columns in which all is 0 are left out, and a sum that is not whole is marked."""
    assert as_table(report()) == TABLE


def test_a_table_shows_days_and_the_beginning_of_an_owner_without_a_name() -> None:
    """Such an owner is the digest of a key, which would fill the line."""
    lines = as_table(report(("day", "owner"))).splitlines()

    assert [line.split()[:2] for line in lines[4:6]] == [["1970-01-02", "f" * 8], ["1970-01-04", "key:bob"]]


def test_credits_have_a_column_where_they_were_spent() -> None:
    """They are no dollars."""
    counts = UsageCounts(requests=1, videos=1, seconds=8, nano_credits=20 * 10**9)
    table = as_table(
        UsageReport(
            since=date(1970, 1, 1),
            until=date(1970, 1, 1),
            by=["kind"],
            sums=[UsageSum(start=0, labels={"kind": "video"}, counts=counts)],
        )
    )

    assert table.splitlines()[2].split()[-2:] == ["USD", "credits"]
    assert table.splitlines()[-1].split()[-2:] == ["0.0000", "20"]


def test_an_empty_report_says_so() -> None:
    """With the days that were looked at."""
    empty = UsageReport(since=date(2026, 11, 1), until=date(2026, 11, 29), by=["key"], sums=[])

    assert as_table(empty) == "Nothing was made from 2026-11-01 to 2026-11-29 (UTC).\n"
    assert json.loads(as_json(empty))["rows"] == []


@pytest.mark.parametrize(
    ("since", "until", "says"),
    [
        (date(2026, 12, 1), None, "the last day, 2026-11-29, comes before the first one, 2026-12-01"),
        (date(2026, 11, 2), date(2026, 11, 1), "the last day, 2026-11-01, comes before"),
        (None, date.max, "9999-12-31 is no day from 1970-01-01 to 9998-12-31"),
        (date.min, None, "0001-01-01 is no day from"),
    ],
)
def test_days_that_cannot_be_reported_are_refused(since: date | None, until: date | None, says: str) -> None:
    """A report of nothing would be believed."""
    with pytest.raises(ValueError, match=says):
        usual_days(NOVEMBER_29, since, until)


def test_the_first_and_the_last_day_can_be_reported() -> None:
    """Their seconds are numbers on every database."""
    assert usual_days(NOVEMBER_29, None, date(1970, 1, 2)) == (date(1970, 1, 1), date(1970, 1, 2))
    query = query_of(*usual_days(NOVEMBER_29, date(1970, 1, 1), date(9998, 12, 31)), ["day"])
    assert (query.since, query.until) == (0, 253_370_764_800)


def test_json_has_rows_and_their_total() -> None:
    """As numbers; owners are whole."""
    found = json.loads(as_json(report(("day", "owner"))))

    assert (found["since"], found["until"]) == ("1970-01-02", "1970-01-31")
    assert found["rows"][0] == {
        "day": "1970-01-02",
        "owner": "f" * 64,
        "requests": 1200,
        "failed": 3,
        "images": 1200,
        "videos": 0,
        "seconds": 0,
        "input_tokens": 9600,
        "output_tokens": 0,
        "dollars": 40.32,
        "credits": 0.0,
        "unpriced": 0,
    }
    assert (found["total"]["requests"], found["total"]["dollars"], found["total"]["unpriced"]) == (1212, 46.48, 1)


def test_csv_has_a_line_for_each_sum() -> None:
    """And none for all together, which a spreadsheet makes."""
    rows = list(csv.DictReader(as_csv(report()).splitlines()))

    assert [(row["key"], row["model"], row["dollars"]) for row in rows] == [
        ("ada", "gemini-3-pro-image", "40.32"),
        ("", "veo-3.1-fast", "6.16"),
    ]


def test_columns_are_named_with_commas() -> None:
    """The time comes first, whatever the order. A name that is not known is refused with those that are."""
    assert read_columns("model, key,day") == ("day", "key", "model")
    for text in ("", " , ", "key,week"):
        with pytest.raises(ValueError, match="day, hour, key, owner, provider, model, kind, size, source"):
            read_columns(text)


def test_days_are_whole_and_the_last_one_is_included() -> None:
    """In UTC."""
    query = query_of(date(1970, 1, 2), date(1970, 1, 3), ("day", "model"))

    assert (query.since, query.until, query.step, list(query.by)) == (DAY, 3 * DAY, DAY, ["model"])
    assert query_of(date(1970, 1, 2), date(1970, 1, 3), ("day", "hour")).step == 3600


def test_thirty_days_are_reported_where_nothing_is_said() -> None:
    """Today is the last of them."""
    assert usual_days(40 * DAY + 5.0, None, None) == (date(1970, 1, 12), date(1970, 2, 10))
    assert usual_days(40 * DAY, date(1970, 1, 1), None) == (date(1970, 1, 1), date(1970, 2, 10))
    assert usual_days(40 * DAY, None, date(1970, 1, 31)) == (date(1970, 1, 2), date(1970, 1, 31))
