"""Large JSON in pieces: what is around the pictures, and the pictures themselves, not copied. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from adapter.domain.media import Image

#: Takes the place of a picture while the rest is encoded: a byte that never occurs in JSON.
PLACE: Final = msgspec.Raw(b"\0")


def filled(frame: bytes, images: Iterable[Image]) -> Sequence[bytes | memoryview]:
    """Return the pieces of encoded JSON in which each `PLACE` is a picture's base64, in the order of the pictures."""
    before, *after = frame.split(bytes(PLACE))
    pairs = zip((memoryview(image.base64) for image in images), after, strict=True)
    return [before, *(piece for pair in pairs for piece in pair)]
