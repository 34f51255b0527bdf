"""The boxes of an MP4: the file does not end within one."""

import pytest

from adapter.jobs.boxes import Boxes
from tests.fakes import CLIP

#: A box whose length stands in 64 bits, and one that goes on to the end.
LONG = b"\x00\x00\x00\x01mdat" + (20).to_bytes(8, "big") + b"data"
ENDLESS = b"\x00\x00\x00\x00mdat" + b"and so on"
MIDDLE = b"\x00\x00\x00\x10moovindex..."


def walk(data: bytes, piece: int = 5000) -> bool:
    """Say whether a file is whole that comes in pieces of that size."""
    boxes = Boxes()
    for start in range(0, len(data), piece):
        boxes.pass_by(data[start : start + piece])
    return boxes.are_whole


@pytest.mark.parametrize("piece", [1, 7, 8, 9, 5000])
@pytest.mark.parametrize("data", [CLIP, CLIP + LONG, LONG + MIDDLE, MIDDLE + ENDLESS])
def test_a_whole_file_is_whole_in_pieces_of_any_size(data: bytes, piece: int) -> None:
    """Lengths in 32 bits, in 64, and up to the end."""
    assert walk(data, piece)


@pytest.mark.parametrize("data", [CLIP, MIDDLE + LONG])
def test_a_file_that_is_cut_anywhere_before_its_data_end_is_not_whole(data: bytes) -> None:
    """After the first box too, where no length is wrong."""
    assert [end for end in range(1, len(data) + 1) if walk(data[:end])] == [len(data)]


def test_a_file_that_is_cut_within_what_follows_its_data_is_not_whole() -> None:
    """A player may need that for its index."""
    assert not walk(CLIP + MIDDLE[:-1])


@pytest.mark.parametrize("rest", [b"\n", bytes(100), b"\x00\x00\x00\x07mdat", b"\x00\x00\x00\x01more" + bytes(9)])
def test_what_follows_the_last_box_and_is_none_is_let_pass(rest: bytes) -> None:
    """The video is paid for, and plays."""
    assert walk(CLIP + rest)
