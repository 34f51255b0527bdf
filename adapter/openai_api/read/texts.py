"""A chat request for a text model. It is passed on as it came, so as little as possible is read of it."""

import msgspec

from adapter.domain.catalogue import Catalogue
from adapter.domain.named_model import with_model
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import UNREADABLE_JSON
from adapter.openai_api.read.json_size import check_json_size


class _Peek(msgspec.Struct, frozen=True):
    """What decides about the way of a request."""

    model: str = ""
    stream: object = None


_decoder = msgspec.json.Decoder(_Peek)


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
        name=peek.model,
        prices=card.prices,
    )
