"""Real pictures: a background coloured by hash(prompt, seed), the prompt on it, the input pictures as thumbnails."""

import hashlib
import io

import msgspec
from PIL import Image, ImageChops, ImageDraw, ImageOps

from adapter.sandbox.renderer.lettering import letter

Colour = tuple[int, int, int]


class PictureOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides a picture; equal orders give equal bytes."""

    prompt: str
    seed: int
    width: int
    height: int
    caption: str = ""
    #: Files of the pictures that it is made from.
    inputs: tuple[bytes, ...] = ()


def draw_png(order: PictureOrder) -> bytes:
    """Return the picture as a PNG file. Takes tens of milliseconds: call it in a thread."""
    return as_file(canvas(order), "PNG")


def canvas(order: PictureOrder) -> Image.Image:
    """Return the picture itself, RGB."""
    picture = background(order)
    _thumbnails(picture, order.inputs)
    panel(picture, order)
    return picture


def background(order: PictureOrder) -> Image.Image:
    """Draw two diagonal gradients between three colours of the hash, and three discs."""
    seed = hashlib.sha256(f"{order.seed}\n{order.prompt}".encode()).digest()
    size = (order.width, order.height)
    ramp = Image.linear_gradient("L")
    slope = ImageChops.add(ramp, ramp.rotate(90), scale=2).rotate(90 * (seed[0] % 4)).resize(size)
    picture = ImageOps.colorize(slope, black=_colour(seed, 1), mid=_colour(seed, 4), white=_colour(seed, 7))
    pen = ImageDraw.Draw(picture)
    for disc in range(3):
        middle = (seed[10 + disc] / 255 * order.width, seed[13 + disc] / 255 * order.height)
        pen.circle(middle, min(size) * (0.1 + seed[16 + disc] / 1000), fill=_colour(seed, 19 + 3 * disc))
    return picture


def panel(picture: Image.Image, order: PictureOrder) -> None:
    """Darken the lower part and write the prompt and a line about the order on it."""
    pad = max(4, min(picture.size) // 30)
    top = picture.height * 11 // 20
    area = (pad, top, picture.width - pad, picture.height - pad)
    picture.paste(picture.crop(area).point(lambda value: value // 3), area)
    foot = max(10, pad)
    letter(picture, order.prompt, (area[0] + pad, area[1] + pad, area[2] - pad, area[3] - pad - foot))
    letter(picture, order.caption, (area[0] + pad, area[3] - pad // 2 - foot, area[2] - pad, area[3]))


def as_file(picture: Image.Image, kind: str) -> bytes:
    """Return the picture as a PNG (fast compression) or JPEG file."""
    file = io.BytesIO()
    picture.save(file, kind, compress_level=1)
    return file.getvalue()


def opened(data: bytes) -> Image.Image | None:
    """Return an input picture, upright and RGB; None for one that Pillow cannot read (HEIC, or cut short)."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError):  # Pillow's words for a broken file
        return None


def _colour(seed: bytes, at: int) -> Colour:
    return seed[at], seed[at + 1], seed[at + 2]


def _thumbnails(picture: Image.Image, inputs: tuple[bytes, ...]) -> None:
    """Put the inputs in a row at the top, so that one sees what an edit was made from."""
    if not inputs:
        return
    pad = max(2, min(picture.size) // 40)
    side = min((picture.width - pad) // len(inputs) - pad, picture.height // 3)
    for at, data in enumerate(inputs):
        small = opened(data)
        if small is not None and side > 0:
            small.thumbnail((side, side))
            picture.paste(ImageOps.expand(small, 1, "white"), (pad + at * (side + pad), pad))
