"""Decodes the `Content-Encoding` of a downloaded file. Pure."""

import zlib
from typing import Final

from adapter.network.links import refusal

#: What storage programs write although nothing was packed: a character set, S3's way of uploading, and plain words.
NOT_PACKED: Final = frozenset({"", "identity", "none", "binary", "utf-8", "utf8", "aws-chunked", "8bit", "7bit"})
#: What is unpacked although it was not asked for, by the window of zlib: gzip, and deflate with zlib's head or without.
GZIP: Final = (16 + zlib.MAX_WBITS,)
WINDOWS: Final = {
    "gzip": GZIP,
    "x-gzip": GZIP,
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}
#: The most encodings of one file. Real servers use one.
MOST_LAYERS: Final = 2


def layers(header: bytes) -> list[str]:
    """Return how a file was packed, the last layer first (RFC 9110 section 8.4); nothing if it was not.

    Raises:
        ValueError: in a way that is not unpacked here; the message is its name.
    """
    words = [word.strip().lower() for word in header.decode("latin-1").split(",")]
    packed = [word for word in words if word not in NOT_PACKED]
    for word in packed:
        if word not in WINDOWS:
            raise ValueError(word if word.isascii() and word.isprintable() else "unknown")
    if len(packed) > MOST_LAYERS:
        raise ValueError(", ".join(packed[: MOST_LAYERS + 1]))
    return packed[::-1]


def unpacked(data: bytes, packed: list[str], host: str, limit: int) -> bytes:
    """Return a file without its layers, if it is whole and has no more than `limit` bytes at any time.

    Raises:
        InvalidRequest: it is longer, or cannot be unpacked.
    """
    for word in packed:
        for window in WINDOWS[word]:
            found = _inflated(data, window, limit)
            if found is not None:
                break
        else:
            raise refusal(f"'{host}' sent the file compressed with {word}, and it is broken.")
        if len(found) > limit:
            raise refusal(f"'{host}' sent the file compressed, and it is longer than {limit} bytes.")
        data = found
    return data


def _inflated(data: bytes, window: int, limit: int) -> bytes | None:
    """Return the first `limit` bytes and one more, or all; None if it is not of that kind, or cut.

    A gzip file may have several members, one behind the other (RFC 1952 section 2.2).
    """
    found = bytearray()
    while True:
        stream = zlib.decompressobj(window)
        try:
            found += stream.decompress(data, limit + 1 - len(found))
        except zlib.error:
            return None
        if len(found) > limit:
            return bytes(found)
        if not stream.eof:
            return None
        data = stream.unused_data
        if not data or window not in GZIP:
            return bytes(found)
