"""`/v1/organization/usage/…` and `/v1/organization/costs`, as OpenAI's Python library 3.57.0 has them.

What is not grouped by is null. Videos are ours: OpenAI has no usage of them.
"""

from typing import Literal

import msgspec


class _Grouped(msgspec.Struct, frozen=True, kw_only=True):
    """What results are grouped by. There are no projects here."""

    project_id: None = None
    #: The owner.
    user_id: str | None = None
    api_key_id: str | None = None


class ImagesResult(_Grouped, frozen=True, kw_only=True):
    """Pictures of one bucket and group."""

    images: int
    num_model_requests: int
    #: Ours: those that failed.
    num_failed_requests: int
    model: str | None = None
    size: str | None = None
    source: str | None = None
    object: Literal["organization.usage.images.result"] = "organization.usage.images.result"


class VideosResult(_Grouped, frozen=True, kw_only=True):
    """Videos of one bucket and group."""

    videos: int
    seconds: int
    num_model_requests: int
    num_failed_requests: int
    model: str | None = None
    size: str | None = None
    object: Literal["organization.usage.videos.result"] = "organization.usage.videos.result"


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of money."""

    value: float
    currency: Literal["usd"] = "usd"


QuantityUnit = Literal["images", "tokens", "duration_seconds"]


class CostsResult(_Grouped, frozen=True, kw_only=True):
    """Costs of one bucket and group."""

    amount: Amount
    #: `gemini-3-pro-image, images`: a model and what it makes.
    line_item: str | None = None
    #: Of a line item: pictures, tokens of texts, or seconds of video.
    quantity: float | None = None
    quantity_unit: QuantityUnit | None = None
    #: Ours: credits, which are no money.
    credits: float
    #: Ours: requests whose cost is unknown. They are in neither sum.
    num_unpriced_requests: int
    object: Literal["organization.costs.result"] = "organization.costs.result"


class _Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the time."""

    start_time: int
    end_time: int
    object: Literal["bucket"] = "bucket"


class ImagesBucket(_Bucket, frozen=True, kw_only=True):
    """Pictures of a piece of the time."""

    results: tuple[ImagesResult, ...]


class VideosBucket(_Bucket, frozen=True, kw_only=True):
    """Videos of a piece of the time."""

    results: tuple[VideosResult, ...]


class CostsBucket(_Bucket, frozen=True, kw_only=True):
    """Costs of a piece of the time."""

    results: tuple[CostsResult, ...]


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of buckets, the oldest first."""

    has_more: bool
    #: The parameter `page` of the next request.
    next_page: str | None
    object: Literal["page"] = "page"


class ImagesUsagePage(_Page, frozen=True, kw_only=True):
    """Pictures."""

    data: tuple[ImagesBucket, ...]


class VideosUsagePage(_Page, frozen=True, kw_only=True):
    """Videos."""

    data: tuple[VideosBucket, ...]


class CostsPage(_Page, frozen=True, kw_only=True):
    """A page of costs."""

    data: tuple[CostsBucket, ...]
