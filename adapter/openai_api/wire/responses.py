"""`/v1/responses` (reference: `openai.md` section 7)."""

from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from adapter.openai_api.wire.base64 import NullableBase64, null
from adapter.openai_api.wire.errors import ErrorObject
from adapter.openai_api.wire.images import PICTURE_FIELDS
from adapter.openai_api.wire.media import RouteRequest


class ImageTool(RouteRequest, frozen=True, kw_only=True):
    """The tool `image_generation`: a request for a picture but for its prompt."""

    KNOWN: ClassVar[frozenset[str]] = PICTURE_FIELDS - {"prompt"}

    type: str = ""
    action: str | None = None


class EchoedFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a request that its response repeats as they came. Only the last two may be absent there."""

    instructions: object = None
    metadata: object = None
    temperature: float | None = None
    top_p: float | None = None
    tools: tuple[object, ...] = ()
    tool_choice: object = "auto"
    parallel_tool_calls: bool = True
    max_output_tokens: int | None = None
    previous_response_id: str | None = None
    background: bool = False
    user: str | UnsetType = UNSET
    safety_identifier: str | UnsetType = UNSET


class ResponsesRequest(RouteRequest, frozen=True, kw_only=True):
    """What is read of a request. The fields of media are ours: of a video, or of a picture."""

    #: A text, or entries as they came: each is judged only where it is used.
    input: str | tuple[object, ...] | None = None
    tools: tuple[object, ...] | None = None
    tool_choice: object = None
    instructions: object = None
    metadata: object = None
    temperature: float | None = None
    top_p: float | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    previous_response_id: str | None = None
    background: bool | None = None
    store: bool | None = None
    stream: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    #: Read only to be refused.
    conversation: object = None
    prompt: object = None


class ToolError(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer, in a word of OpenAI's closed list."""

    code: str
    message: str


class CachedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """There is no cache."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class ReasoningTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody counts them apart."""

    reasoning_tokens: int = 0


class ResponseUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as the provider counted them. All are zero where they are not counted, as for videos."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: CachedTokens = CachedTokens()
    output_tokens_details: ReasoningTokens = ReasoningTokens()
    #: Ours, after OpenRouter: dollars by the price list.
    cost: float | UnsetType = UNSET
    #: Ours: of a Flow account.
    credits: float | UnsetType = UNSET


class ImageCall(msgspec.Struct, frozen=True, kw_only=True, tag="image_generation_call"):
    """A picture, or the place where one will be."""

    id: str
    status: Literal["in_progress", "generating", "completed", "failed"]
    #: A JSON string of base64 as it came, or null.
    result: NullableBase64 = msgspec.field(default_factory=null)
    action: Literal["generate", "edit"] | UnsetType = UNSET
    size: str | UnsetType = UNSET
    quality: str | UnsetType = UNSET
    output_format: str | UnsetType = UNSET
    background: Literal["opaque"] | UnsetType = UNSET
    revised_prompt: str | UnsetType = UNSET


class UrlCitation(msgspec.Struct, frozen=True, kw_only=True, tag="url_citation"):
    """A link in a text: where it stands, counted in characters, the end exclusive, and where it leads."""

    start_index: int
    end_index: int
    title: str
    url: str


class OutputText(msgspec.Struct, frozen=True, kw_only=True, tag="output_text"):
    """A text."""

    text: str
    annotations: tuple[UrlCitation, ...] = ()
    logprobs: tuple[()] = ()


class OutputMessage(msgspec.Struct, frozen=True, kw_only=True, tag="message"):
    """A message of ours."""

    id: str
    content: tuple[OutputText, ...]
    status: Literal["in_progress", "completed", "incomplete"]
    role: Literal["assistant"] = "assistant"


class SummaryText(msgspec.Struct, frozen=True, kw_only=True, tag="summary_text"):
    """How a video came along."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, kw_only=True, tag="reasoning"):
    """The one kind of entry that clients show as progress."""

    id: str
    summary: tuple[SummaryText, ...]
    status: Literal["in_progress", "completed", "incomplete"]


OutputItem = ImageCall | OutputMessage | Reasoning


class ResponseObject(EchoedFields, frozen=True, kw_only=True):
    """A response. Those of its keys that are null may not be absent; `usage` may not be null."""

    id: str
    created_at: int
    model: str
    status: str
    output: tuple[OutputItem, ...]
    error: ToolError | None = None
    incomplete_details: None = None
    completed_at: int | None = None
    usage: ResponseUsage | UnsetType = UNSET
    object: Literal["response"] = "response"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a stream; each kind has some of the fields."""

    type: str
    sequence_number: int = 0
    response: ResponseObject | UnsetType = UNSET
    output_index: int | UnsetType = UNSET
    item_id: str | UnsetType = UNSET
    item: OutputItem | UnsetType = UNSET
    content_index: int | UnsetType = UNSET
    summary_index: int | UnsetType = UNSET
    part: OutputText | SummaryText | UnsetType = UNSET
    annotation: UrlCitation | UnsetType = UNSET
    annotation_index: int | UnsetType = UNSET
    delta: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    logprobs: tuple[()] | UnsetType = UNSET


class StreamError(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a stream whose response goes on without it; both SDKs raise on it."""

    error: ErrorObject
    sequence_number: int
    type: Literal["error"] = "error"


class ResponseDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """That it is gone."""

    id: str
    object: Literal["response"] = "response"
    deleted: bool = True


class GivenText(msgspec.Struct, frozen=True, kw_only=True, tag="input_text"):
    """A text of the input."""

    text: str


class GivenImage(msgspec.Struct, frozen=True, kw_only=True, tag="input_image"):
    """A picture of the input. One that came as data is not kept, so neither address nor id is known."""

    detail: str = "auto"
    image_url: str | None = None
    file_id: str | None = None


class GivenMessage(msgspec.Struct, frozen=True, kw_only=True, tag="message"):
    """A turn of the input."""

    id: str
    role: str
    content: tuple[GivenText | GivenImage | OutputText, ...]
    status: Literal["completed"] = "completed"


GivenItem = GivenMessage | ImageCall


class ItemList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the input's entries."""

    data: tuple[GivenItem, ...]
    first_id: str
    last_id: str
    has_more: bool
    object: Literal["list"] = "list"
