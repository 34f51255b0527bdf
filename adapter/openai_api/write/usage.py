"""Translates sums of usage to OpenAI's pages of buckets."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from adapter.domain.usage_counts import Dimension, UsageCounts, UsageQuery, UsageSum
from adapter.openai_api.wire.usage import (
    Amount,
    CostsBucket,
    CostsPage,
    CostsResult,
    ImagesBucket,
    ImagesResult,
    ImagesUsagePage,
    QuantityUnit,
    VideosBucket,
    VideosResult,
    VideosUsagePage,
)

_R = TypeVar("_R")


def images_usage(query: UsageQuery, sums: Sequence[UsageSum], next_start: int | None) -> ImagesUsagePage:
    """Return a page of pictures."""
    buckets = tuple(
        ImagesBucket(start_time=start, end_time=end, results=results)
        for start, end, results in _buckets(query, sums, _images)
    )
    return ImagesUsagePage(data=buckets, has_more=next_start is not None, next_page=_next_page(next_start))


def videos_usage(query: UsageQuery, sums: Sequence[UsageSum], next_start: int | None) -> VideosUsagePage:
    """Return a page of videos."""
    buckets = tuple(
        VideosBucket(start_time=start, end_time=end, results=results)
        for start, end, results in _buckets(query, sums, _videos)
    )
    return VideosUsagePage(data=buckets, has_more=next_start is not None, next_page=_next_page(next_start))


def costs(query: UsageQuery, sums: Sequence[UsageSum], next_start: int | None) -> CostsPage:
    """Return a page of costs."""
    buckets = tuple(
        CostsBucket(start_time=start, end_time=end, results=results)
        for start, end, results in _buckets(query, sums, _costs)
    )
    return CostsPage(data=buckets, has_more=next_start is not None, next_page=_next_page(next_start))


def _buckets(
    query: UsageQuery, sums: Sequence[UsageSum], result: Callable[[UsageSum], _R]
) -> Sequence[tuple[int, int, tuple[_R, ...]]]:
    """Return every bucket of the time with its results: one without work has none."""
    step = query.step or query.until - query.since
    found: dict[int, list[_R]] = {start: [] for start in range(query.since, query.until, step)}
    for each in sums:
        found[each.start].append(result(each))
    return [(start, start + step, tuple(results)) for start, results in found.items()]


def _next_page(start: int | None) -> str | None:
    return None if start is None else f"page_{start}"


def _images(each: UsageSum) -> ImagesResult:
    counts = each.counts
    return ImagesResult(
        images=counts.images,
        num_model_requests=counts.requests,
        num_failed_requests=counts.failed,
        user_id=each.labels.get("owner"),
        api_key_id=_key(each.labels),
        model=each.labels.get("model"),
        size=each.labels.get("size"),
        source=each.labels.get("source"),
    )


def _videos(each: UsageSum) -> VideosResult:
    counts = each.counts
    return VideosResult(
        videos=counts.videos,
        seconds=counts.seconds,
        num_model_requests=counts.requests,
        num_failed_requests=counts.failed,
        user_id=each.labels.get("owner"),
        api_key_id=_key(each.labels),
        model=each.labels.get("model"),
        size=each.labels.get("size"),
    )


def _costs(each: UsageSum) -> CostsResult:
    counts, kind = each.counts, each.labels.get("kind")
    quantity, unit = _quantity(counts, kind)
    return CostsResult(
        amount=Amount(value=float(counts.dollars)),
        credits=float(counts.credits),
        num_unpriced_requests=counts.unpriced,
        user_id=each.labels.get("owner"),
        api_key_id=_key(each.labels),
        line_item=None if kind is None else f"{each.labels['model']}, {kind}s",
        quantity=quantity,
        quantity_unit=unit,
    )


def _quantity(counts: UsageCounts, kind: str | None) -> tuple[float | None, QuantityUnit | None]:
    """Return what a line is of, and how much of it."""
    match kind:
        case None:
            return None, None
        case "image":
            return float(counts.images), "images"
        case "text":
            return float(counts.input_tokens + counts.output_tokens), "tokens"
        case _:
            return float(counts.seconds), "duration_seconds"


def _key(labels: Mapping[Dimension, str]) -> str | None:
    """Return the id of a key. What was made without one has none."""
    return labels.get("key") or None
