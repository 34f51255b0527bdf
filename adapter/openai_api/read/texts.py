"""A chat request for a text model. It is passed on as it came, so as little as possible is read of it."""

import msgspec

from adapter.domain.catalogue import Catalogue
from adapter.domain.named_model import with_model
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import UNREADABLE_JSON
from adapter.openai_api.read.json_size import check_json_size


class _StreamOptions(msgspec.Struct, frozen=True):
    include_usage: object = None


class _Peek(msgspec.Struct, frozen=True):
    """What decides about the way of a request."""

    model: str = ""
    stream: object = None
    #: The provider judges what has another form.
    stream_options: msgspec.Raw = msgspec.Raw(b"null")


_decoder = msgspec.json.Decoder(_Peek)
_options_decoder = msgspec.json.Decoder(_StreamOptions)


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
        has_usage=_has_usage(peek),
        name=peek.model,
        prices=card.prices,
    )


def _has_usage(peek: _Peek) -> bool:
    """Return whether the answer tells its usage. What is no boolean may be a stream for the provider."""
    if peek.stream in (None, False):
        return True
    try:
        return peek.stream is True and _options_decoder.decode(peek.stream_options).include_usage is True
    except UNREADABLE_JSON:
        return False
