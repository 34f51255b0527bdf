"""The boxes of an MP4: the file has the needed ones and does not end within one."""

import pytest

from adapter.jobs.boxes import MOST_BOXES, Boxes
from tests.fakes import CLIP

#: A box whose length stands in 64 bits, and one that goes on to the end.
LONG = b"\x00\x00\x00\x01mdat" + (20).to_bytes(8, "big") + b"data"
ENDLESS = b"\x00\x00\x00\x00mdat" + b"and so on"
KIND = b"\x00\x00\x00\x0cftypisom"
INDEX = b"\x00\x00\x00\x10moovindex..."
EMPTY = b"\x00\x00\x00\x08free"


def walk(data: bytes, piece: int = 5000) -> bool:
    """Say whether a file is whole that comes in pieces of that size."""
    boxes = Boxes()
    for start in range(0, len(data), piece):
        boxes.pass_by(data[start : start + piece])
    return boxes.are_whole


@pytest.mark.parametrize("piece", [1, 7, 8, 9, 5000])
@pytest.mark.parametrize(
    "data", [CLIP, CLIP + LONG, KIND + LONG + INDEX, KIND + INDEX + ENDLESS, KIND + EMPTY + INDEX + EMPTY + LONG]
)
def test_a_whole_file_is_whole_in_pieces_of_any_size(data: bytes, piece: int) -> None:
    """Lengths in 32 bits, in 64, and up to the end."""
    assert walk(data, piece)


@pytest.mark.parametrize("data", [CLIP, KIND + INDEX + LONG, KIND + LONG + INDEX])
def test_a_file_that_is_cut_anywhere_before_its_last_box_ends_is_not_whole(data: bytes) -> None:
    """After the first box too, where no length is wrong."""
    assert [end for end in range(1, len(data) + 1) if walk(data[:end])] == [len(data)]


def test_a_file_that_is_cut_within_what_follows_its_data_is_not_whole() -> None:
    """A player may need that for its index."""
    assert not walk(CLIP + INDEX[:-1])


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (KIND + LONG, ["moov"]),
        (KIND + INDEX, ["mdat"]),
        (INDEX + LONG, ["ftyp"]),
        (KIND, ["moov", "mdat"]),
        (EMPTY * 5, ["ftyp", "moov", "mdat"]),
        (KIND + LONG + b"\x00\x00\x00\x08moov", ["moov"]),
        (KIND + LONG + b"\x00\x00\x00\x01moov" + (16).to_bytes(8, "big"), ["moov"]),
        (KIND + LONG + b"\x00\x00\x00\x07moov", ["moov"]),
        (KIND + ENDLESS + INDEX, ["moov"]),
    ],
    ids=str,
)
def test_a_file_without_a_needed_box_is_not_whole(data: bytes, missing: list[str]) -> None:
    """Nor with an empty one, one that is none, or one within the data."""
    boxes = Boxes()
    boxes.pass_by(data)
    assert (boxes.missing, boxes.are_whole) == (missing, False)


@pytest.mark.parametrize("size", [2**31, 2**63, 2**64 - 1])
def test_a_box_that_is_longer_than_the_file_is_not_whole(size: int) -> None:
    """Whatever it announces."""
    assert not walk(KIND + INDEX + b"\x00\x00\x00\x01mdat" + size.to_bytes(8, "big") + bytes(5000))


@pytest.mark.parametrize("each", [EMPTY, b"\x00\x00\x00\x09free!"])
def test_boxes_are_counted(each: bytes) -> None:
    """A file of nothing but heads costs no more than its first ones: behind them nothing is found any more."""
    assert walk(each * (MOST_BOXES - 3) + KIND + INDEX + LONG + each * 5 + b"rest")
    assert not walk(each * (MOST_BOXES - 2) + KIND + INDEX + LONG)


@pytest.mark.parametrize("rest", [b"\n", bytes(100), b"\x00\x00\x00\x07mdat", b"\x00\x00\x00\x01more" + bytes(9)])
def test_what_follows_the_last_box_and_is_none_is_let_pass(rest: bytes) -> None:
    """The video is paid for, and plays."""
    assert walk(CLIP + rest)
