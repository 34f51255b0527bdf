"""Says whether a picture from an upstream is whole: all of its base64, and its file to the end marker. Pure.

What stands behind the end of a file is accepted: decoders do not look at it, and the picture is paid for.

A picture is passed on as it came. Its base64 is decoded for this check alone, part by part into memory that stays in
the cache. One wrong character would break the client's picture. In an answer of an upstream the same walk finds the
end of the base64 (`base64_end`): it stops in the part that has something else.

Sources: PNG specification 5.3 and 11.2.5 (IEND), ITU T.81 B.1 (segments, EOI), Google's WebP container document (RIFF
length), GIF89a section 27 (trailer), ISO/IEC 14496-12 section 4.2 (boxes).
"""

import re
from contextlib import suppress
from typing import Final

import pybase64

from adapter.domain import heif
from adapter.domain.media import Image, MediaFormat, image_from_bytes
from adapter.errors import UpstreamBroken

#: Base64 that is decoded at once, a multiple of 4. With the bytes that it gives it is less than a core's cache.
PART: Final = 128 * 1024
#: Base64 at the end that is decoded to find a marker, a multiple of 4.
END: Final = 256
PNG_END: Final = b"\0\0\0\0IEND\xaeB`\x82"
JPEG_END: Final = b"\xff\xd9"
GIF_END: Final = b";"
#: A marker within the data of a JPEG. A stuffed 0xFF, a restart and a fill byte are none (ITU T.81 B.1.1.2, B.1.1.5).
JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")


def is_whole(image: Image, *, is_base64: bool = False) -> bool:
    """Return whether a picture is whole. Only one with something odd at its end is decoded as one piece.

    `is_base64` says that its base64 was checked.
    """
    text = memoryview(image.base64)[1:-1]
    if not (is_base64 or _is_base64(text)):
        return False
    tail = pybase64.b64decode(text[-END:])
    match image.format:
        case MediaFormat.PNG:
            return tail.endswith(PNG_END) or _has_png_end(_decoded(image))
        case MediaFormat.JPEG:
            return tail.endswith(JPEG_END) or _has_jpeg_end(_decoded(image))
        case MediaFormat.WEBP:
            return int.from_bytes(pybase64.b64decode(text[:16])[4:8], "little") + 8 <= _length(text)
        case MediaFormat.GIF:
            return tail.rstrip(b"\0").endswith(GIF_END)
        case _:
            return _has_boxes(_decoded(image))


def whole_picture(data: bytes) -> Image | None:
    """Recognise a picture given as a file's bytes; None if it is not a picture that we serve, or not whole."""
    image = image_from_bytes(data)
    return image if image is not None and is_whole(image, is_base64=True) else None


def base64_end(json: bytes | bytearray, begin: int) -> int:
    """Return where the base64 ends that begins there, in a string of JSON: at the quote. -1: it is not base64.

    A search for the quote from the beginning would take a third as long as the check.
    """
    text = memoryview(json)[begin:]
    begin_of_last = begin + _whole_parts(text)
    end = json.find(b'"', begin_of_last, begin_of_last + PART + 1)
    return end if end >= 0 and _decodes(memoryview(json)[begin_of_last:end]) else -1


def _is_base64(text: memoryview) -> bool:
    """Say whether it is groups of four of the alphabet, and only the last one is padded."""
    last = text[_whole_parts(text) :]
    return len(last) <= PART and _decodes(last)


def _whole_parts(text: memoryview) -> int:
    """Return how much of it, in whole parts, is base64 without padding."""
    at = 0
    with suppress(ValueError):
        while len(pybase64.b64decode(text[at : at + PART], validate=True)) == PART // 4 * 3:
            at += PART
    return at


def _decodes(text: memoryview) -> bool:
    try:
        pybase64.b64decode(text, validate=True)
    except ValueError:
        return False
    return len(text) % 4 == 0


def _length(text: memoryview) -> int:
    """Return the bytes of base64."""
    return len(text) // 4 * 3 - bytes(text[-2:]).count(b"=")


def _decoded(image: Image) -> bytes:
    """Return the file; nothing, where that fails."""
    try:
        return image.decode()
    except UpstreamBroken:
        return b""


def _has_png_end(data: bytes) -> bool:
    """Follow the chunks to the last one."""
    at = 8
    while at + len(PNG_END) <= len(data):
        if data[at + 4 : at + 8] == b"IEND":
            return data.startswith(PNG_END, at)
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False


def _has_jpeg_end(data: bytes) -> bool:
    """Follow the segments to the end marker. A small picture within a segment has a marker of its own."""
    at = 2
    while found := JPEG_MARKER.search(data, at):
        kind, at = data[found.start() + 1], found.end()
        if kind == JPEG_END[1]:
            return True
        at += int.from_bytes(data[at : at + 2], "big")
    return False


def _has_boxes(data: bytes) -> bool:
    """Follow the boxes of a HEIF file. Bytes behind the last one are none of a picture that Google makes."""
    try:
        return len(list(heif.boxes(data, 0, len(data)))) > 1
    except heif.MalformedError:
        return False
