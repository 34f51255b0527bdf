"""The tokens of a text, read from an answer that passes by. No byte of it changes. Pure.

An answer may come in OpenAI's form (`usage`) or in Google's (`usageMetadata`), and whole, as events, or as an array. In
a stream the last one counts: Google's are sums so far.
"""

import json
import re
from typing import Final

import msgspec

from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import UNREADABLE_JSON

#: More of one event is not kept: a text has a few hundred bytes in each.
MOST_OF_AN_EVENT: Final = 1024 * 1024
#: The end of a JSON array, which has the last usage in it.
END_BYTES: Final = 64 * 1024
_GOOGLES_USAGE: Final = re.compile(rb'"(?:usageMetadata|usage_metadata)"\s*:\s*(?=\{)')
_NAMES: Final = (b'"usage', b'"usageMetadata')


class TextTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as the provider counted them."""

    #: All input tokens, those of a cache included.
    input: int = 0
    #: Those of the input that came from a cache: they have another price.
    cached: int = 0
    #: All output tokens, thoughts included.
    output: int = 0


class _Cached(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct, frozen=True):
    """OpenAI's form. The total has the thoughts, also where `completion_tokens` has not."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: _Cached | None = None


class _UsageMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """Google's form (`gemini.md` section 1.4)."""

    prompt_token_count: int = 0
    tool_use_prompt_token_count: int = 0
    cached_content_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    total_token_count: int = 0


class _Answer(msgspec.Struct, frozen=True):
    usage: _Usage | None = None
    usage_metadata: _UsageMetadata | None = msgspec.field(default=None, name="usageMetadata")


_answer_decoder: Final = msgspec.json.Decoder(_Answer)
_first_value: Final = json.JSONDecoder().raw_decode


class TokenReader:
    """Reads the pieces of one answer, in their order."""

    def __init__(self, request: TextRequest) -> None:
        self._is_array = request.method is TextMethod.STREAM and not request.is_events
        self._is_stream = request.is_stream
        #: The beginning of an event, or the end of an array.
        self._kept = bytearray()
        self._found: TextTokens | None = None

    def read(self, piece: bytes) -> None:
        """Read the next piece."""
        if not self._is_stream:
            self._read_answer(piece)
        elif self._is_array:
            self._kept += piece
            del self._kept[:-END_BYTES]
        else:
            self._read_events(piece)

    @property
    def tokens(self) -> TextTokens | None:
        """What was counted, as far as it has come; None: nothing that can be read."""
        if not self._is_array:
            return self._found
        places = [each.end() for each in _GOOGLES_USAGE.finditer(self._kept)]
        return _at_place(bytes(self._kept[places[-1] :])) if places else None

    def _read_events(self, piece: bytes) -> None:
        *ended, rest = piece.split(b"\n")
        for line in ended:
            self._keep(line)
            self._read_line(bytes(self._kept))
            self._kept.clear()
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        if len(self._kept) + len(part) <= MOST_OF_AN_EVENT:
            self._kept += part

    def _read_line(self, line: bytes) -> None:
        if line.startswith(b"data:") and any(name in line for name in _NAMES):
            self._read_answer(line.removeprefix(b"data:").strip())

    def _read_answer(self, body: bytes) -> None:
        try:
            answer = _answer_decoder.decode(body)
        except UNREADABLE_JSON:
            return
        if answer.usage is not None:
            self._found = _of_usage(answer.usage)
        elif answer.usage_metadata is not None:
            self._found = _of_metadata(answer.usage_metadata)


def _at_place(text: bytes) -> TextTokens | None:
    """Read the object that a text begins with."""
    try:
        value, _ = _first_value(text.decode(errors="replace"))
        return _of_metadata(msgspec.convert(value, _UsageMetadata))
    except (ValueError, RecursionError):  # `msgspec.ValidationError` is a ValueError
        return None


def _of_usage(usage: _Usage) -> TextTokens:
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
    return TextTokens(
        input=usage.prompt_tokens,
        cached=min(cached or 0, usage.prompt_tokens),
        output=max(usage.completion_tokens, usage.total_tokens - usage.prompt_tokens),
    )


def _of_metadata(usage: _UsageMetadata) -> TextTokens:
    given = usage.prompt_token_count + usage.tool_use_prompt_token_count
    return TextTokens(
        input=given,
        cached=min(usage.cached_content_token_count, given),
        output=max(usage.candidates_token_count + usage.thoughts_token_count, usage.total_token_count - given),
    )
