"""Gemini's JSON, as Google's side reads and writes it (`gemini.md` sections 1.3 and 1.4, seed 003).

Requests name every field that google-genai 3.4 can send to an image model; any other name is refused.
"""

from typing import Literal

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A proto3 message: snake_case here, camelCase on the wire, defaults left out."""


class Blob(Message, frozen=True, kw_only=True):
    """A picture inside a request; `data` is base64 in either alphabet."""

    mime_type: str = ""
    data: str = ""
    display_name: str = ""


class FileData(Message, frozen=True, kw_only=True):
    """A file by address."""

    mime_type: str = ""
    file_uri: str = ""


class Part(Message, frozen=True, kw_only=True):
    """One part of a request's content."""

    text: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    thought: bool = False
    thought_signature: str = ""


class Content(Message, frozen=True, kw_only=True):
    """One turn."""

    role: str = ""
    parts: list[Part] = []


class ImageConfig(Message, frozen=True, kw_only=True):
    """Shape and resolution; Vertex's further fields are unknown here, as on the Gemini API."""

    aspect_ratio: str = ""
    image_size: str = ""


class ThinkingConfig(Message, frozen=True, kw_only=True):
    """How much a Gemini 3 model thinks."""

    include_thoughts: bool = False
    thinking_level: str = ""
    thinking_budget: int | None = None


class GenerationConfig(Message, frozen=True, kw_only=True):
    """Settings of the generation; sampling settings are read and have no effect on a drawn picture."""

    response_modalities: list[str] = []
    image_config: ImageConfig | None = None
    thinking_config: ThinkingConfig | None = None
    candidate_count: int = 1
    seed: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] = []
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    media_resolution: str = ""
    #: Of text models.
    response_mime_type: str = ""


class SafetySetting(Message, frozen=True, kw_only=True):
    """One threshold; the sandbox checks its words and nothing more."""

    category: Literal[
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
        "HARM_CATEGORY_CIVIC_INTEGRITY",
    ]
    threshold: Literal["BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE", "OFF"]


class SearchKind(Message, frozen=True, kw_only=True):
    """A kind of search, without settings."""


class SearchKinds(Message, frozen=True, kw_only=True):
    """What is searched."""

    web_search: SearchKind | None = None
    image_search: SearchKind | None = None


class GoogleSearch(Message, frozen=True, kw_only=True):
    """The search tool."""

    search_types: SearchKinds | None = None


class Tool(Message, frozen=True, kw_only=True):
    """The only tool of image models."""

    google_search: GoogleSearch | None = None


class GenerateContentRequest(Message, frozen=True, kw_only=True):
    """`POST models/{model}:generateContent`; `model` in the body is redundant and allowed."""

    model: str = ""
    contents: list[Content] = []
    generation_config: GenerationConfig = GenerationConfig()
    safety_settings: list[SafetySetting] = []
    system_instruction: Content | None = None
    tools: list[Tool] = []


class OutBlob(Message, frozen=True, kw_only=True):
    """A picture of an answer; msgspec writes bytes as standard base64."""

    mime_type: str
    data: bytes


class OutPart(Message, frozen=True, kw_only=True):
    """One part of an answer."""

    text: str | None = None
    inline_data: OutBlob | None = None
    thought: bool = False
    thought_signature: bytes = b""


class OutContent(Message, frozen=True, kw_only=True):
    """The turn of the model."""

    parts: list[OutPart]
    role: Literal["model"] = msgspec.field(default_factory=lambda: "model")  # a factory, so that it is written


class WebPage(Message, frozen=True, kw_only=True):
    """A page that a search found."""

    uri: str
    title: str


class GroundingChunk(Message, frozen=True, kw_only=True):
    """One thing that a search found."""

    web: WebPage


class SearchEntryPoint(Message, frozen=True, kw_only=True):
    """Suggestions of searches, as HTML."""

    rendered_content: str


class GroundingMetadata(Message, frozen=True, kw_only=True):
    """What was searched and found."""

    web_search_queries: list[str]
    grounding_chunks: list[GroundingChunk]
    search_entry_point: SearchEntryPoint


class Candidate(Message, frozen=True, kw_only=True):
    """The one candidate; a refusal has no content and says why in `finish_message`."""

    content: OutContent | None = None
    finish_reason: str = ""
    finish_message: str = ""
    grounding_metadata: GroundingMetadata | None = None
    index: int = msgspec.field(default_factory=int)


class PromptFeedback(Message, frozen=True, kw_only=True):
    """Why there is no candidate."""

    block_reason: str


class ModalityCount(Message, frozen=True, kw_only=True):
    """Tokens of one modality."""

    modality: Literal["TEXT", "IMAGE"]
    token_count: int


class UsageMetadata(Message, frozen=True, kw_only=True):
    """What it cost in tokens."""

    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    total_token_count: int = 0
    prompt_tokens_details: list[ModalityCount] = []
    candidates_tokens_details: list[ModalityCount] = []


class GenerateContentResponse(Message, frozen=True, kw_only=True):
    """The answer, or one chunk of it."""

    candidates: list[Candidate] = []
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str
    response_id: str


class ModelInfo(Message, frozen=True, kw_only=True):
    """One entry of `GET models`."""

    name: str
    version: str
    display_name: str
    description: str
    input_token_limit: int
    output_token_limit: int
    supported_generation_methods: list[str]
    thinking: bool = False


class ModelList(Message, frozen=True, kw_only=True):
    """`GET models`."""

    models: list[ModelInfo]
