"""Converts pictures to the ordered format and size. A model chooses PNG or JPEG by itself (`gemini.md` section 1.4)."""

from io import BytesIO

import msgspec
from PIL import Image as Pillow
from PIL import ImageOps

from adapter.domain.media import MOST_ENCODED_PIXELS, UNREADABLE_PICTURE, Image, MediaFormat, image_from_bytes
from adapter.domain.orders import ImageOrder
from adapter.errors import UpstreamBroken
from adapter.media.decoding import opened

#: Pillow's advice: above it a JPEG grows and does not look better.
BEST_JPEG = 95


def convert(image: Image, order: ImageOrder) -> Image:
    """Encode a picture in the format and size of an order.

    Raises:
        UpstreamBroken: the picture cannot be decoded.
    """
    if image.pixels.area > MOST_ENCODED_PIXELS:
        raise UpstreamBroken("Google's picture is too large to be converted.")
    written = BytesIO()
    try:
        with opened(image.decode(), image.format, MOST_ENCODED_PIXELS) as picture:
            _save(_sized(picture, order), written, order)
    except UNREADABLE_PICTURE as error:
        raise UpstreamBroken("Google's picture cannot be decoded.") from error
    converted = image_from_bytes(written.getvalue())
    if converted is None:
        raise UpstreamBroken("Google's picture cannot be converted.")
    return msgspec.structs.replace(
        converted, usage=image.usage, text=image.text, cost=image.cost, grounding=image.grounding
    )


def _sized(picture: Pillow.Image, order: ImageOrder) -> Pillow.Image:
    """Crop to the middle and scale, if an exact size was ordered."""
    if order.exact is None:
        return picture
    return ImageOps.fit(picture, (order.exact.width, order.exact.height), Pillow.Resampling.LANCZOS)


def _save(picture: Pillow.Image, written: BytesIO, order: ImageOrder) -> None:
    """Write a picture; `compression` is OpenAI's word for the quality of JPEG and WebP, 0 to 100."""
    match order.format:
        case MediaFormat.JPEG:
            on_white(picture).save(written, "JPEG", quality=max(1, min(order.compression, BEST_JPEG)))
        case MediaFormat.WEBP:
            picture.save(written, "WEBP", quality=order.compression)
        case _:
            picture.save(written, order.format.name)


def on_white(picture: Pillow.Image) -> Pillow.Image:
    """Return a picture without transparency: a JPEG has none."""
    if picture.mode == "RGB":
        return picture
    opaque = Pillow.new("RGB", picture.size, "white")
    rgba = picture.convert("RGBA")
    opaque.paste(rgba, mask=rgba)
    return opaque
