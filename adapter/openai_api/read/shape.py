"""Words for a frame into our own: `1536x1024`, `16:9`, `2K`, `auto`."""

from adapter.domain.media import Pixels, Ratio, Resolution, Shape
from adapter.errors import InvalidRequest

FORMS = "'auto', WIDTHxHEIGHT with sides of 16 to 16384, a ratio such as '16:9', or '512', '1K', '2K', '4K'"


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
    if size.upper() in list(Resolution):
        return Shape(ratio=ratio, resolution=Resolution(size.upper()))
    named = _ratio(size, "size")
    if aspect_ratio is not None and named is not ratio:
        raise InvalidRequest(f"'size' asks for {named} and 'aspect_ratio' for {ratio}.", param="size")
    return Shape(ratio=named)


def _ratio(text: str, param: str) -> Ratio:
    try:
        return Ratio(text)
    except ValueError:
        allowed = FORMS if param == "size" else ", ".join(Ratio)
        raise InvalidRequest(f"'{text}' is not a {param.replace('_', ' ')}. Allowed: {allowed}.", param=param) from None
