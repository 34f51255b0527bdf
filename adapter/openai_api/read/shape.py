"""Words for a frame into our own: `1536x1024`, `16:9`, `2K`, `auto`."""

import re
from collections.abc import Mapping

from adapter.domain.media import Pixels, Ratio, Resolution, Shape
from adapter.errors import InvalidRequest
from adapter.openai_api.read.body import NO_NAMES
from adapter.openai_api.read.fields import whole_number, word_of, wrong_type
from adapter.openai_api.wire.media import MediaRequest

FORMS = "'auto', WIDTHxHEIGHT with sides of 16 to 16384, a ratio such as '16:9', or '512', '1K', '2K', '4K'"

#: Seed 003 calls the smallest one "0.5K" and wants "512" to be sent.
RESOLUTIONS = {**{str(tier): tier for tier in Resolution}, "0.5K": Resolution.HALF}

#: Words for ratios, Flow's among them (seed 002, `flow.md` section 1).
RATIO_WORDS: Mapping[str, Ratio] = {
    "landscape": Ratio.LANDSCAPE,
    "horizontal": Ratio.LANDSCAPE,
    "portrait": Ratio.PORTRAIT,
    "vertical": Ratio.PORTRAIT,
    "square": Ratio.SQUARE,
    "landscape_four_three": Ratio.R4_3,
    "portrait_three_four": Ratio.R3_4,
}
_FLOW = re.compile(r"(?:image|video)_aspect_ratio_(\w+)")
_DIGITS = re.compile(r"([0-9]{1,2})\s?[:x/]\s?([0-9]{1,2})")


def size_of(value: object, name: str) -> str | None:
    """Return what a field says of the size, an object of pixels too; None for `auto`.

    Raises:
        InvalidRequest: it is no text.
    """
    if isinstance(value, dict) and value.keys() >= {"width", "height"}:
        width, height = (whole_number(value[side], f"{name}.{side}") for side in ("width", "height"))
        return f"{width}x{height}"
    return None if value == "auto" else word_of(value, name)


def ratio_of(value: object, name: str) -> str | None:
    """Return what a field says of the ratio, in our own spelling if it is known; None for `auto`.

    Raises:
        InvalidRequest: it is no text.
    """
    word = word_of(value, name)
    plain = word.strip().lower()
    if plain in {"auto", "default"}:
        return None
    found = _FLOW.fullmatch(plain)
    plain = found[1] if found else plain
    digits = _DIGITS.fullmatch(plain)
    return RATIO_WORDS.get(plain) or (f"{digits[1]}:{digits[2]}" if digits else word)


def resolution_of(value: object, name: str) -> str | None:
    """Return what a field says of the resolution; None for `auto`.

    Raises:
        InvalidRequest: it is neither text nor a number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    if not isinstance(value, str):
        raise wrong_type(value, name, "text")
    return None if value.lower() in {"auto", "default"} else value


def frame_of(request: MediaRequest, by_name: Ratio | None) -> Shape:
    """Return the frame of pictures that a request asks for in all its fields.

    Raises:
        InvalidRequest: a word that means nothing, or two that contradict each other.
    """
    shape = read_shape(request.size, request.aspect_ratio, by_name, request.names)
    if request.resolution is None:
        return shape
    name = request.called("resolution")
    resolution = _resolution(request.resolution, name)
    if shape.pixels is not None or shape.resolution not in {None, resolution}:
        raise InvalidRequest(
            f"'{request.called('size')}' and '{name}' both ask for a resolution; leave one out.", param=name
        )
    return Shape(ratio=shape.ratio, resolution=resolution)


def read_shape(
    size: str | None, aspect_ratio: str | None, by_name: Ratio | None, names: Mapping[str, str] = NO_NAMES
) -> Shape:
    """Return the frame that a request asks for; an explicit wish is stronger than the model name's.

    `names` says what the client calls the two fields.

    Raises:
        InvalidRequest: a word that means nothing.
    """
    called, other = names.get("size", "size"), names.get("aspect_ratio", "aspect_ratio")
    ratio = by_name if aspect_ratio is None else _ratio(aspect_ratio, other, f"an aspect ratio. Allowed: {RATIOS}")
    if size is None or size == "auto":
        return Shape(ratio=ratio)
    pixels = Pixels.parse(size)
    if pixels is not None:
        return Shape(pixels=pixels, ratio=None if aspect_ratio is None else ratio)
    if size.upper() in RESOLUTIONS:
        return Shape(ratio=ratio, resolution=RESOLUTIONS[size.upper()])
    named = _ratio(size, called, f"a size. Allowed: {FORMS}")
    if aspect_ratio is not None and named is not ratio:
        raise InvalidRequest(f"'{called}' asks for {named} and '{other}' for {ratio}.", param=called)
    return Shape(ratio=named)


def origin_of(request: MediaRequest, param: str | None) -> str | None:
    """Return the client's name of the field that made what the catalogue refuses: a ratio, a resolution, or a size."""
    match param:
        case "aspect_ratio" if request.aspect_ratio is None:
            return request.called("size" if request.size is not None else "model")
        case "resolution" if request.resolution is None:
            return request.called("size")
        case None:
            return None
        case _:
            return request.called(param)


RATIOS = ", ".join(Ratio)


def _ratio(text: str, param: str, otherwise: str) -> Ratio:
    try:
        return Ratio(text)
    except ValueError:
        raise InvalidRequest(f"'{text}' is not {otherwise}.", param=param) from None


def _resolution(text: str, param: str) -> Resolution:
    found = RESOLUTIONS.get(text.upper())
    if found is None:
        raise InvalidRequest(f"'{text}' is not an image size. Allowed: {', '.join(Resolution)}.", param=param)
    return found
