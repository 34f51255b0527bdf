"""Gemini's JSON, as far as we send or read it.

Source: seed 003 (`POST /v1beta/models/{model}:generateContent`); answers: reference `gemini.md` section 1.4.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

#: Tokens of one answer. The largest models take and make some millions.
Count = Annotated[int, Meta(ge=0, le=2**40)]


class TextPart(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A prompt, or words of an earlier turn."""

    text: str
    thought_signature: str = ""


class InlineData(msgspec.Struct, frozen=True, rename="camel"):
    """A picture as base64. Google refuses a `mimeType` that is not the bytes' (`gemini.md` section 1.3)."""

    mime_type: str
    data: msgspec.Raw


class InlinePart(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A picture to work from. One that the model made has its signature beside it."""

    inline_data: InlineData
    thought_signature: str = ""


class FileData(msgspec.Struct, frozen=True, rename="camel"):
    """A picture that Google has already (`omni.md` section 2.4)."""

    mime_type: str
    file_uri: str


class FilePart(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Such a picture to work from."""

    file_data: FileData
    thought_signature: str = ""


PicturePart = InlinePart | FilePart


class Content(msgspec.Struct, frozen=True):
    """One turn."""

    parts: tuple[TextPart | InlinePart | FilePart, ...]
    role: str = "user"


class ImageOutputOptions(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The format of a picture, on Google Cloud only (`google-cloud.md`)."""

    mime_type: str
    #: Of a JPEG, 0 to 100.
    compression_quality: int | None = None


class ImageConfig(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The frame. `imageSize` has an upper-case K, or is `512`."""

    aspect_ratio: str | None = None
    image_size: str | None = None
    image_output_options: ImageOutputOptions | None = None


class TextConfig(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How to write. The tokens include those of thinking; a `responseMimeType` of JSON is kept to; empty: text."""

    max_output_tokens: int
    response_mime_type: str = ""


class ThinkingConfig(msgspec.Struct, frozen=True, rename="camel"):
    """How long to think: `MINIMAL`, `MEDIUM` and the like (`nano-banana-2.1.md` section 3)."""

    thinking_level: str


class GenerationConfig(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How to generate. `candidateCount` is left out: these models refuse more than one."""

    response_modalities: tuple[str, ...]
    image_config: ImageConfig | None = None
    seed: int | None = None
    thinking_config: ThinkingConfig | None = None


class Nothing(msgspec.Struct, frozen=True):
    """An object without members."""


class Tool(msgspec.Struct, frozen=True, rename="camel"):
    """The search of the web, without settings."""

    google_search: Nothing = Nothing()


class SafetySetting(msgspec.Struct, frozen=True):
    """How strict one of the adjustable filters is (`gemini.md` section 1.3)."""

    category: str
    threshold: str


class GenerateContentRequest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The body that we send."""

    contents: tuple[Content, ...]
    generation_config: GenerationConfig
    safety_settings: tuple[SafetySetting, ...] = ()
    tools: tuple[Tool, ...] = ()


class GenerateTextRequest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The body that we send to a text model."""

    contents: tuple[Content, ...]
    generation_config: TextConfig
    system_instruction: Content | None = None


class Blob(msgspec.Struct, frozen=True):
    """A picture as base64. Its `mimeType` lies (`gemini.md` section 1.4) and is not read."""

    data: msgspec.Raw


class AnswerPart(msgspec.Struct, frozen=True, rename="camel"):
    """A picture, a draft of one (`thought`), or a text."""

    inline_data: Blob | None = None
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None


class AnswerContent(msgspec.Struct, frozen=True):
    """What was generated; a refusal has `{}` or `{"parts": null}` here."""

    parts: Annotated[tuple[AnswerPart, ...], Meta(max_length=10_000)] | None = None


class Candidate(msgspec.Struct, frozen=True, rename="camel"):
    """One answer."""

    content: AnswerContent | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    #: Read by itself: a picture is not lost for a source that is odd.
    grounding_metadata: msgspec.Raw = msgspec.Raw()


class WebPage(msgspec.Struct, frozen=True):
    """A page that was found. Its `uri` leads there by way of Google."""

    uri: str | None = None
    title: str | None = None


class GroundingChunk(msgspec.Struct, frozen=True):
    """One thing that was found."""

    web: WebPage | None = None


class SearchEntryPoint(msgspec.Struct, frozen=True, rename="camel"):
    """Google's suggestions of searches, as HTML."""

    rendered_content: str | None = None


class GroundingMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """What was searched and found (`nano-banana-2.1.md` section 3)."""

    web_search_queries: Annotated[tuple[str, ...], Meta(max_length=100)] | None = None
    grounding_chunks: Annotated[tuple[GroundingChunk, ...], Meta(max_length=1000)] | None = None
    search_entry_point: SearchEntryPoint | None = None


class PromptFeedback(msgspec.Struct, frozen=True, rename="camel"):
    """Why a prompt was not worked on; there are then no candidates."""

    block_reason: str | None = None
    block_reason_message: str | None = None


class ModalityCount(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens of one kind, such as `TEXT` or `IMAGE`."""

    modality: str | None = None
    token_count: Count = 0


class UsageMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """What was counted. The candidates' details are never all of it (`gemini.md` section 1.4): the total is."""

    prompt_token_count: Count = 0
    tool_use_prompt_token_count: Count = 0
    total_token_count: Count = 0
    prompt_tokens_details: Annotated[tuple[ModalityCount, ...], Meta(max_length=100)] | None = None
    candidates_tokens_details: Annotated[tuple[ModalityCount, ...], Meta(max_length=100)] | None = None


class GenerateContentAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """The body that we read."""

    candidates: Annotated[tuple[Candidate, ...], Meta(max_length=1000)] | None = None
    prompt_feedback: PromptFeedback | None = None
    #: Read by itself: a picture is not lost for a count that is odd.
    usage_metadata: msgspec.Raw = msgspec.Raw()

    @property
    def is_geminis(self) -> bool:
        """Whether anything in it is Gemini's. Each real answer has one of these, whatever became of the picture."""
        return self.candidates is not None or self.prompt_feedback is not None or bytes(self.usage_metadata)[:1] == b"{"


#: A file's name, with nothing in it that an address could be made of.
FileName = Annotated[str, Meta(pattern=r"^files/[A-Za-z0-9_-]{1,128}\Z")]


class NewFile(msgspec.Struct, frozen=True):
    """A file that is about to be uploaded."""

    display_name: str
    mime_type: str
    size_bytes: int


class UploadRequest(msgspec.Struct, frozen=True):
    """`POST /upload/{version}/files`."""

    file: NewFile


class File(msgspec.Struct, frozen=True):
    """A file at Google."""

    name: FileName
    uri: Annotated[str, Meta(max_length=4096)] = ""
    state: str = ""


class Uploaded(msgspec.Struct, frozen=True):
    """The answer to the last part of an upload."""

    file: File
