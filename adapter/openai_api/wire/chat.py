"""`POST /v1/chat/completions` (reference: `openai.md` section 6, `frontends.md` R3 and R4)."""

from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from adapter.openai_api.wire.base64 import DataUrl
from adapter.openai_api.wire.media import RouteRequest


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`stream_options`."""

    include_usage: bool | None = None


class SchemaProperty(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the JSON that is wanted."""

    type: str | tuple[str, ...] | None = None


class JsonSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON schema, as far as side calls have them."""

    properties: dict[str, SchemaProperty] = {}


class NamedSchema(msgspec.Struct, frozen=True, kw_only=True):
    """`response_format.json_schema`."""

    schema: JsonSchema = JsonSchema()


class ResponseFormat(msgspec.Struct, frozen=True, kw_only=True):
    """`response_format`: `text`, `json_object` or `json_schema`."""

    type: str = "text"
    json_schema: NamedSchema | None = None


class ChatRequest(RouteRequest, frozen=True, kw_only=True):
    """What is read of a request; sampling parameters, tools and the like are tolerated and mean nothing here."""

    #: Of pictures; as in the Images API.
    KNOWN: ClassVar[frozenset[str]] = frozenset({"background", "style", "size_policy"})

    #: As they came: an odd turn may stand in a conversation for ever, so each is judged only where it is used.
    messages: tuple[object, ...] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    #: `["image", "text"]` asks for pictures beside the text instead of links in it.
    modalities: tuple[str, ...] | None = None
    #: Ours: how a video is shown.
    video_markup: str | None = None
    #: A `ResponseFormat` if it is read at all: what makes pictures tolerates any other.
    response_format: object = None

    @property
    def usage_wanted(self) -> bool:
        """Whether a stream shall end with the tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)


class ChatUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens. All are zero where they are not counted, as for videos."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    #: Ours, after OpenRouter: dollars by the price list.
    cost: float | UnsetType = UNSET
    #: Ours: of a Flow account.
    credits: float | UnsetType = UNSET


class AnswerImageUrl(msgspec.Struct, frozen=True, kw_only=True):
    """A data: URL, a JSON string as it goes out."""

    url: DataUrl


class AnswerImage(msgspec.Struct, frozen=True, kw_only=True):
    """A picture beside the text. Without a number of its own Python's helper joins or refuses them."""

    image_url: AnswerImageUrl
    index: int
    type: Literal["image_url"] = "image_url"


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer."""

    content: str
    images: tuple[AnswerImage, ...] | UnsetType = UNSET
    role: Literal["assistant"] = "assistant"
    refusal: None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The only choice of an answer."""

    message: AnswerMessage
    index: int = 0
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """The answer in one piece."""

    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    object: Literal["chat.completion"] = "chat.completion"
    usage: ChatUsage = ChatUsage()


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What a chunk adds. `reasoning_content` is the one channel that every front-end shows as progress."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    images: tuple[AnswerImage, ...] | UnsetType = UNSET


class ChunkChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The only choice of a chunk."""

    delta: Delta
    index: int = 0
    finish_reason: Literal["stop"] | None = None


class ChatChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a streamed answer; `id`, `created` and `model` stay the same in all of them."""

    id: str
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    #: Only where `stream_options.include_usage` asked: null in every chunk, numbers in a last one without choices.
    usage: ChatUsage | UnsetType | None = UNSET
