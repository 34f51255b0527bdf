"""What a request to Gemini on Google Cloud has beyond the Gemini API's (`google-cloud.md` section 3)."""

from typing import Literal

import msgspec

from adapter.sandbox.gemini.wire import GenerateContentRequest, GenerationConfig, ImageConfig, Message


class PublisherModel(Message, frozen=True, kw_only=True):
    """A model of Google's."""

    name: str


class PublisherModelList(Message, frozen=True, kw_only=True):
    """`GET publishers/google/models`."""

    publisher_models: list[PublisherModel]


class ImageOutputOptions(Message, frozen=True, kw_only=True):
    """The format of the picture."""

    mime_type: Literal["", "image/png", "image/jpeg"] = ""
    compression_quality: int | None = None


class CloudImageConfig(ImageConfig, frozen=True, kw_only=True):
    """The Gemini API knows two fields of it."""

    person_generation: Literal["", "ALLOW_ALL", "ALLOW_ADULT", "ALLOW_NONE"] = ""
    prominent_people: str = ""
    image_output_options: ImageOutputOptions = ImageOutputOptions()


class CloudGenerationConfig(GenerationConfig, frozen=True, kw_only=True):
    """Settings of the generation."""

    image_config: CloudImageConfig | None = None


class CloudGenerateContentRequest(GenerateContentRequest, frozen=True, kw_only=True):
    """`POST …/publishers/google/models/{model}:generateContent`."""

    generation_config: CloudGenerationConfig = CloudGenerationConfig()
    labels: dict[str, str] = msgspec.field(default_factory=dict)
