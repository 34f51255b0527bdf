"""`POST /v1/images/generations`, `/edits` and `/variations` (reference: `openai.md` section 4)."""

from typing import ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from adapter.openai_api.wire.base64 import Base64
from adapter.openai_api.wire.media import RouteRequest

#: What the Images API knows of pictures. The last one is ours.
PICTURE_FIELDS: Final = frozenset(
    {
        "prompt",
        "background",
        "moderation",
        "style",
        "partial_images",
        "input_fidelity",
        "frame_count",
        "frame_duration_ms",
        "svg",
        "size_policy",
    }
)


class ImagesRequest(RouteRequest, frozen=True, kw_only=True):
    """A request for pictures. What OpenAI's own API does not have comes through `extra_body`."""

    KNOWN: ClassVar[frozenset[str]] = PICTURE_FIELDS

    response_format: str | None = None
    stream: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None


class SourcePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page that the model found on the web."""

    url: str
    title: str


class ImageGrounding(msgspec.Struct, frozen=True, kw_only=True):
    """Ours: what the model searched on the web, and what it found there."""

    queries: tuple[str, ...]
    sources: tuple[SourcePage, ...]


class ImageData(msgspec.Struct, frozen=True):
    """One picture: its base64 as it came from the upstream, or a link."""

    b64_json: Base64 | UnsetType = UNSET
    url: str | UnsetType = UNSET
    grounding: ImageGrounding | UnsetType = UNSET


class TokenDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens by kind."""

    text_tokens: int
    image_tokens: int


class ImagesUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of all pictures together."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: TokenDetails
    output_tokens_details: TokenDetails
    #: Ours, after OpenRouter: dollars by the price list.
    cost: float | UnsetType = UNSET


class ImagesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `size`, `quality` and `output_format` say what the first picture really is."""

    created: int
    data: list[ImageData]
    size: str
    quality: Literal["low", "medium", "high"]
    output_format: Literal["png", "jpeg", "webp"]
    #: None of these models draws an alpha channel (`gemini.md` section 4).
    background: Literal["opaque"] = "opaque"
    usage: ImagesUsage | UnsetType = UNSET
    safety_identifier: str | UnsetType = UNSET


class ImageCompleted(msgspec.Struct, frozen=True, kw_only=True):
    """A finished picture in a stream; every field but the last two is mandatory."""

    type: Literal["image_generation.completed", "image_edit.completed"]
    b64_json: Base64
    created_at: int
    size: str
    quality: Literal["low", "medium", "high"]
    output_format: Literal["png", "jpeg", "webp"]
    usage: ImagesUsage
    background: Literal["opaque"] = "opaque"
    safety_identifier: str | UnsetType = UNSET
    grounding: ImageGrounding | UnsetType = UNSET
