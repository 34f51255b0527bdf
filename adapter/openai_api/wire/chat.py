"""`POST /v1/chat/completions` (reference: `openai.md` section 6, `frontends.md` R3 and R4)."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType


class ContentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a message; only its kind and its text are read."""

    type: str
    text: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One turn."""

    role: str
    content: str | tuple[ContentPart, ...] | None = None


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`stream_options`."""

    include_usage: bool | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a request; sampling parameters, tools and the like are tolerated and mean nothing here."""

    model: str | None = None
    messages: tuple[Message, ...] | None = None
    n: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    seed: int | None = None
    size: str | None = None
    aspect_ratio: str | None = None
    #: As OpenAI's Videos API has it: a number, or digits.
    seconds: str | int | float | None = None
    resolution: str | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens. A video is not counted in tokens, so all are zero."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer."""

    content: str
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
    usage: Usage = Usage()


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What a chunk adds. `reasoning_content` is the one channel that every front-end shows as progress."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET


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
    usage: Usage | UnsetType | None = UNSET
