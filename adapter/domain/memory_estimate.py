"""How much memory work takes at its widest, in bytes. Estimates, on the safe side of what was measured."""

from collections.abc import Sequence

from adapter.domain.media import Image, Resolution, size_of
from adapter.domain.orders import ImageOrder, InlineSource, Source

#: A picture's file has one to three bytes a pixel; its base64 is held twice, as it came and as it goes out.
BYTES_A_PIXEL = 6
#: Of what came in, once as it came and once taken apart.
COPIES_OF_A_BODY = 2
#: Of a picture to work from, in each request that carries it on: base64 takes 4 bytes for 3.
COPIES_OF_AN_INPUT = 1.4
#: A picture that is still to be fetched; the most that is taken is far more.
LINKED_BYTES = 8 * 1024 * 1024
#: H.264 keeps up to 16 frames, of 1920x1080 3 MB each (ITU-T H.264 A.3.1); the rest is for the picture that is made.
DECODER_BYTES = 64 * 1024 * 1024


def of_order(order: ImageOrder) -> int:
    """Weigh the pictures that an order asks for and those that it works from."""
    edge = (order.frame.resolution or Resolution.ONE).edge
    drawn = max(edge * edge, order.exact.area if order.exact else 0)
    return order.n * (BYTES_A_PIXEL * drawn + of_sources(order.sources))


def of_drawn(area: int) -> int:
    """Weigh a picture of so many pixels that is handed out again."""
    return BYTES_A_PIXEL * area


def of_sources(sources: Sequence[Source]) -> int:
    """Weigh the pictures that something is made from."""
    return int(
        COPIES_OF_AN_INPUT * sum(len(one.data) if isinstance(one, InlineSource) else LINKED_BYTES for one in sources)
    )


def of_surplus(order: ImageOrder, inputs: Sequence[Image]) -> int:
    """Weigh what the pictures that were fetched are larger than expected: here, and in each call that carries them."""
    pairs = zip(order.sources, inputs, strict=True)
    brought = [size_of([image]) for source, image in pairs if not isinstance(source, InlineSource)]
    return (order.n + 1) * max(0, sum(brought) - len(brought) * LINKED_BYTES)


def of_body(size: int) -> int:
    """Weigh a request's body."""
    return COPIES_OF_A_BODY * size


def of_decoding(size: int) -> int:
    """Weigh a video's file that is taken apart: twice while it is put together, and the frames that refer to others."""
    return 2 * size + DECODER_BYTES
