"""Requests that bring pictures along: edits and variations, as JSON or as a form."""

import re
from collections.abc import Sequence

import msgspec

from adapter.domain.delivery import Delivery
from adapter.domain.orders import ImageOrder, Source
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of
from adapter.openai_api.read.form import Part, read_fields
from adapter.openai_api.read.images import image_order
from adapter.openai_api.read.pictures import read_part, read_ref
from adapter.openai_api.read.terms import Terms
from adapter.openai_api.wire.images import EditsRequest

#: OpenAI's own default for edits (reference: `openai.md` section 4); variations have that of generations.
DEFAULT_EDITOR = "gpt-image-1.5"

#: A variation comes without words; these models want some.
VARIATION = (
    "Make a variation of this picture: the same subject, style and mood, in a composition of its own. "
    "Do not copy it, and add no text."
)

#: Pictures that lie over the first one.
OVERLAYS = ("mask", "markup")

#: `image`, `image[]`, `image[0]`, `images[]`: what clients call the files of a form.
_PICTURE = re.compile(r"images?(\[\d*\])?")


def read_edits_form(parts: Sequence[Part], public_url: str) -> tuple[EditsRequest, tuple[Source, ...]]:
    """Return a form's fields and its pictures: those of its parts in their order, then those of `image[image_url]`.

    Raises:
        InvalidRequest: a field of the wrong type, or one that cannot be a picture.
    """
    pictures = [part for part in parts if _PICTURE.fullmatch(part.name)]
    fields = [part for part in parts if not _PICTURE.fullmatch(part.name)]
    body = read_fields(map(_named_only, fields), EditsRequest)
    return body, (*(read_part(part.data, public_url, part.name) for part in pictures), *refs(body, public_url))


def _named_only(part: Part) -> Part:
    """Leave of a file that is refused anyway only that it was there."""
    return Part(part.name, b"a file") if part.name in OVERLAYS else part


def refs(body: EditsRequest, public_url: str) -> tuple[Source, ...]:
    """Return the pictures that a JSON request names: OpenAI's `images`, or `image` as gateways write it.

    Raises:
        InvalidRequest: one of them cannot be a picture.
    """
    one_or_more = body.images if body.images is not None else body.image
    if one_or_more is None:
        return ()
    name = "images" if body.images is not None else "image"
    if not isinstance(one_or_more, tuple):
        return (read_ref(one_or_more, public_url, name),)
    return tuple(read_ref(ref, public_url, f"{name}[{at}]") for at, ref in enumerate(one_or_more))


def as_edit(body: EditsRequest) -> EditsRequest:
    """Return an edit with what OpenAI assumes where it does not say."""
    return msgspec.structs.replace(body, model=body.model or DEFAULT_EDITOR)


def as_variation(body: EditsRequest) -> EditsRequest:
    """Return a variation with what OpenAI assumes where it does not say: it is handed over by link, whatever the model.

    (Reference: `openai.md` section 4.) A stream has room for base64 only, and OpenAI's variations know none.
    """
    form = body.response_format or (None if body.stream else Delivery.LINK.value)
    return msgspec.structs.replace(body, prompt=VARIATION, response_format=form)


def edit_order(body: EditsRequest, sources: tuple[Source, ...], terms: Terms) -> ImageOrder:
    """Return the order that an edit (as by `as_edit`) means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    _check_pictures(body, sources)
    # `high`, the most, is how these models look at their inputs anyway.
    one_of(body.input_fidelity or "low", ["low", "high"], "input_fidelity")
    return image_order(body, terms, sources)


def variation_order(body: EditsRequest, sources: tuple[Source, ...], terms: Terms) -> ImageOrder:
    """Return the order that a variation (as by `as_variation`) means.

    Raises:
        UnknownModel, InvalidRequest: as `edit_order`.
    """
    _check_pictures(body, sources)
    if len(sources) > 1:
        raise InvalidRequest("A variation is made of one picture.", param="image")
    return image_order(body, terms, sources)


def _check_pictures(body: EditsRequest, sources: tuple[Source, ...]) -> None:
    for name in OVERLAYS:
        if getattr(body, name) is not None:
            raise InvalidRequest(
                f"These models do not take a '{name}': say in the prompt what shall change and what shall stay.",
                param=name,
            )
    if not sources:
        raise InvalidRequest("'image' is required.", param="image", code="missing_required_parameter")
