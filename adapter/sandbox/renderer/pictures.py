"""Pictures that come in: base64 in either alphabet, told by their first bytes, measured."""

import binascii
import io
import re
import struct

import pybase64
from PIL import Image

_HEIF_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heif"),
}
#: The box that says how large a picture of a HEIC file is: version and flags, width, height.
_ISPE = re.compile(rb"\0\0\0\x14ispe\0{4}(.{8})", re.DOTALL)


def decoded(data: str) -> bytes | None:
    """Return the bytes of standard or URL-safe base64, padded or not; None for anything else."""
    plain = data.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return pybase64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def sniffed(data: bytes) -> str:
    """Return the MIME type by the first bytes, among those that Google takes; empty for another kind."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return _HEIF_BRANDS.get(data[8:12], "")
    return ""


def measured(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels by the file's header; None when it cannot be read.

    Pillow reads no HEIC. Of its sizes the largest is the picture's; the others are its tiles' and its thumbnail's.
    """
    if sniffed(data) in _HEIF_BRANDS.values():
        told = [struct.unpack(">II", size) for size in _ISPE.findall(data)]
        if told:
            return max(told, key=lambda size: size[0] * size[1])
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except (OSError, Image.DecompressionBombError):
        return None
