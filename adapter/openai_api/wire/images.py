"""`POST /v1/images/generations` (reference: `openai.md` section 4)."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType


class ImagesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a request. `seed` and `aspect_ratio` come through `extra_body`."""

    model: str | None = None
    prompt: str | None = None
    n: int | None = None
    size: str | None = None
    quality: str | None = None
    response_format: str | None = None
    output_format: str | None = None
    output_compression: int | None = None
    background: str | None = None
    moderation: str | None = None
    style: str | None = None
    stream: bool | None = None
    partial_images: int | None = None
    seed: int | None = None
    aspect_ratio: str | None = None


class ImageData(msgspec.Struct, frozen=True):
    """One picture: its base64 as it came from the upstream, or a link."""

    b64_json: msgspec.Raw | UnsetType = UNSET
    url: str | UnsetType = UNSET


class ImagesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `size` and `output_format` say what the first picture really is."""

    created: int
    data: list[ImageData]
    size: str
    output_format: Literal["png", "jpeg", "webp"]
    #: None of these models draws an alpha channel (`gemini.md` section 4).
    background: Literal["opaque"] = "opaque"
