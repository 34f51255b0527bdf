"""Words for a frame into our own: `1536x1024`, `16:9`, `2K`, `auto`."""

from collections.abc import Sequence

from adapter.domain.media import Pixels, Ratio, Resolution, Shape
from adapter.errors import InvalidRequest

FORMS = "'auto', WIDTHxHEIGHT with sides of 16 to 16384, a ratio such as '16:9', or '512', '1K', '2K', '4K'"

#: Seed 003 calls the smallest one "0.5K" and wants "512" to be sent.
RESOLUTIONS = {**{str(tier): tier for tier in Resolution}, "0.5K": Resolution.HALF}


def read_shape(size: str | None, aspect_ratio: str | None, by_name: Ratio | None) -> Shape:
    """Return the frame that a request asks for; an explicit wish is stronger than the model name's.

    Raises:
        InvalidRequest: a word that means nothing.
    """
    ratio = by_name if aspect_ratio is None else _ratio(aspect_ratio, "aspect_ratio")
    if size is None or size == "auto":
        return Shape(ratio=ratio)
    pixels = Pixels.parse(size)
    if pixels is not None:
        return Shape(pixels=pixels, ratio=None if aspect_ratio is None else ratio)
    if size.upper() in RESOLUTIONS:
        return Shape(ratio=ratio, resolution=RESOLUTIONS[size.upper()])
    named = _ratio(size, "size")
    if aspect_ratio is not None and named is not ratio:
        raise InvalidRequest(f"'size' asks for {named} and 'aspect_ratio' for {ratio}.", param="size")
    return Shape(ratio=named)


def with_image_size(shape: Shape, image_size: str | None) -> Shape:
    """Add Gemini's own word for the resolution to a frame.

    Raises:
        InvalidRequest: a word that means nothing, or something else than `size` says.
    """
    if image_size is None:
        return shape
    resolution = _resolution(image_size, "image_size")
    if shape.pixels is not None or shape.resolution not in {None, resolution}:
        raise InvalidRequest("'size' and 'image_size' both ask for a resolution; leave one out.", param="image_size")
    return Shape(ratio=shape.ratio, resolution=resolution)


def only_word(words: Sequence[str], param: str) -> str | None:
    """Return the word that a client says once, or several times over.

    Raises:
        InvalidRequest: it says different ones.
    """
    said = sorted(set(words))
    if len(said) > 1:
        raise InvalidRequest(f"The request asks for more than one '{param}': {', '.join(said)}.", param=param)
    return said[0] if said else None


def _ratio(text: str, param: str) -> Ratio:
    try:
        return Ratio(text)
    except ValueError:
        what, allowed = ("a size", FORMS) if param == "size" else ("an aspect ratio", ", ".join(Ratio))
        raise InvalidRequest(f"'{text}' is not {what}. Allowed: {allowed}.", param=param) from None


def _resolution(text: str, param: str) -> Resolution:
    found = RESOLUTIONS.get(text.upper())
    if found is None:
        raise InvalidRequest(f"'{text}' is not an image size. Allowed: {', '.join(Resolution)}.", param=param)
    return found
