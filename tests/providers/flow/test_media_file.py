"""A video in JSON: decoded while it passes by, in pieces of any length, and whole or not at all."""

import json
import os
import tracemalloc
from collections.abc import AsyncIterator

import pybase64
import pytest

from adapter.errors import NoMedia, UpstreamBroken
from adapter.providers.flow.media import EncodedDownload

CLIP = bytes(range(256)) * 5 + b"end"
TEXT = pybase64.b64encode(CLIP)


class Answer:
    """An answer that comes in pieces."""

    def __init__(self, body: bytes, piece: int, length: int | None = None) -> None:
        self._body = body
        self._piece = piece
        self._length = len(body) if length is None else length

    @property
    def status(self) -> int:
        return 200

    def is_whole(self, size: int) -> bool:
        return size == self._length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), self._piece):
            yield self._body[start : start + self._piece]

    async def read(self, limit: int) -> bytes:
        raise AssertionError(f"it is read piece by piece, not up to {limit} bytes at once")


async def read(body: bytes, piece: int = 64, length: int | None = None) -> bytes:
    """Return the video of an answer."""
    return await EncodedDownload(Answer(body, piece, length)).read(1024 * 1024)


@pytest.mark.parametrize("piece", [1, 2, 3, 4, 5, 7, 64, 4096])
@pytest.mark.parametrize(
    "body",
    [
        b'{"video":{"encodedVideo":"' + TEXT + b'"}}',
        b'{\n  "name": "m", "video": {"seed": 7, "encodedVideo" :\n "' + TEXT + b'", "prompt": "a"}, "x": []}\n',
        b'{"video":{"prompt":"say \\"encodedVideo\\":\\"x\\"","encodedVideo":"' + TEXT + b'"}}',
        b'{"video":{"encodedVideo":"' + TEXT.replace(b"/", b"\\/") + b'"}}',
    ],
)
async def test_a_video_comes_out_as_it_went_in(body: bytes, piece: int) -> None:
    """Wherever the answer is cut into pieces, an escape among them."""
    assert json.loads(body)["video"]["encodedVideo"].encode() == TEXT
    assert await read(body, piece) == CLIP


@pytest.mark.parametrize("piece", [1, 5, 4096])
@pytest.mark.parametrize(
    "body",
    [
        b'{"video":{"encodedVideo":"' + TEXT,
        b'{"video":{"encodedVideo":"' + TEXT + b'"',
        b'{"video":{"encodedVideo":"' + TEXT + b'"}',
        b'{"video":{"encodedVideo":"' + TEXT + b'"}} and more',
        b'{"video":{"encodedVideo":"' + TEXT[:-1] + b'"}}',
        b'{"video":{"encodedVideo":"' + TEXT[:40] + b"%" + TEXT[41:] + b'"}}',
        b'{"video":{"encodedVideo":"' + TEXT[:40] + b"\\n" + TEXT[42:] + b'"}}',
        b'{"video":{"encodedVideo":"' + TEXT[:40] + b"\n" + TEXT[41:] + b'"}}',
        b'{"video":{"encodedVideo":"QQ==' + TEXT + b'"}}',
        b'{"video":{"encodedVideo":"QQ==QQ=="}}',
        b'{"video":{"encodedVideo":"' + TEXT + b'\\"}}',
        b'{"poster":{"encodedVideo":"' + TEXT + b'"}}',
        b'{"poster":{"encodedVideo":"QUJD"},"video":{"encodedVideo":"' + TEXT + b'"}}',
        b'{"video":{"encodedVideo":"' + TEXT + b'","encodedVideo":"QUJD"}}',
        b'{"video":{"encodedVideo":null',
        b"<html>",
        b"",
        b'{"video":' + b'{"x":' * 3000,
    ],
)
async def test_what_is_not_a_whole_video_is_broken(body: bytes, piece: int) -> None:
    """Cut in the video or behind it, no base64, or of another shape."""
    with pytest.raises(UpstreamBroken):
        await read(body, piece)


@pytest.mark.parametrize("body", [b"{}", b'{"video": {}}', b'{"image": {"encodedImage": "QUJD"}}'])
async def test_a_readable_answer_without_a_video_is_said_to_be_one(body: bytes) -> None:
    """It is asked for a few times more, and not for an hour."""
    with pytest.raises(NoMedia, match="paid for"):
        await read(body)


async def test_a_connection_that_breaks_behind_the_json_is_seen() -> None:
    """The length of the answer counts, not that of the video."""
    body = b'{"video":{"encodedVideo":"' + TEXT + b'"}}'
    with pytest.raises(UpstreamBroken):
        await read(body, length=len(body) + 1)


async def test_no_more_is_read_around_a_video_than_a_megabyte() -> None:
    """An answer that never comes to its video, and one that never ends behind it."""
    for body in (b'{"x":"' + b"x" * 2**21, b'{"video":{"encodedVideo":"QUJD"}' + b" " * 2**21):
        with pytest.raises(UpstreamBroken):
            await read(body, 4096)


async def test_a_video_is_never_held_whole() -> None:
    """16 MB pass by in pieces of 64 KB."""
    body = b'{"video":{"encodedVideo":"' + pybase64.b64encode(os.urandom(16 * 2**20)) + b'"}}'
    download = EncodedDownload(Answer(body, 64 * 1024))
    tracemalloc.start()
    try:
        size = 0
        async for piece in download:
            size += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (size, download.is_whole(size)) == (16 * 2**20, True)
    assert peak < 2**20
