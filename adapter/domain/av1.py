"""How large the pictures of an AVIF file really are. Pure.

The decoder believes the AV1 data and not the container: a file of two kilobytes whose `ispe` says 16x16 was seen to
take 300 MB, for 12000x12000 pixels that were then made small. So each coded picture has to be as large as its `ispe`
says, and a grid as well.

Sources: AV1 Bitstream specification sections 5.3 (OBUs) and 5.5 (sequence header); AV1 Image File Format section 2.1;
ISO/IEC 23008-12 section 6.6.2.3.2 (grids).
"""

from collections.abc import Iterator
from typing import Final

from adapter.domain.heif import MalformedError, Meta

SEQUENCE_HEADER: Final = 1
#: Parts of all coded pictures of a file. Each has about three; a photograph in tiles has a hundred pictures.
MOST_OBUS: Final = 10_000
#: Bytes of a sequence header that are looked at: the sizes come before them, without timing and with 32 layers.
HEADER_BYTES: Final = 128


def check_pictures(data: bytes, most_pixels: int) -> None:
    """Look at every coded picture of an AVIF file.

    Raises:
        MalformedError: one is larger than allowed, or than the file says, or cannot be measured.
    """
    meta = Meta(data)
    contents = meta.contents()
    coded = meta.items(b"av01")
    if not coded:
        raise MalformedError("no AV1 picture")
    for item in meta.items(b"grid"):
        _check(meta, item, {_grid_size(contents.get(item, b""))}, most_pixels)
    left = MOST_OBUS
    for item in coded:
        sizes = list(_sizes(contents.get(item, b""), left))
        left -= len(sizes)
        _check(meta, item, {size for size in sizes if size is not None}, most_pixels)


def _check(meta: Meta, item: int, real: set[tuple[int, int]], most_pixels: int) -> None:
    told = meta.size(item)
    if real != {told} or told[0] * told[1] > most_pixels:
        raise MalformedError("a picture is not as large as the file says, or too large")


def _grid_size(grid: bytes) -> tuple[int, int]:
    width = 4 if grid[1:2] and grid[1] & 1 else 2
    if len(grid) != 4 + 2 * width:
        raise MalformedError("no grid")
    return int.from_bytes(grid[4 : 4 + width], "big"), int.from_bytes(grid[4 + width :], "big")


def _sizes(coded: bytes, most: int) -> Iterator[tuple[int, int] | None]:
    """Yield for each part of a coded picture the size that it tells, or None if it tells none."""
    at = 0
    for _ in range(most):
        if at == len(coded):
            return
        head = coded[at]
        kind, has_extension, has_size = head >> 3 & 15, head >> 2 & 1, head >> 1 & 1
        if head & 0x80 or not has_size:
            raise MalformedError("a part without a length")
        size, start = _leb128(coded, at + 1 + has_extension)
        at = start + size
        if at > len(coded):
            raise MalformedError("a part is cut")
        yield _size(coded[start : min(at, start + HEADER_BYTES)]) if kind == SEQUENCE_HEADER else None
    raise MalformedError("too many parts")


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte (section 4.10.5), and where it ends."""
    value = 0
    for number, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            return value, at + number + 1
    raise MalformedError("a length is cut")


class Bits:
    """Reads bits one behind the other."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """Return the next bits as a number.

        Raises:
            MalformedError: there are fewer.
        """
        self._left -= count
        if self._left < 0:
            raise MalformedError("a header is cut")
        return self._bits >> self._left & (1 << count) - 1


def _size(header: bytes) -> tuple[int, int]:
    """Return the largest width and height that a sequence header allows (section 5.5.1)."""
    bits = Bits(header)
    bits.take(3 + 1)  # seq_profile, still_picture
    if bits.take(1):  # reduced_still_picture_header
        bits.take(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


def _skip_operating_points(bits: Bits) -> None:
    if bits.take(1):  # timing_info_present_flag
        raise MalformedError("a picture with timing")
    has_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)  # operating_point_idc
        if bits.take(5) > 7:  # seq_level_idx
            bits.take(1)
        if has_delay and bits.take(1):
            bits.take(4)
