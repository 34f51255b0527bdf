"""What is read of video files: their thumbnail, their spritesheet, their size and length.

A player shows frames of the sheet while a user seeks.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Final, TypeVar

from PIL import Image as Pillow

from adapter.domain import memory_estimate
from adapter.domain.job import StoredVideo
from adapter.domain.media import MOST_ENCODED_PIXELS, UNREADABLE_PICTURE, Clip, Pixels, probe
from adapter.domain.pieces import read_whole
from adapter.domain.ports import Budget, MediaStore
from adapter.errors import InvalidRequest, UpstreamBroken
from adapter.media.convert import on_white
from adapter.media.decoding import opened as open_picture

if TYPE_CHECKING:
    import av

#: Videos that are decoded at once. Each takes a core for half a second.
AT_ONCE: Final = 2
#: The longer side of a thumbnail, and of one cell of a sheet, in pixels.
THUMBNAIL_SIDE: Final = 640
CELL_SIDE: Final = 320
#: A sheet has so many cells each way. Cell i, counted from 0 row by row, shows the video after i/25 of its length.
COLUMNS: Final = 5
ROWS: Final = 5
QUALITY: Final = 80
#: The most frames of a video that is decoded. So many take half a minute of a core.
MOST_FRAMES: Final = 10_000
#: The unit of a file's length: so many are a second (`AV_TIME_BASE`).
TICKS: Final = 1_000_000

_T = TypeVar("_T")


class FrameThumbnailer:
    """Makes thumbnails and spritesheets (the port `Thumbnailer`), in threads and within the memory budget."""

    def __init__(self, media: MediaStore, budget: Budget) -> None:
        self._media = media
        self._budget = budget
        self._places = asyncio.Semaphore(AT_ONCE)

    async def thumbnail(self, media: StoredVideo) -> bytes | None:
        """Return a small WebP (the port of that name)."""
        small = None if media.poster is None else await self._apart(media.poster, poster_webp)
        return small or await self._apart(media.video, first_frame_webp)

    async def spritesheet(self, media: StoredVideo) -> bytes | None:
        """Return a sheet of frames (the port of that name)."""
        return await self._apart(media.video, sheet_jpeg)

    async def _apart(self, name: str, work: Callable[[bytes], _T]) -> _T | None:
        """Decode a file in a thread; None if there is no such file."""
        found = await self._media.find(name)
        if found is None:
            return None
        async with self._budget.reserve(memory_estimate.of_decoding(found.size)), self._places:
            return await asyncio.to_thread(work, await read_whole(self._media, found))


class FileMeasurer:
    """Measures videos that clients send (the port `ClipMeasurer`), in threads."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def measure(self, data: bytes) -> Clip:
        """Return the size and the length of a video (the port of that name)."""
        async with self._places:
            return await asyncio.to_thread(clip_of, data)


def clip_of(data: bytes) -> Clip:
    """Return what is known of a video file.

    Raises:
        InvalidRequest: it is no MP4, or has no picture or no length.
    """
    try:
        with opened(data) as container:
            stream, length = container.streams.video[0], container.duration
            if not length or length < 0:
                raise _unusable()
            return Clip(Pixels(stream.width, stream.height), length / TICKS)
    except UpstreamBroken as error:
        raise _unusable() from error


def _unusable() -> InvalidRequest:
    return InvalidRequest("This is not a video that can be read. Send an MP4.", param="video", code="invalid_video")


def poster_webp(data: bytes) -> bytes | None:
    """Return a poster made small; None if it cannot be used."""
    found = probe(data)
    if found is None or found[1].area > MOST_ENCODED_PIXELS:
        return None
    try:
        with open_picture(data, found[0], MOST_ENCODED_PIXELS) as picture:
            return _webp(on_white(picture))
    except UNREADABLE_PICTURE:
        return None


def first_frame_webp(data: bytes) -> bytes:
    """Return a video's first frame made small.

    Raises:
        UpstreamBroken: it cannot be decoded.
    """
    with opened(data) as container:
        return _webp(_small(next(container.decode(video=0)), THUMBNAIL_SIDE))


def sheet_jpeg(data: bytes) -> bytes:
    """Return a grid of frames at equal distances.

    Raises:
        UpstreamBroken: it cannot be decoded to its end.
    """
    shown = evenly(frame_times(data), COLUMNS * ROWS)
    found = frames_at(data, {*shown})
    width, height = next(iter(found.values())).size
    sheet = Pillow.new("RGB", (COLUMNS * width, ROWS * height))
    for at, time in enumerate(shown):
        sheet.paste(found[time], (at % COLUMNS * width, at // COLUMNS * height))
    return _written(sheet, "JPEG")


def frame_times(data: bytes) -> list[int]:
    """Return when each frame is shown, in the file's own units and in order. Nothing is decoded for it."""
    with opened(data) as container:
        stream = container.streams.video[0]
        times = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        if not 0 < len(times) <= MOST_FRAMES or len(times) < stream.frames:
            raise _unreadable()
        return times


def evenly(times: list[int], count: int) -> list[int]:
    """Return the times of the frames that are seen when 0, 1, 2 … of `count` equal parts are over."""
    first, length = times[0], times[-1] - times[0]
    return [times[bisect_right(times, first + length * part // count) - 1] for part in range(count)]


def frames_at(data: bytes, times: Collection[int]) -> dict[int, Pillow.Image]:
    """Return the frames that are shown at these times, each the size of a cell."""
    with opened(data) as container:
        frames = (frame for frame in container.decode(video=0) if frame.pts in times)
        found = {frame.pts: _small(frame, CELL_SIDE) for frame in frames if frame.pts is not None}
    if len(found) < len(times):
        raise _unreadable()
    return found


@contextmanager
def opened(data: bytes) -> Iterator["av.container.InputContainer"]:
    """Open a video in memory. As MP4 and nothing else: other formats of this library lead to other files.

    Raises:
        UpstreamBroken: it is none, or what is read of it is broken.
    """
    import av  # noqa: PLC0415 - 18 MB that only thumbnails need; this runs in a thread

    try:
        with av.open(BytesIO(data), "r", format="mp4", metadata_errors="replace") as container:
            if not container.streams.video:
                raise _unreadable()
            stream = container.streams.video[0]
            # An unknown codec has no decoder, although PyAV's types say otherwise.
            if not hasattr(stream, "width") or not 0 < stream.width * stream.height <= MOST_ENCODED_PIXELS:
                raise _unreadable()
            # One thread: more threads keep more frames in RAM and slow down other requests.
            stream.codec_context.thread_count = 1
            yield container
    except (av.FFmpegError, StopIteration) as error:
        raise _unreadable() from error


def _unreadable() -> UpstreamBroken:
    return UpstreamBroken("The video cannot be decoded, so there are no pictures of it.", code="video_unreadable")


def _small(frame: "av.VideoFrame", side: int) -> Pillow.Image:
    width, height = scaled(frame.width, frame.height, side)
    picture: Pillow.Image = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]  # PyAV's own
    return picture


def scaled(width: int, height: int, side: int) -> tuple[int, int]:
    """Return a size of the same shape whose longer side is at most so long."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _webp(picture: Pillow.Image) -> bytes:
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return _written(picture, "WEBP")


def _written(picture: Pillow.Image, kind: str) -> bytes:
    file = BytesIO()
    picture.save(file, kind, quality=QUALITY)
    return file.getvalue()
