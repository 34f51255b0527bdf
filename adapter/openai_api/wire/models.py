"""`GET /v1/models` and `GET /v1/models/{id}` (reference: `openai.md` section 8)."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType


class ModelObject(msgspec.Struct, frozen=True, kw_only=True):
    """One model. `architecture` is OpenRouter's form, which front-ends read to know pictures from videos."""

    id: str
    created: int
    owned_by: str
    architecture: "Architecture"
    #: OpenAI's own field: a date, `2027-03-15`. It is left out where none is known.
    shutdown_date: str | UnsetType = UNSET
    object: Literal["model"] = "model"
    #: Ours: what it costs today. Left out if that is unknown.
    prices: "tuple[ModelPrice, ...] | UnsetType" = UNSET
    #: Ours: what may be asked for. Text models have none.
    options: "ModelOptions | UnsetType" = UNSET


class VideoMode(msgspec.Struct, frozen=True, kw_only=True):
    """What a model makes videos from, and what may be asked for then."""

    input: Literal["text", "frame", "frames", "references", "edit", "extend", "upscale"]
    #: The first one is made where a request does not say.
    aspect_ratios: tuple[str, ...]
    #: Lengths in seconds; of an extension, of the new part.
    seconds: tuple[int, ...]


class ModelOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked for of a model that makes pictures or videos."""

    aspect_ratios: tuple[str, ...]
    resolutions: tuple[str, ...]
    #: The one that is made where a request does not say.
    resolution: str
    #: Most input pictures.
    images: int
    #: Levels of thinking.
    thinking: tuple[str, ...] | UnsetType = UNSET
    #: The rest is of videos: the length where a request does not say, and how long one usually takes, in seconds.
    seconds: int | UnsetType = UNSET
    typical_seconds: float | UnsetType = UNSET
    modes: tuple[VideoMode, ...] | UnsetType = UNSET
    #: The resolutions that a finished video can be made finer to.
    upscales: tuple[str, ...] | UnsetType = UNSET


class ModelPrice(msgspec.Struct, frozen=True, kw_only=True):
    """One amount of a model's price list."""

    per: Literal["picture", "search", "second", "clip", "upscale", "extension", "million_tokens"]
    #: The resolution, or the kind of tokens.
    of: str | UnsetType = UNSET
    amount: float
    currency: Literal["USD", "credits"]


class Architecture(msgspec.Struct, frozen=True, kw_only=True):
    """What goes in and what comes out."""

    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    data: tuple[ModelObject, ...]
    object: Literal["list"] = "list"
