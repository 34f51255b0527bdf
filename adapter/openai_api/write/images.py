"""Translates pictures to `ImagesResponse` and its events."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from adapter.domain.json_pieces import PLACE, filled
from adapter.domain.media import Image, MediaFormat, Pixels, Resolution
from adapter.domain.prices import total_cost
from adapter.domain.usage import Cost, Usage
from adapter.openai_api.wire.images import (
    ImageCompleted,
    ImageData,
    ImageGrounding,
    ImagesResponse,
    ImagesUsage,
    SourcePage,
    TokenDetails,
)
from adapter.openai_api.write.costs import in_dollars

FORMATS: Final[dict[MediaFormat, Literal["png", "jpeg", "webp"]]] = {
    MediaFormat.PNG: "png",
    MediaFormat.JPEG: "jpeg",
    MediaFormat.WEBP: "webp",
}

#: The edge from which on a picture has a quality, in pixels.
MEDIUM_EDGE: Final = Resolution.ONE.edge * 0.75
HIGH_EDGE: Final = Resolution.TWO.edge * 0.75

Made = Literal["image_generation.completed", "image_edit.completed"]
Quality = Literal["low", "medium", "high"]


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an answer beside its pictures."""

    created: int
    #: Echoed where the client sent one (`openai.md` section 4).
    safety_identifier: str | None = None


def images_response(images: Sequence[Image], links: Sequence[str] | None, heading: Heading) -> ImagesResponse:
    """Return an answer with pictures as base64, or as links if links are given."""
    data = [ImageData(b64_json=image.base64, grounding=image_grounding(image)) for image in images]
    if links is not None:
        data = [
            ImageData(url=link, grounding=image_grounding(image)) for image, link in zip(images, links, strict=True)
        ]
    return _response(images, data, heading)


def _response(images: Sequence[Image], data: list[ImageData], heading: Heading) -> ImagesResponse:
    first, spent = images[0], total(images)
    return ImagesResponse(
        created=heading.created,
        data=data,
        size=str(first.pixels),
        quality=quality(first.pixels),
        output_format=FORMATS[first.format],
        usage=UNSET if spent is None else images_usage(spent, total_cost(images)),
        safety_identifier=heading.safety_identifier or UNSET,
    )


def in_pieces(images: Sequence[Image], heading: Heading, links: Sequence[str] = ()) -> Sequence[bytes | memoryview]:
    """Return an answer with base64 as pieces: the JSON around the pictures, and the pictures themselves, not copied.

    If links are given they are added.
    """
    urls: Sequence[str | UnsetType] = links or [UNSET] * len(images)
    data = [ImageData(PLACE, url, image_grounding(image)) for image, url in zip(images, urls, strict=True)]
    return filled(msgspec.json.encode(_response(images, data, heading)), images)


def image_completed(image: Image, made: Made, heading: Heading) -> ImageCompleted:
    """Return the event of one picture. If tokens were not counted, the mandatory fields are zero."""
    return ImageCompleted(
        type=made,
        b64_json=image.base64,
        created_at=heading.created,
        size=str(image.pixels),
        quality=quality(image.pixels),
        output_format=FORMATS[image.format],
        usage=images_usage(image.usage or Usage(), image.cost),
        safety_identifier=heading.safety_identifier or UNSET,
        grounding=image_grounding(image),
    )


def image_grounding(image: Image) -> ImageGrounding | UnsetType:
    """Return what the model searched on the web for a picture, if it did."""
    if image.grounding is None:
        return UNSET
    return ImageGrounding(
        queries=image.grounding.queries,
        sources=tuple(SourcePage(url=source.url, title=source.title) for source in image.grounding.sources),
    )


def total(images: Sequence[Image]) -> Usage | None:
    """Return the usage of all pictures together; None if it was not counted."""
    counted = [image.usage for image in images if image.usage is not None]
    return reduce(add, counted) if counted else None


def images_usage(spent: Usage, cost: Cost | None) -> ImagesUsage:
    """Return usage in OpenAI's form."""
    return ImagesUsage(
        input_tokens=spent.input,
        output_tokens=spent.output,
        total_tokens=spent.total,
        input_tokens_details=TokenDetails(text_tokens=spent.input_text, image_tokens=spent.input_image),
        output_tokens_details=TokenDetails(text_tokens=spent.output_text, image_tokens=spent.output_image),
        cost=in_dollars(cost),
    )


def quality(pixels: Pixels) -> Quality:
    """Return the quality that a picture has, whatever was asked for: here the word means the resolution.

    `xhigh` and `max` are left out: older clients know three words.
    """
    edge = pixels.edge
    if edge < MEDIUM_EDGE:
        return "low"
    return "medium" if edge < HIGH_EDGE else "high"
