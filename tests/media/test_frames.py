"""Pictures of stored videos: what they show, and what becomes of videos that cannot be decoded."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import av
import pytest
from PIL import Image as Pillow

from adapter.budget import MemoryBudget
from adapter.domain import memory_estimate
from adapter.domain.job import StoredVideo
from adapter.domain.media import Clip, Pixels
from adapter.errors import InvalidRequest, ServerBusy, UpstreamBroken
from adapter.media.frames import (
    CELL_SIDE,
    COLUMNS,
    ROWS,
    THUMBNAIL_SIDE,
    FileMeasurer,
    FrameThumbnailer,
    evenly,
    first_frame_webp,
    frames_at,
    poster_webp,
    scaled,
    sheet_jpeg,
)
from adapter.media.store import ObjectMediaStore, open_media
from tests.fakes import CLIP, FakeClock, jpeg
from tests.pictures import opened

VIDEO = StoredVideo(video="a.mp4", poster="a.jpg", size=1, sha256="00")


@cache
def clip(frames: int = 100, size: tuple[int, int] = (1280, 720), *, faststart: bool = True) -> bytes:
    """Return a film that goes from black to white, 25 frames a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"  # a file, because faststart moves the index by reading it again
        film(path, frames, size, {"movflags": "faststart"} if faststart else {})
        return path.read_bytes()


def film(path: Path, frames: int, size: tuple[int, int], options: dict[str, str]) -> None:
    """Write one."""
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        for number in range(frames):
            grey = 255 * number // max(1, frames - 1)
            picture = Pillow.new("RGB", size, (grey, grey, grey))
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        container.mux(stream.encode(None))


def grey(picture: Pillow.Image, x: int, y: int) -> int:
    """Return how bright a point is."""
    value = picture.convert("L").getpixel((x, y))
    assert isinstance(value, int)
    return value


def test_a_sheet_shows_the_whole_video_cell_by_cell() -> None:
    """Cell i shows the video after i/25 of its length, row by row."""
    sheet = opened(sheet_jpeg(clip()))
    width, height = CELL_SIDE, CELL_SIDE * 9 // 16
    seen = [grey(sheet, column * width + 9, row * height + 9) for row in range(ROWS) for column in range(COLUMNS)]

    assert (sheet.format, sheet.size) == ("JPEG", (COLUMNS * width, ROWS * height))
    for cell, brightness in enumerate(seen):
        assert brightness == pytest.approx(255 * cell / 25, abs=6)


def test_a_sheet_of_an_upright_video_is_upright() -> None:
    """The longer side of a cell is what is fixed."""
    assert opened(sheet_jpeg(clip(10, (90, 160)))).size == (5 * 90, 5 * 160)
    assert opened(sheet_jpeg(clip(10, (720, 1280)))).size == (5 * 180, 5 * 320)


@pytest.mark.parametrize("frames", [1, 2, 24, 25, 26])
def test_a_short_video_has_a_full_sheet(frames: int) -> None:
    """Its frames are seen more than once."""
    sheet = opened(sheet_jpeg(clip(frames, (64, 36))))

    assert sheet.size == (5 * 64, 5 * 36)
    assert grey(sheet, 5, 5) < 10
    assert (grey(sheet, 5 * 64 - 5, 5 * 36 - 5) > 200) is (frames > 2)


@pytest.mark.parametrize(
    ("times", "count", "shown"),
    [
        ([0, 1, 2, 3], 4, [0, 0, 1, 2]),
        ([0, 10, 20, 30, 40], 4, [0, 10, 20, 30]),
        ([7], 3, [7, 7, 7]),
        ([5, 6, 100], 2, [5, 6]),
    ],
)
def test_frames_are_chosen_by_time(times: list[int], count: int, shown: list[int]) -> None:
    """What is seen at a time is the last frame before it."""
    assert evenly(times, count) == shown


def test_a_thumbnail_is_the_first_frame_made_small() -> None:
    """A WebP."""
    thumbnail = opened(first_frame_webp(clip()))

    assert (thumbnail.format, thumbnail.size) == ("WEBP", (THUMBNAIL_SIDE, THUMBNAIL_SIDE * 9 // 16))
    assert grey(thumbnail, 9, 9) < 10


@pytest.mark.parametrize(
    ("size", "side", "fits"), [((1280, 720), 320, (320, 180)), ((90, 160), 320, (90, 160)), ((9999, 2), 320, (320, 1))]
)
def test_pictures_are_made_smaller_and_never_larger(size: tuple[int, int], side: int, fits: tuple[int, int]) -> None:
    """In the same shape."""
    assert scaled(*size, side) == fits


def test_a_poster_is_made_small() -> None:
    """Whatever it was drawn as."""
    made = poster_webp(jpeg(1280, 720))
    assert made is not None

    assert (opened(made).format, opened(made).size) == ("WEBP", (THUMBNAIL_SIDE, THUMBNAIL_SIDE * 9 // 16))


def beginnings(whole: bytes) -> list[int]:
    """Return where each frame's data begin."""
    with av.open(BytesIO(whole), "r") as container:
        return [packet.pos or 0 for packet in container.demux(video=0) if packet.size]


def cut_between_frames(whole: bytes) -> bytes:
    """Leave so much that what is left can be decoded."""
    return whole[: beginnings(whole)[50]]


#: What may have happened to a video.
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing is left": lambda _: b"",
    "the head is left": lambda whole: whole[:24],
    "the index is left": lambda whole: whole[:2000],
    "half is left": lambda whole: whole[: len(whole) // 2],
    "it ends between two frames": cut_between_frames,
    "the index is gone": lambda _: clip(faststart=False)[:-500],
    "there is a hole in it": lambda whole: (
        whole[: len(whole) // 3] + bytes(len(whole) // 3) + whole[-len(whole) // 3 :]
    ),
    "it is noise that begins like one": lambda whole: whole[:8] + random.Random(1).randbytes(5000),
    "it is what the fakes call one": lambda _: CLIP,
    "it is a list of other files": lambda _: b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
    "it is of a codec that nobody knows": lambda whole: whole.replace(b"avc1", b"zzzz"),
    "it is a picture": lambda _: jpeg(),
}
#: Of these the first frame can be seen.
LATE = {"half is left", "there is a hole in it", "it ends between two frames"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_video_is_a_clear_error(damage: str) -> None:
    """And never a sheet with holes."""
    with pytest.raises(UpstreamBroken, match="cannot be decoded") as caught:
        sheet_jpeg(DAMAGES[damage](clip()))

    assert (caught.value.code, caught.value.status, caught.value.should_retry) == ("video_unreadable", 502, False)


def test_words_in_a_video_that_are_no_text_do_no_harm() -> None:
    """Its pictures are what counts."""
    file = clip().replace(b"VideoHandler", b"VideoHand\xffer")
    assert file != clip()
    assert opened(first_frame_webp(file)).format == "WEBP"
    assert opened(sheet_jpeg(file)).format == "JPEG"


def test_a_frame_that_the_decoder_passes_over_is_a_clear_error() -> None:
    """It was announced, and did not come."""
    assert len(frames_at(clip(), {0})) == 1
    with pytest.raises(UpstreamBroken):
        frames_at(clip(), {0, 1})


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_thumbnail_needs_the_first_frame_only(damage: str) -> None:
    """A damage behind it is in nobody's way."""
    file = DAMAGES[damage](clip())
    if damage in LATE:
        assert opened(first_frame_webp(file)).format == "WEBP"
    else:
        with pytest.raises(UpstreamBroken):
            first_frame_webp(file)


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield a file in one piece."""
    yield data


@pytest.fixture
def store() -> ObjectMediaStore:
    """Files in memory."""
    return open_media("memory://")


@pytest.fixture
def room(store: ObjectMediaStore) -> FrameThumbnailer:
    """A cutting room with plenty of memory."""
    return FrameThumbnailer(store, MemoryBudget(FakeClock(), capacity=1 << 30, wait_seconds=1.0))


async def test_the_poster_is_preferred(store: ObjectMediaStore, room: FrameThumbnailer) -> None:
    """It is a picture already."""
    await store.put("a.mp4", once(clip()))
    await store.put("a.jpg", once(jpeg(200, 100)))

    assert opened(await room.thumbnail(VIDEO) or b"").size == (200, 100)


@pytest.mark.parametrize("poster", [b"", b"\xff\xd8\xff broken", None])
async def test_without_a_poster_that_can_be_used_it_is_the_first_frame(
    store: ObjectMediaStore, room: FrameThumbnailer, poster: bytes | None
) -> None:
    """One that is gone counts as none."""
    await store.put("a.mp4", once(clip(10, (64, 36))))
    if poster is not None:
        await store.put("a.jpg", once(poster))

    assert opened(await room.thumbnail(VIDEO) or b"").size == (64, 36)


async def test_of_files_that_are_gone_there_are_no_pictures(room: FrameThumbnailer) -> None:
    """Neither thumbnail nor sheet."""
    assert await room.thumbnail(VIDEO) is None
    assert await room.spritesheet(VIDEO) is None


async def test_decoding_waits_for_room(store: ObjectMediaStore) -> None:
    """Many at once would be the end of the process."""
    clock = FakeClock()
    needed = memory_estimate.of_decoding(len(clip(10, (64, 36))))
    budget = MemoryBudget(clock, capacity=needed, wait_seconds=30.0)
    room = FrameThumbnailer(store, budget)
    await store.put("a.mp4", once(clip(10, (64, 36))))
    async with budget.reserve(1):
        waiting = asyncio.create_task(room.spritesheet(VIDEO))
        async with asyncio.timeout(5):
            while not clock.alarms:
                await asyncio.sleep(0)
        await clock.advance(30.0)
        with pytest.raises(ServerBusy):
            await waiting

    assert opened(await room.spritesheet(VIDEO) or b"").size == (5 * 64, 5 * 36)


async def test_a_video_of_a_client_is_measured() -> None:
    """In pixels and seconds."""
    assert await FileMeasurer().measure(clip(50, (360, 640))) == Clip(Pixels(360, 640), 2.0)


@pytest.mark.parametrize("data", [b"", b"video_1", jpeg(), CLIP, clip(10)[:400]])
async def test_what_is_no_video_is_the_clients_mistake(data: bytes) -> None:
    """By the field that brought it."""
    with pytest.raises(InvalidRequest, match="Send an MP4") as caught:
        await FileMeasurer().measure(data)

    assert (caught.value.param, caught.value.code) == ("video", "invalid_video")
