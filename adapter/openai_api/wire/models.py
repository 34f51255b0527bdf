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
