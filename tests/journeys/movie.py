"""A video file as a player sees it."""

from io import BytesIO

import av
import msgspec


class Movie(msgspec.Struct, frozen=True):
    """What decoding the whole file told."""

    codec: str
    size: tuple[int, int]
    seconds: float
    #: Whether its pictures differ.
    moves: bool


def read_movie(data: bytes) -> Movie:
    """Decode every frame."""
    with av.open(BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        frames = [bytes(frame.planes[0]) for frame in container.decode(stream)]
        return Movie(
            stream.codec_context.name,
            (stream.width, stream.height),
            len(frames) / float(stream.average_rate or 1),
            len(set(frames)) > len(frames) // 2,
        )
