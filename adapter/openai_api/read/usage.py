"""Which usage or costs are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from adapter.domain.numbers import whole_number
from adapter.domain.usage_counts import DAY_SECONDS, HOUR_SECONDS, Dimension, UsageQuery
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of, required

Report = Literal["images", "videos", "costs"]

#: The year 5138: a time in milliseconds is a mistake that shall be seen.
LATEST: Final = 99_999_999_999
PAGE: Final = "page_"


class Width(msgspec.Struct, frozen=True):
    """A width of buckets, with OpenAI's numbers of them in a page: the usual one and the largest."""

    seconds: int
    usual: int
    most: int


class ReportOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What a report can be asked for: widths, groups and filters, with our word for each group."""

    widths: Mapping[str, Width]
    groups: Mapping[str, Sequence[Dimension]]
    filters: Mapping[str, Dimension]
    #: Of what alone it tells.
    only: Mapping[Dimension, Sequence[str]] = {}


WIDTHS: Final = {"1h": Width(HOUR_SECONDS, 24, 168), "1d": Width(DAY_SECONDS, 7, 31)}
#: There are no projects: a group by them is one group.
OWNERS: Final[Mapping[str, Sequence[Dimension]]] = {"project_id": (), "user_id": ("owner",), "api_key_id": ("key",)}
OF_OWNERS: Final[Mapping[str, Dimension]] = {"user_ids": "owner", "api_key_ids": "key"}
OFFERS: Final[Mapping[Report, ReportOffer]] = {
    "images": ReportOffer(
        widths=WIDTHS,
        groups={**OWNERS, "model": ("model",), "size": ("size",), "source": ("source",)},
        filters={**OF_OWNERS, "models": "model", "sizes": "size", "sources": "source"},
        only={"kind": ("image",)},
    ),
    "videos": ReportOffer(
        widths=WIDTHS,
        groups={**OWNERS, "model": ("model",), "size": ("size",)},
        filters={**OF_OWNERS, "models": "model", "sizes": "size"},
        only={"kind": ("video",)},
    ),
    "costs": ReportOffer(
        widths={"1d": Width(DAY_SECONDS, 7, 180)},
        groups={**OWNERS, "line_item": ("model", "kind")},
        filters=OF_OWNERS,
    ),
}
#: Filters of OpenAI's that would be wrong to ignore: they would give more than was asked for.
REFUSED: Final = ("project_ids", "line_items", "batch", "service_tiers")


class UsageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A page of buckets, all of one width."""

    query: UsageQuery
    #: Where the next page begins, in Unix seconds; None: it is the last one.
    next_start: int | None


def read_usage(report: Report, parameters: Iterable[tuple[str, str]], now: float) -> UsageRequest:
    """Return what a query asks for. Buckets begin at full hours or days in UTC.

    Lists have OpenAI's three forms: `group_by=a&group_by=b`, `group_by[]=a`, and `group_by=a,b`.

    Raises:
        InvalidRequest: a parameter is missing, or asks for what there is not.
    """
    offer, query = OFFERS[report], _collected(parameters)
    for name in REFUSED:
        if name in query:
            raise InvalidRequest(f"'{name}' is not offered here.", param=name, code="unsupported_parameter")
    width = offer.widths[one_of(_last(query, "bucket_width") or "1d", [*offer.widths], "bucket_width")]
    start, end = _times(query, width, now)
    limit = _number(query, "limit", least=1, most=width.most) or width.usual
    stop = start + limit * width.seconds
    groups = [one_of(name, [*offer.groups], "group_by") for name in query.get("group_by", ())]
    only = {ours: tuple(query[name]) for name, ours in offer.filters.items() if name in query}
    return UsageRequest(
        query=UsageQuery(
            since=start,
            until=min(stop, end),
            step=width.seconds,
            by=[*dict.fromkeys(ours for name in groups for ours in offer.groups[name])],
            only={**offer.only, **only},
        ),
        next_start=stop if stop < end else None,
    )


def _collected(parameters: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for name, text in parameters:
        values = [value for value in text.split(",") if value]
        if values:
            found.setdefault(name.removesuffix("[]"), []).extend(values)
    return found


def _times(query: Mapping[str, Sequence[str]], width: Width, now: float) -> tuple[int, int]:
    start = required(_number(query, "start_time", least=0, most=LATEST), "start_time")
    end = _number(query, "end_time", least=0, most=LATEST)
    end = int(now) + 1 if end is None else end
    if end <= start:
        raise InvalidRequest("'end_time' has to be later than 'start_time'.", param="end_time")
    start = _page_start(query) or start
    return start - start % width.seconds, end


def _page_start(query: Mapping[str, Sequence[str]]) -> int | None:
    page = _last(query, "page")
    if page is None:
        return None
    start = whole_number(page.removeprefix(PAGE), most=LATEST) if page.startswith(PAGE) else None
    if start is None:
        raise InvalidRequest("'page' has to be the 'next_page' of an earlier answer.", param="page")
    return start


def _number(query: Mapping[str, Sequence[str]], name: str, *, least: int, most: int) -> int | None:
    text = _last(query, name)
    if text is None:
        return None
    number = whole_number(text, most=most)
    if number is None or number < least:
        raise InvalidRequest(f"'{name}' has to be a whole number from {least} to {most}.", param=name)
    return number


def _last(query: Mapping[str, Sequence[str]], name: str) -> str | None:
    return query[name][-1] if name in query else None
