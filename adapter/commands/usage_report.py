"""What `adapter usage` prints: a table for people, CSV, or JSON."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, get_args

import msgspec

from adapter.domain.usage_counts import (
    DAY_SECONDS,
    DIMENSIONS,
    HOUR_SECONDS,
    UsageCounts,
    UsageQuery,
    UsageSum,
)

#: What a row may be of.
Column = Literal["day", "hour", "key", "owner", "provider", "model", "kind", "size", "source"]
COLUMNS: Final[Sequence[Column]] = get_args(Column)
STEPS: Final[Mapping[Column, int]] = {"hour": HOUR_SECONDS, "day": DAY_SECONDS}
#: Days that are reported where nothing is said, today included.
USUAL_DAYS: Final = 30
#: The days that can be asked for: those of Unix seconds, and of years that can be written.
FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(9998, 12, 31)
#: An owner without a name is the SHA-256 of a key, in hex. A table shows the beginning.
DIGEST_LENGTH: Final = 64
SHOWN_LENGTH: Final = 8
NUMBERS: Final[Mapping[str, str]] = {
    "requests": "requests",
    "failed": "failed",
    "images": "images",
    "videos": "videos",
    "seconds": "seconds",
    "input_tokens": "tokens in",
    "output_tokens": "tokens out",
}
#: Stands behind a sum that lacks executions whose cost is unknown.
INCOMPLETE: Final = "+?"


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row, as programs read it."""

    requests: int
    failed: int
    images: int
    videos: int
    seconds: int
    input_tokens: int
    output_tokens: int
    dollars: float
    credits: float
    #: Executions whose cost is unknown. They are not in the two sums before.
    unpriced: int


class UsageReport(msgspec.Struct, frozen=True, kw_only=True):
    """Sums, and the days that they are of."""

    since: date
    #: The last day.
    until: date
    by: Sequence[Column]
    sums: Sequence[UsageSum]

    @property
    def total(self) -> UsageCounts:
        """All of them together."""
        return sum((each.counts for each in self.sums), UsageCounts())


def read_columns(text: str) -> Sequence[Column]:
    """Read what rows are of: names with commas between them.

    Raises:
        ValueError: a name is unknown, or there is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or any(name not in COLUMNS for name in names):
        raise ValueError(f"'{text}' has to be some of {', '.join(COLUMNS)}, with commas between them")
    return tuple(name for name in COLUMNS if name in names)


def query_of(since: date, until: date, by: Sequence[Column]) -> UsageQuery:
    """Return which sums are wanted of these days, the last one included."""
    steps = [STEPS[name] for name in by if name in STEPS]
    return UsageQuery(
        since=_seconds(since),
        until=_seconds(until + timedelta(days=1)),
        step=min(steps, default=None),
        by=[name for name in DIMENSIONS if name in by],
    )


def usual_days(now: float, since: date | None, until: date | None) -> tuple[date, date]:
    """Return the first and the last day to report, in UTC.

    Raises:
        ValueError: a day is out of range, or the last one comes before the first.
    """
    for day in (since, until):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise ValueError(f"{day} is no day from {FIRST_DAY} to {LAST_DAY}")
    last = until or datetime.fromtimestamp(now, UTC).date()
    first = since or max(last - timedelta(days=USUAL_DAYS - 1), FIRST_DAY)
    if last < first:
        raise ValueError(f"the last day, {last}, comes before the first one, {first}")
    return first, last


def as_json(report: UsageReport) -> bytes:
    """Return a report for programs."""
    whole = {
        "since": report.since,
        "until": report.until,
        "rows": [{**_labels(each, report.by), **_fields(each.counts)} for each in report.sums],
        "total": _fields(report.total),
    }
    return msgspec.json.format(msgspec.json.encode(whole))


def as_csv(report: UsageReport) -> str:
    """Return a report for spreadsheets. It has no line of sums."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*report.by, *UsageRow.__struct_fields__], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**_labels(each, report.by), **_fields(each.counts)} for each in report.sums)
    return text.getvalue()


def as_table(report: UsageReport) -> str:
    """Return a report for people. Columns in which all is 0 are left out."""
    days = f"{report.since} to {report.until} (UTC)"
    if not report.sums:
        return f"Nothing was made from {days}.\n"
    total = report.total
    names = [name for name in NUMBERS if getattr(total, name) or name == "requests"]
    head = [
        *report.by,
        *(NUMBERS[name] for name in names),
        f"USD{'  ' if total.unpriced else ''}",
        *(["credits"] if total.credits else []),
    ]
    rows = [[*_shown(each, report.by), *_numbers(each.counts, names, total)] for each in report.sums]
    last = ["sum", *[""] * (len(report.by) - 1), *_numbers(total, names, total)]
    lines = _aligned([head, *rows, last], len(report.by))
    rule = "-" * max(map(len, lines))
    return "\n".join([f"Usage from {days}", "", lines[0], rule, *lines[1:-1], rule, lines[-1], *_note(total)]) + "\n"


def _note(total: UsageCounts) -> Sequence[str]:
    if not total.unpriced:
        return []
    return ["", f"{INCOMPLETE}  The cost of {total.unpriced:,} of these requests is unknown and is not in the sum."]


def _labels(each: UsageSum, by: Sequence[Column]) -> Mapping[str, str]:
    return {name: _label(each, name) for name in by}


def _label(each: UsageSum, name: Column) -> str:
    start = datetime.fromtimestamp(each.start, UTC)
    match name:
        case "day":
            return start.strftime("%Y-%m-%d")
        case "hour":
            return start.strftime("%Y-%m-%dT%H:00Z")
        case _:
            return each.labels[name]


def _shown(each: UsageSum, by: Sequence[Column]) -> Sequence[str]:
    return [_shortened(_label(each, name)) or "-" for name in by]


def _shortened(text: str) -> str:
    return text[:SHOWN_LENGTH] if len(text) == DIGEST_LENGTH else text


def _fields(counts: UsageCounts) -> Mapping[str, int | float]:
    row = UsageRow(
        requests=counts.requests,
        failed=counts.failed,
        images=counts.images,
        videos=counts.videos,
        seconds=counts.seconds,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        dollars=float(counts.dollars),
        credits=float(counts.credits),
        unpriced=counts.unpriced,
    )
    return msgspec.structs.asdict(row)


def _numbers(counts: UsageCounts, names: Iterable[str], total: UsageCounts) -> Sequence[str]:
    mark = (INCOMPLETE if counts.unpriced else "  ") if total.unpriced else ""
    credit = [f"{counts.credits:,.0f}"] if total.credits else []
    return [*(f"{getattr(counts, name):,}" for name in names), f"{counts.dollars:,.4f}{mark}", *credit]


def _aligned(rows: Sequence[Sequence[str]], words: int) -> Sequence[str]:
    """Return lines in columns: so many of words, and then numbers, which end in one place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if at < words else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return [line(row) for row in rows]


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
