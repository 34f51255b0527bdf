"""A chat request for a text model. It is passed on as it came, so as little as possible is read of it."""

import re
from collections.abc import Iterator

import msgspec

from adapter.domain.catalogue import Catalogue
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import UNREADABLE_JSON
from adapter.openai_api.read.json_size import check_json_size


class _Peek(msgspec.Struct, frozen=True):
    """What decides about the way of a request."""

    model: str = ""
    stream: object = None


_decoder = msgspec.json.Decoder(_Peek)
#: A text, or a bracket of an object or a list.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL)
_COLON = re.compile(rb"\s*:\s*")
_STEPS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_MODEL = "model"


def text_request(body: bytes, catalogue: Catalogue) -> TextRequest | None:
    """Return the request for a text that a body is; None for another model, and for what cannot be read.

    The body stays as it is, but for another name of the model: a public one becomes the provider's.

    Raises:
        RequestTooLarge, InvalidRequest: it has too many values, or is nested too deeply.
    """
    if not catalogue.has_texts:
        return None
    check_json_size(body)
    try:
        peek = _decoder.decode(body)
    except UNREADABLE_JSON:
        return None
    card = catalogue.find_text(peek.model)
    if card is None:
        return None
    return TextRequest(
        provider=card.provider,
        model=card.upstream,
        method=TextMethod.CHAT,
        body=body if peek.model == card.upstream else with_model(body, card.upstream),
        is_stream=peek.stream is True,
    )


def with_model(body: bytes, model: str) -> bytes:
    """Return an object of JSON with another value of its member `model`. All other bytes stay as they are."""
    left, at = list[bytes](), 0
    for begin, end in _models(body):
        left += (body[at:begin], msgspec.json.encode(model))
        at = end
    return b"".join((*left, body[at:]))


def _models(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each value of a member `model` begins and ends. If there are several, a parser takes the last."""
    depth, at = 0, 0
    while found := _TOKEN.search(body, at):
        at = found.end()
        if step := _STEPS.get(found[0]):
            depth += step
        elif depth == 1 and (colon := _COLON.match(body, at)):
            # The name of a member, as a value is no text with a colon behind it.
            value = _TOKEN.match(body, colon.end())
            if value and value[0].startswith(b'"'):
                at = value.end()
                if _is_model(found[0]):
                    yield value.span()


def _is_model(name: bytes) -> bool:
    return name == b'"model"' or (b"\\" in name and msgspec.json.decode(name) == _MODEL)
