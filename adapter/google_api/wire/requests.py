"""`generateContent` and `predict`, as clients send them (reference: `gemini-native-routes.md` sections 1 and 2).

Keys are in one spelling here, with underscores: `read/spelling.py` writes them so. Google refuses unknown fields, and
so do these structs. A field of type `object` is known. It is read by the table of `openai_api/read/names.py`, is
refused by name, or means nothing for a picture.
"""

from typing import ClassVar

import msgspec

from adapter.openai_api.wire.media import RouteRequest


class InlineData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture as base64. Its `mime_type` is not read: the bytes say what it is."""

    data: str
    mime_type: str | None = None
    display_name: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words, a picture, or something that only other models know."""

    text: str | None = None
    inline_data: InlineData | None = None
    #: A draft or a thought of the model.
    thought: bool | None = None
    thought_signature: str | None = None
    file_data: object = None
    function_call: object = None
    function_response: object = None
    tool_call: object = None
    tool_response: object = None
    executable_code: object = None
    code_execution_result: object = None
    video_metadata: object = None
    media_resolution: object = None
    part_metadata: object = None


class Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One turn. Without a role it is the user's. Some clients send its only part without a list around it."""

    parts: list[Part] | Part | None = None
    role: str | None = None


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The frame and the file."""

    aspect_ratio: object = None
    image_size: object = None
    output_mime_type: object = None
    output_compression_quality: object = None
    image_output_options: object = None
    person_generation: object = None


class ThinkingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to think."""

    thinking_level: object = None
    thinking_budget: object = None
    include_thoughts: object = None


class GenerationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to generate."""

    response_modalities: list[str] | None = None
    response_mime_type: str | None = None
    image_config: ImageConfig | None = None
    response_format: object = None
    candidate_count: object = None
    seed: object = None
    thinking_config: ThinkingConfig | None = None
    response_schema: object = None
    response_json_schema: object = None
    speech_config: object = None
    temperature: object = None
    top_p: object = None
    top_k: object = None
    max_output_tokens: object = None
    stop_sequences: object = None
    presence_penalty: object = None
    frequency_penalty: object = None
    response_logprobs: object = None
    logprobs: object = None
    media_resolution: object = None
    audio_timestamp: object = None
    enable_enhanced_civic_answers: object = None


class SafetySetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How strict one of the adjustable filters is."""

    category: str
    threshold: str | None = None
    method: object = None


class GenerateContentRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body. Some clients send the only turn without a list around it."""

    contents: list[Content] | Content | None = None
    system_instruction: Content | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    tools: list[object] | None = None
    tool_config: object = None
    cached_content: object = None
    labels: object = None
    service_tier: object = None
    store: object = None
    #: The address names the model. Google's own schema has this field too.
    model: object = None


class PredictInstance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to draw."""

    prompt: str | None = None
    image: object = None
    reference_images: object = None


class PredictParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to draw it."""

    sample_count: object = None
    aspect_ratio: object = None
    sample_image_size: object = None
    image_size: object = None
    seed: object = None
    output_options: object = None
    negative_prompt: object = None
    person_generation: object = None
    add_watermark: object = None
    enhance_prompt: object = None
    language: object = None
    safety_setting: object = None
    safety_filter_level: object = None
    include_rai_reason: object = None
    include_safety_attributes: object = None
    guidance_scale: object = None


class PredictRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of Imagen's route. Open WebUI sends the only instance without a list around it."""

    instances: list[PredictInstance] | PredictInstance
    parameters: PredictParameters | None = None


class NativeMedia(RouteRequest, frozen=True, kw_only=True):
    """What a native request says of media, for the one reader of these names."""

    KNOWN: ClassVar[frozenset[str]] = frozenset({"prompt"})
