"""Whole pictures: base64 to its end, and a file to its end marker."""

import random
from io import BytesIO

import msgspec
import pybase64
import pytest
from PIL import Image as Pillow

from adapter.domain.media import MediaFormat, image_from_base64, image_from_bytes
from adapter.domain.whole_pictures import PART, is_whole, whole_picture
from tests.fakes import jpeg, png

NOISE = random.Random(1).randbytes(96 * 64 * 3)


def drawn(kind: str, **options: object) -> bytes:
    """Return a picture of some kilobytes."""
    file = BytesIO()
    Pillow.frombytes("RGB", (96, 64), NOISE).save(file, kind, **options)
    return file.getvalue()


#: A JPEG whose camera data holds a small JPEG, as cameras write it, with an end marker of its own.
WITH_THUMBNAIL = (whole := drawn("JPEG"))[:2] + b"\xff\xe1" + (len(jpeg()) + 2).to_bytes(2) + jpeg() + whole[2:]

FILES = {
    "PNG": drawn("PNG"),
    "small PNG": png(1, 1),
    "JPEG": drawn("JPEG", quality=95),
    "progressive JPEG": drawn("JPEG", progressive=True),
    "JPEG with restarts": drawn("JPEG", restart_marker_rows=1),
    "JPEG with a thumbnail": WITH_THUMBNAIL,
    "WebP": drawn("WEBP", lossless=True),
    "lossy WebP": drawn("WEBP"),
    "GIF": drawn("GIF"),
    "AVIF": drawn("AVIF"),
}


def is_taken(text: bytes) -> bool:
    """Return whether a base64 text is taken for a whole picture."""
    image = image_from_base64(msgspec.Raw(b'"' + text + b'"'))
    return image is not None and is_whole(image)


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_whole_file_is_whole(file: bytes) -> None:
    """In each format that a picture may have."""
    assert whole_picture(file) is not None


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_file_that_is_cut_is_not_whole(file: bytes) -> None:
    """Wherever it is cut."""
    ends = {*range(len(file) - 80, len(file)), *range(1, len(file), 41)}
    assert [end for end in sorted(ends) if whole_picture(file[:end])] == []


@pytest.mark.parametrize("junk", [b"\n", bytes(9), b"trailer " * 4096])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "JPEG with restarts", "JPEG with a thumbnail", "WebP"])
def test_what_follows_the_end_is_let_pass(kind: str, junk: bytes) -> None:
    """Decoders do not look at it, and the picture is paid for."""
    file = FILES[kind] + junk
    with Pillow.open(BytesIO(file)) as picture:
        picture.load()
    assert whole_picture(file) is not None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "AVIF"])
@pytest.mark.parametrize("junk", [b"", b"junk", b"<html>" * 4096])
def test_the_head_of_a_picture_with_something_else_behind_it_is_not_whole(kind: str, junk: bytes) -> None:
    """Such a head alone was called a picture."""
    head = FILES[kind][:2048]
    assert image_from_bytes(head) is not None
    assert whole_picture(head + junk[: len(FILES[kind]) - len(head) - 1]) is None


@pytest.mark.parametrize("where", ["beginning", "middle", "end"])
@pytest.mark.parametrize("wrong", [b"!", b" ", b"=", b"-", b"\n", b"\xc3", b"\\"])
@pytest.mark.parametrize("size", [300, 3 * PART])
def test_base64_that_is_broken_is_not_whole(size: int, where: str, wrong: bytes) -> None:
    """One wrong character is enough, wherever it stands."""
    text = pybase64.b64encode(png()[:-12] + chunk(bytes(size)) + png()[-12:])
    at = {"beginning": 7, "middle": len(text) // 2 + 99, "end": len(text) - 4}[where]
    assert is_taken(text)
    assert not is_taken(text[:at] + wrong + text[at + 1 :])


def test_a_wrong_character_is_found_in_every_part() -> None:
    """Also in the last place of a part."""
    text = pybase64.b64encode(png()[:-12] + chunk(bytes(5 * PART)) + png()[-12:])
    for at in (*range(PART - 1, len(text), PART), *range(PART, len(text), PART)):
        assert not is_taken(text[:at] + b"!" + text[at + 1 :])


def test_base64_has_whole_groups() -> None:
    """A text that lost characters at its end is broken, even where the rest looks well."""
    text = pybase64.b64encode(FILES["PNG"])
    assert [is_taken(text[:end]) for end in range(len(text) - 3, len(text) + 1)] == [False, False, False, True]
    assert not is_taken(text + b"====")


def test_a_large_picture_is_whole_at_every_length() -> None:
    """Whatever is left behind the last part."""
    shortest = 2 * PART // 4 * 3 - len(png()) - 3
    for more in range(6):
        made = whole_picture(png()[:-12] + chunk(bytes(shortest + more)) + png()[-12:])
        assert made is not None
        assert made.format is MediaFormat.PNG


def chunk(data: bytes) -> bytes:
    """Return a chunk of a PNG that decoders skip."""
    return len(data).to_bytes(4) + b"skIp" + data + bytes(4)
