"""Requests that bring pictures along: edits and variations, as JSON or as a form."""

import msgspec

from adapter.domain.delivery import Delivery
from adapter.domain.orders import ImageOrder
from adapter.errors import InvalidRequest
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.images import image_order
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest

#: OpenAI's own default for edits (reference: `openai.md` section 4); variations have that of generations.
DEFAULT_EDITOR = "gpt-image-1.5"

#: A variation comes without words; these models want some.
VARIATION = (
    "Make a variation of this picture: the same subject, style and mood, in a composition of its own. "
    "Do not copy it, and add no text."
)


def as_edit(body: ImagesRequest) -> ImagesRequest:
    """Return an edit with what OpenAI assumes where it does not say."""
    media = msgspec.structs.replace(body.media, model=body.media.model or DEFAULT_EDITOR)
    return msgspec.structs.replace(body, media=media)


def as_variation(body: ImagesRequest) -> ImagesRequest:
    """Return a variation with what OpenAI assumes where it does not say: it is handed over by link, whatever the model.

    (Reference: `openai.md` section 4.) A stream has room for base64 only, and OpenAI's variations know none.
    """
    form = body.response_format or (None if body.stream else Delivery.LINK.value)
    media = msgspec.structs.replace(body.media, prompt=VARIATION)
    return msgspec.structs.replace(body, media=media, response_format=form)


def edit_order(request: MediaRequest, context: ReadContext) -> ImageOrder:
    """Return the order that an edit (as by `as_edit`) means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    if not request.pictures:
        raise InvalidRequest("'image' is required.", param="image", code="missing_required_parameter")
    return image_order(request, context)


def variation_order(request: MediaRequest, context: ReadContext) -> ImageOrder:
    """Return the order that a variation (as by `as_variation`) means.

    Raises:
        UnknownModel, InvalidRequest: as `edit_order`.
    """
    if len(request.pictures) > 1:
        raise InvalidRequest("A variation is made of one picture.", param=request.pictures[1].name)
    return edit_order(request, context)
