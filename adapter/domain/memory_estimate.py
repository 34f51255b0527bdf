"""Estimates of the largest memory need of a piece of work, in bytes. They are higher than what was measured."""

from collections.abc import Sequence

from adapter.domain.media import Image, Resolution, size_of
from adapter.domain.orders import ImageOrder, InlineSource, Source

#: A picture's file has one to three bytes a pixel; its base64 is held twice, as it came and as it goes out.
BYTES_A_PIXEL = 6
#: A body is held twice: as it came and as it was parsed.
COPIES_OF_A_BODY = 2
#: An input picture, in each request that sends it on: base64 takes 4 bytes for 3.
COPIES_OF_AN_INPUT = 1.4
#: A picture that is not downloaded yet. The limit of a download is far higher.
LINKED_BYTES = 8 * 1024 * 1024
#: H.264 keeps up to 16 frames, of 1920x1080 3 MB each (ITU-T H.264 A.3.1); the rest is for the picture that is made.
DECODER_BYTES = 64 * 1024 * 1024
#: A picture that is encoded anew, a pixel: as it was decoded, as it is written, and its file. Four bytes each.
CONVERTED_BYTES_A_PIXEL = 12


def of_order(order: ImageOrder) -> int:
    """Estimate the pictures of an order and its input pictures."""
    return of_pictures(order) + order.n * of_sources(order.sources)


def of_pictures(order: ImageOrder) -> int:
    """Estimate the pictures of an order."""
    edge = (order.frame.resolution or Resolution.ONE).edge
    return order.n * of_drawn(max(edge * edge, order.exact.area if order.exact else 0))


def of_drawn(area: int) -> int:
    """Estimate a stored picture of so many pixels that is sent again."""
    return BYTES_A_PIXEL * area


def of_sources(sources: Sequence[Source]) -> int:
    """Estimate input pictures."""
    if not sources:
        return 0
    return int(
        COPIES_OF_AN_INPUT * sum(len(one.data) if isinstance(one, InlineSource) else LINKED_BYTES for one in sources)
    )


def of_surplus(order: ImageOrder, inputs: Sequence[Image]) -> int:
    """Estimate how much the input pictures exceed what was expected, here and in each call that sends them.

    A downloaded one may be larger than `LINKED_BYTES`, and a converted one larger than the file that came.
    """
    if not inputs:
        return 0
    return (order.n + 1) * max(0, size_of(inputs) - sum(map(_expected, order.sources)))


def _expected(source: Source) -> int:
    return int(COPIES_OF_AN_INPUT * len(source.data)) + 2 if isinstance(source, InlineSource) else LINKED_BYTES


def of_body(size: int) -> int:
    """Estimate a request's body."""
    return COPIES_OF_A_BODY * size


def of_conversion(area: int) -> int:
    """Estimate the conversion of a picture of so many pixels."""
    return CONVERTED_BYTES_A_PIXEL * area


def of_decoding(size: int) -> int:
    """Estimate the decoding of a video file: the file twice, and the frames that the decoder keeps."""
    return 2 * size + DECODER_BYTES
