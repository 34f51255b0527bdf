"""`POST /v1/images/generations`, `/edits` and `/variations` (reference: `openai.md` section 4)."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Gemini's own words for the frame, in either spelling; OpenRouter's clients send them as well."""

    aspect_ratio: str | None = None
    image_size: str | None = None
    aspect_ratio_in_camel: str | None = msgspec.field(default=None, name="aspectRatio")
    image_size_in_camel: str | None = msgspec.field(default=None, name="imageSize")

    @property
    def ratio(self) -> str | None:
        """The ratio, however it was spelt."""
        return self.aspect_ratio or self.aspect_ratio_in_camel

    @property
    def size(self) -> str | None:
        """The resolution, however it was spelt."""
        return self.image_size or self.image_size_in_camel


class GenerationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where Gemini itself has them; its own OpenAI layer takes this object too (`gemini.md` section 3.1)."""

    image_config: ImageConfig | None = None
    image_config_in_camel: ImageConfig | None = msgspec.field(default=None, name="imageConfig")


class ImagesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a request. What OpenAI's own API does not have comes through `extra_body`."""

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
    user: str | None = None
    safety_identifier: str | None = None
    #: Wishes of OpenAI's youngest models, read only to be refused.
    complexity: object = None
    frame_count: object = None
    frame_duration_ms: object = None
    svg: object = None
    #: Ours.
    seed: int | None = None
    size_policy: str | None = None
    #: Gemini's own words for the frame, flat or nested, in either spelling.
    aspect_ratio: str | None = None
    aspect_ratio_in_camel: str | None = msgspec.field(default=None, name="aspectRatio")
    image_size: str | None = None
    image_size_in_camel: str | None = msgspec.field(default=None, name="imageSize")
    image_config: ImageConfig | None = None
    image_config_in_camel: ImageConfig | None = msgspec.field(default=None, name="imageConfig")
    generation_config: GenerationConfig | None = None
    generation_config_in_camel: GenerationConfig | None = msgspec.field(default=None, name="generationConfig")

    @property
    def ratios(self) -> tuple[str, ...]:
        """Every ratio that is named in Gemini's own words."""
        flat = (self.aspect_ratio, self.aspect_ratio_in_camel)
        return tuple(word for word in (*flat, *(config.ratio for config in self._configs)) if word is not None)

    @property
    def image_sizes(self) -> tuple[str, ...]:
        """Every resolution that is named in Gemini's own words."""
        flat = (self.image_size, self.image_size_in_camel)
        return tuple(word for word in (*flat, *(config.size for config in self._configs)) if word is not None)

    @property
    def _configs(self) -> tuple[ImageConfig, ...]:
        nested = (self.generation_config, self.generation_config_in_camel)
        inner = (each for one in nested if one for each in (one.image_config, one.image_config_in_camel))
        return tuple(config for config in (self.image_config, self.image_config_in_camel, *inner) if config)


class GenerationsRequest(ImagesRequest, frozen=True, kw_only=True):
    """What generations have beside that: wishes of edits, read only to be refused."""

    image: object = None
    images: object = None
    mask: object = None
    input_fidelity: object = None


class ImageRef(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that a JSON request points at."""

    image_url: str | None = None
    file_id: str | None = None


class EditsRequest(ImagesRequest, frozen=True, kw_only=True):
    """What edits and variations have beside that. Of a form, the files are not in here."""

    images: tuple[ImageRef | str, ...] | None = None
    #: As gateways write it.
    image: ImageRef | str | tuple[ImageRef | str, ...] | None = None
    mask: object = None
    markup: object = None
    input_fidelity: str | None = None


class ImageData(msgspec.Struct, frozen=True):
    """One picture: its base64 as it came from the upstream, or a link."""

    b64_json: msgspec.Raw | UnsetType = UNSET
    url: str | UnsetType = UNSET


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
    """A finished picture in a stream; every field but the last is mandatory."""

    type: Literal["image_generation.completed", "image_edit.completed"]
    b64_json: msgspec.Raw
    created_at: int
    size: str
    quality: Literal["low", "medium", "high"]
    output_format: Literal["png", "jpeg", "webp"]
    usage: ImagesUsage
    background: Literal["opaque"] = "opaque"
    safety_identifier: str | UnsetType = UNSET
