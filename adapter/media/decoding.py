"""Opening a picture's file to decode it: nothing is decoded that is larger than it says."""

import importlib
from functools import cache
from io import BytesIO

from PIL import Image as Pillow
from PIL import features

from adapter.domain.av1 import check_pictures
from adapter.domain.media import MediaFormat

#: HEIC is HEIF to Pillow's plugins.
HEIC = frozenset({MediaFormat.HEIC, MediaFormat.HEIF})


def opened(data: bytes, kind: MediaFormat, most_pixels: int) -> Pillow.Image:
    """Return a picture to decode. Who calls has looked at the pixels that its file announces.

    Raises:
        OSError, ValueError: as `UNREADABLE_PICTURE`: it cannot be opened, or is larger inside than announced.
    """
    if kind is MediaFormat.AVIF:
        check_pictures(data, most_pixels)
        # Of a moving picture the still one is decoded, which was looked at: the major brand decides (libavif).
        data = b"".join((data[:8], b"avif", data[12:]))
    name = "HEIF" if kind in HEIC and _has_heif_plugin() else kind.name
    return Pillow.open(BytesIO(data), formats=[name])


def can_decode(kind: MediaFormat) -> bool:
    """Say whether the installed Pillow reads a format."""
    match kind:
        case MediaFormat.AVIF:
            return bool(features.check("avif"))
        case MediaFormat.HEIC | MediaFormat.HEIF:
            return _has_heif_plugin()
        case _:
            return True


@cache
def _has_heif_plugin() -> bool:
    """Take pillow-heif where an operator installed it beside us; it is no dependency of ours."""
    try:
        plugin = importlib.import_module("pillow_heif")
    except ImportError:
        return False
    plugin.register_heif_opener()
    return True
