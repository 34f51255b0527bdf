"""Formats, sizes and base64 that is passed on untouched."""

import struct
import zlib
from io import BytesIO

import msgspec
import pybase64
import pytest
from PIL import Image as Pillow

from adapter.domain.media import (
    MediaFormat,
    Pixels,
    Ratio,
    Resolution,
    image_from_base64,
    image_from_bytes,
    probe,
    sniff,
)
from adapter.errors import UpstreamBroken
from tests.fakes import CLIP, png


def picture(kind: str, size: tuple[int, int]) -> bytes:
    """Return a real picture of that kind."""
    file = BytesIO()
    Pillow.effect_noise(size, 60).convert("RGB").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "known"), [("PNG", MediaFormat.PNG), ("JPEG", MediaFormat.JPEG), ("WEBP", MediaFormat.WEBP)]
)
def test_a_picture_is_known_by_its_bytes(kind: str, known: MediaFormat) -> None:
    """Format and pixel size come from the file, whatever its declared type says."""
    assert probe(picture(kind, (321, 123))) == (known, Pixels(321, 123))


def test_a_clip_is_known_by_its_bytes_and_is_no_picture() -> None:
    """An MP4 is sniffed, and is never taken for a picture."""
    assert sniff(CLIP) is MediaFormat.MP4
    assert probe(CLIP) is None


@pytest.mark.parametrize(
    "junk", [b"", b"<html>", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"x" * 50, b"\xff\xd8\xff", b"RIFF0000WEBP"]
)
def test_what_only_begins_like_a_picture_is_none(junk: bytes) -> None:
    """Magic bytes without a readable header are not a picture."""
    assert image_from_bytes(junk) is None


def test_the_base64_of_a_picture_is_passed_on_byte_for_byte() -> None:
    """What came as a JSON string leaves as the same JSON string."""
    raw = msgspec.Raw(b'"' + pybase64.b64encode(picture("PNG", (800, 600))) + b'"')
    image = image_from_base64(raw)

    assert image is not None
    assert bytes(image.base64) == bytes(raw)
    assert image.pixels == Pixels(800, 600)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_a_large_picture_is_known_by_its_base64(kind: str) -> None:
    """A WebP only as a whole: Pillow does not open a part of it."""
    data = picture(kind, (1200, 900))
    image = image_from_base64(msgspec.Raw(b'"' + pybase64.b64encode(data) + b'"'))

    assert len(data) > 100 * 1024
    assert image is not None
    assert image.pixels == Pixels(1200, 900)


def test_base64_with_escaped_slashes_is_written_plainly() -> None:
    """JSON may escape a slash; our clients still get plain base64."""
    data = picture("PNG", (64, 64))
    plain = pybase64.b64encode(data)
    assert b"/" in plain
    image = image_from_base64(msgspec.Raw(b'"' + plain.replace(b"/", b"\\/") + b'"'))

    assert image is not None
    assert image.decode() == data


@pytest.mark.parametrize(
    "token", [b"7", b"null", b'{"a": "\\n"}', b'"\\ud800"', b'""', b'"@@@@"', b'"aGVsbG8="', b'"iVBO"']
)
def test_base64_that_is_no_picture_is_none(token: bytes) -> None:
    """Rubbish, text and a torn header are refused instead of being sold as a picture."""
    assert image_from_base64(msgspec.Raw(token)) is None


def test_base64_that_is_broken_behind_the_head_is_not_stored() -> None:
    """It is found when the bytes are needed, and named as the upstream's fault."""
    data = pybase64.b64encode(picture("PNG", (800, 600)))
    image = image_from_base64(msgspec.Raw(b'"' + data[:-100] + b"!" * 100 + b'"'))

    assert image is not None
    with pytest.raises(UpstreamBroken):
        image.decode()


def test_a_small_picture_survives_the_round_trip() -> None:
    """A file shorter than the inspected head is read to its end."""
    image = image_from_bytes(png(1, 1))

    assert image is not None
    assert image.decode() == png(1, 1)


@pytest.mark.parametrize("text", ["", "16", "16x", "x16", "15x100", "16385x16", "1e3x20", "-20x20", "20 x 20", "٣٢x32"])
def test_pixels_that_mean_nothing_are_none(text: str) -> None:
    """Only whole sides of 16 to 16384 are a size."""
    assert Pixels.parse(text) is None


def test_distance_is_the_same_for_twice_as_wide_and_twice_as_high() -> None:
    """Ratios are compared by how they look."""
    assert Pixels(200, 100).distance(Ratio.SQUARE) == pytest.approx(Pixels(100, 200).distance(Ratio.SQUARE))


@pytest.mark.parametrize(
    ("size", "ratio", "fits"),
    [
        (Pixels(1024, 1024), Ratio.SQUARE, True),
        (Pixels(1055, 1055), Ratio.SQUARE, True),
        (Pixels(1056, 1056), Ratio.SQUARE, False),
        (Pixels(1056, 16), Ratio.SQUARE, False),
        (Pixels(16, 1056), Ratio.SQUARE, False),
        (Pixels(1376, 768), Ratio.LANDSCAPE, True),
        (Pixels(768, 1376), Ratio.LANDSCAPE, False),
        (Pixels(1536, 1024), Ratio.R3_2, False),
        (Pixels(512, 2048), Ratio.R1_4, True),
        (Pixels(384, 3072), Ratio.R1_8, True),
        (Pixels(3072, 384), Ratio.R8_1, True),
        (Pixels(400, 3200), Ratio.R1_8, False),
    ],
)
def test_a_size_fits_into_what_is_drawn_both_ways_or_not_at_all(size: Pixels, ratio: Ratio, fits: bool) -> None:
    """Within three per cent of what Google draws at 1K, whose own sizes lie as far off what their area says."""
    assert size.fits_into(Resolution.ONE, ratio) is fits


def test_resolutions_have_the_documented_edges() -> None:
    """512, 1K, 2K and 4K are edges of a square."""
    assert [tier.edge for tier in Resolution] == [512, 1024, 2048, 4096]


def test_a_file_name_tells_its_format() -> None:
    """The ending decides the content type that we serve."""
    assert MediaFormat.of_name("a.mp4") is MediaFormat.MP4
    assert MediaFormat.of_name("a.exe") is None


def test_a_picture_whose_size_stands_far_behind_is_known_all_the_same() -> None:
    """A JPEG may carry a profile of up to 64 KiB before it."""
    file = BytesIO()
    Pillow.new("RGB", (32, 18)).save(file, "JPEG", icc_profile=bytes(60_000))
    image = image_from_base64(msgspec.Raw(b'"' + pybase64.b64encode(file.getvalue()) + b'"'))

    assert image is not None
    assert (image.format, image.pixels) == (MediaFormat.JPEG, Pixels(32, 18))


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, 0)])
def test_a_picture_without_pixels_is_none(width: int, height: int) -> None:
    """Its shape would be a division by zero, and no viewer shows it."""
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + b"\0" * 100

    assert probe(head) is None


def test_a_damaged_head_is_none() -> None:
    """A size that is not what was written would be believed."""
    damaged = bytearray(png(20, 10))
    damaged[19] ^= 1

    assert probe(bytes(damaged)) is None
