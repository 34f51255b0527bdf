"""Real videos: H.264 in MP4, 24 frames a second, the index before the data, a disc that crosses the picture."""

import io
import math
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import msgspec
from PIL import Image, ImageDraw, ImageOps

from adapter.sandbox.memory.records import MediumUsage
from adapter.sandbox.renderer.drawing import PictureOrder, as_file, canvas, opened, panel

FPS: Final = 24


class ClipOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides a clip; equal orders give equal bytes."""

    prompt: str
    seed: int
    width: int
    height: int
    seconds: float
    caption: str = ""
    inputs: tuple[bytes, ...] = ()
    #: What the inputs are: the first frame, the first and the last, or references.
    usage: MediumUsage = ""


def encode_mp4(order: ClipOrder) -> bytes:
    """Return the clip as a file. Takes up to a second or two for 8 s of 1280x720: call it in a thread."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"  # a file, because faststart moves the index by reading it again
        with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = order.width, order.height, "yuv420p"
            stream.time_base = Fraction(1, FPS)
            # one thread: the bytes are the same on every machine with this encoder
            stream.options = {"preset": "ultrafast", "crf": "28", "threads": "1"}
            scene = Scene(order)
            for number in range(scene.frames):
                container.mux(stream.encode(scene.raw(number)))
            container.mux(stream.encode(None))
        return path.read_bytes()


def length_of(data: bytes) -> float:
    """Return the length of an MP4 in seconds; 0.0 for what is none."""
    try:
        with av.open(io.BytesIO(data), "r", format="mp4") as container:
            return (container.duration or 0) / av.time_base
    except av.FFmpegError:
        return 0.0


def poster_jpeg(order: ClipOrder) -> bytes:
    """Return the first frame as a JPEG file, the thumbnail of seed 002 (`servingBaseUri`)."""
    return as_file(Scene(order).frame(0), "JPEG")


class Scene:
    """The frames of a clip: one background, drawn once, and a disc on its way."""

    def __init__(self, order: ClipOrder) -> None:
        self.frames = max(2, round(order.seconds * FPS))
        self._size = (order.width, order.height)
        self._first, self._last = _backgrounds(order)
        side = max(8, min(self._size) // 5) & ~1
        self._disc = Image.new("RGB", (side, side), (255, 214, 64))
        self._mask = Image.new("L", (side, side), 0)
        ImageDraw.Draw(self._mask).ellipse((0, 0, side - 1, side - 1), fill=255)

    def raw(self, number: int) -> av.VideoFrame:
        """Return frame `number` for the encoder."""
        raw: av.VideoFrame = av.VideoFrame.from_image(self.frame(number))  # type: ignore[no-untyped-call]
        return raw

    def frame(self, number: int) -> Image.Image:
        """Return frame `number`, counted from 0."""
        way = number / (self.frames - 1)
        picture = self._first.copy() if self._last is None else Image.blend(self._first, self._last, way)
        room = (self._size[0] - self._disc.width, self._size[1] - self._disc.height)
        swing = 0.25 + 0.2 * math.sin(way * 4 * math.pi)
        picture.paste(self._disc, (round(room[0] * way), round(room[1] * swing)), self._mask)
        return picture


def _backgrounds(order: ClipOrder) -> tuple[Image.Image, Image.Image | None]:
    """Return the first and, if there is one, the last background."""
    references = order.usage == "reference"
    plan = PictureOrder(
        prompt=order.prompt,
        seed=order.seed,
        width=order.width,
        height=order.height,
        caption=order.caption,
        inputs=order.inputs if references else (),
    )
    given = [] if references else [opened(data) for data in order.inputs]
    covers = [ImageOps.fit(picture, (order.width, order.height)) for picture in given if picture is not None]
    for cover in covers:
        panel(cover, plan)
    if not covers:
        return canvas(plan), None
    return covers[0], covers[1] if len(covers) > 1 else None
