"""Pictures into the format that was asked for. Models draw PNG or JPEG as they like (`gemini.md` section 1.4)."""

import asyncio
from collections.abc import Sequence
from io import BytesIO

from PIL import Image as Pillow

from adapter.domain.media import Image, MediaFormat, image_from_bytes
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import ImageProvider
from adapter.errors import UpstreamBroken

#: Conversions at once: each takes a core for 20 to 150 ms, and a picture's pixels in memory.
AT_ONCE = 2
#: Pillow's advice: above it a JPEG grows and does not look better.
BEST_JPEG = 95


class ConvertingProvider:
    """A maker of pictures whose pictures have the format of the order (the port `ImageProvider`).

    A picture that has it already is passed on untouched. The work is done in threads, off the event loop.
    """

    def __init__(self, provider: ImageProvider) -> None:
        self._provider = provider
        self._places = asyncio.Semaphore(AT_ONCE)

    async def make_images(self, order: ImageOrder) -> Sequence[Image]:
        """Return the pictures in the order's format (the port of that name)."""
        return [await self._converted(image, order) for image in await self._provider.make_images(order)]

    async def _converted(self, image: Image, order: ImageOrder) -> Image:
        if image.format is order.format:
            return image
        async with self._places:
            return await asyncio.to_thread(convert, image, order.format, order.compression)


def convert(image: Image, to: MediaFormat, compression: int) -> Image:
    """Encode a picture anew; `compression` is OpenAI's word for the quality of JPEG and WebP, 0 to 100.

    Raises:
        UpstreamBroken: the picture cannot be decoded.
    """
    written = BytesIO()
    try:
        with Pillow.open(BytesIO(image.decode()), formats=[image.format.name]) as picture:
            match to:
                case MediaFormat.JPEG:
                    quality = max(1, min(compression, BEST_JPEG))
                    on_white(picture).save(written, "JPEG", quality=quality)
                case MediaFormat.WEBP:
                    picture.save(written, "WEBP", quality=compression)
                case _:
                    picture.save(written, to.name)
    except (OSError, SyntaxError, ValueError) as error:
        raise UpstreamBroken("Google's picture cannot be decoded.") from error
    converted = image_from_bytes(written.getvalue())
    if converted is None:
        raise UpstreamBroken("Google's picture cannot be converted.")
    return converted


def on_white(picture: Pillow.Image) -> Pillow.Image:
    """Return a picture without transparency: a JPEG has none."""
    if picture.mode == "RGB":
        return picture
    opaque = Pillow.new("RGB", picture.size, "white")
    rgba = picture.convert("RGBA")
    opaque.paste(rgba, mask=rgba)
    return opaque
