"""HEIF, the container of HEIC and AVIF pictures: what a file says of the pictures in it. Pure.

Sources: ISO/IEC 14496-12 (boxes, `meta` and what is in it) and ISO/IEC 23008-12 (`ispe`, `irot`). It is read strictly
and within bounds: a box that does not fit into its parent, or a second one where one belongs, makes the file
unreadable.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

#: Boxes beside each other, and items of a file. A photograph of a phone has about 50 of each.
MOST_BOXES: Final = 4096
MOST_ITEMS: Final = 1024

#: By the major brand. HEVC's sequences are the moving pictures of phones.
HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
#: These say that it is a picture; what kind of one stands among the other brands.
ANY_BRANDS: Final = frozenset({b"mif1", b"msf1", b"miaf"})


class MalformedError(ValueError):
    """The file cannot be read, or says something that is not looked at here."""


class Box(msgspec.Struct, frozen=True):
    """A box: its kind, and where its content lies."""

    kind: bytes
    start: int
    end: int


def codec(head: bytes) -> bytes:
    """Return which kind of HEIF file begins so: `heic`, `avif`, `heif` for any other, or nothing if it is none."""
    if head[4:8] != b"ftyp":
        return b""
    major = head[8:12]
    if major in HEIC_BRANDS:
        return b"heic"
    if major in AVIF_BRANDS:
        return b"avif"
    if major not in ANY_BRANDS:
        return b""
    end = min(int.from_bytes(head[:4], "big"), len(head), 256)
    others = {head[at : at + 4] for at in range(16, end, 4)}
    return b"avif" if others & AVIF_BRANDS else b"heif"


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes that fill a part of a file.

    Raises:
        MalformedError: they do not fill it.
    """
    at = start
    for _ in range(MOST_BOXES):
        if at == end:
            return
        box = _box(data, at, end)
        if box is None or box.end > end:
            raise MalformedError("a box does not fit")
        yield box
        at = box.end
    raise MalformedError("too many boxes")


def _box(data: bytes, at: int, end: int) -> Box | None:
    size, head = int.from_bytes(data[at : at + 4], "big"), 8
    if size == 1:
        size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
    elif size == 0:
        size = end - at
    if end - at < head or size < head:
        return None
    return Box(data[at + 4 : at + 8], at + head, at + size)


class Meta:
    """The box that tells of the pictures, of a file that may be cut behind it."""

    def __init__(self, data: bytes) -> None:
        """Find it.

        Raises:
            MalformedError: there is none, or it is cut.
        """
        self._data = data
        top = _full(_top_level(data, b"meta"))
        self._parts = _unique(boxes(data, top.start, top.end))
        properties = _unique(boxes(data, *_span(self._part(b"iprp"))))
        self._properties = list(boxes(data, *_span(_needed(properties, b"ipco"))))
        self._associations = self._associated(_needed(properties, b"ipma"))

    def size(self, item: int | None = None) -> tuple[int, int]:
        """Return width and height of an item, or of the file's own picture as it is seen: it may be turned.

        Raises:
            MalformedError: that is not told.
        """
        found = self._properties_of(self.primary() if item is None else item)
        ispe = [_full(box) for box in found if box.kind == b"ispe"]
        if len(ispe) != 1 or ispe[0].end - ispe[0].start != 8:
            raise MalformedError("no size")
        width, height = (self._number(ispe[0].start + at, 4) for at in (0, 4))
        if not width or not height:
            raise MalformedError("no size")
        turns = [self._data[box.start] & 3 for box in found if box.kind == b"irot" and box.end > box.start]
        is_on_its_side = item is None and sum(turns) % 2 == 1
        return (height, width) if is_on_its_side else (width, height)

    def primary(self) -> int:
        """Return the number of the file's own picture."""
        box = self._part(b"pitm")
        return self._number(box.start + 4, 2 if self._version(box) == 0 else 4)

    def items(self, kind: bytes) -> Sequence[int]:
        """Return the numbers of all items of a kind, such as `av01`."""
        box = self._part(b"iinf")
        start = box.start + (6 if self._version(box) == 0 else 8)
        found = []
        for entry in boxes(self._data, start, box.end):
            version = self._version(entry)
            if entry.kind != b"infe" or version not in {2, 3}:
                raise MalformedError("no item")
            width = 2 if version == 2 else 4
            if self._data[entry.start + 6 + width : entry.start + 10 + width] == kind:
                found.append(self._number(entry.start + 4, width))
        return found

    def contents(self) -> Mapping[int, bytes]:
        """Return the bytes of every item, of those that lie in this file.

        Raises:
            MalformedError: they lie elsewhere, or are more than the file has.
        """
        left, found = len(self._data), {}
        for item, spans in self._locations():
            left -= sum(end - start for start, end in spans)
            if left < 0 or item in found:
                raise MalformedError("items that overlap")
            found[item] = b"".join(self._data[start:end] for start, end in spans)
        return found

    def _locations(self) -> Iterator[tuple[int, Sequence[tuple[int, int]]]]:
        """Read `iloc` (ISO/IEC 14496-12 section 8.11.3)."""
        box = self._part(b"iloc")
        version, sizes = self._version(box), self._number(box.start + 4, 2)
        if version > 2:
            raise MalformedError("an unknown iloc")
        widths = [sizes >> shift & 15 for shift in (12, 8, 4, 0)]
        cursor = Cursor(self._data, box.start + 6, box.end)
        for _ in range(_checked(cursor.take(2 if version < 2 else 4))):
            item = cursor.take(2 if version < 2 else 4)
            method = cursor.take(2) & 15 if version else 0
            cursor.take(2)  # another file, which is never opened
            base = cursor.take(widths[2])
            yield item, [self._span_of(method, base, cursor, widths) for _ in range(_checked(cursor.take(2)))]

    def _span_of(self, method: int, base: int, cursor: "Cursor", widths: Sequence[int]) -> tuple[int, int]:
        cursor.take(widths[3] if method else 0)
        offset, length = base + cursor.take(widths[0]), cursor.take(widths[1])
        if method not in {0, 1}:
            raise MalformedError("an item made of another one")
        within = Box(b"", 0, len(self._data)) if method == 0 else self._part(b"idat")
        start = within.start + offset
        if not length or start + length > within.end:
            raise MalformedError("an item outside of the file")
        return start, start + length

    def _associated(self, box: Box) -> Mapping[int, Sequence[int]]:
        """Read which properties each item has (`ipma`, ISO/IEC 23008-12 section 9.3)."""
        is_wide = self._number(box.start, 4) & 1
        cursor = Cursor(self._data, box.start + 4, box.end)
        found = {}
        for _ in range(_checked(cursor.take(4))):
            item = cursor.take(2 if self._version(box) == 0 else 4)
            found[item] = [cursor.take(2) & 0x7FFF if is_wide else cursor.take(1) & 0x7F for _ in range(cursor.take(1))]
        return found

    def _properties_of(self, item: int) -> Sequence[Box]:
        numbers = [number for number in self._associations.get(item, ()) if number]
        if any(number > len(self._properties) for number in numbers):
            raise MalformedError("an unknown property")
        return [self._properties[number - 1] for number in numbers]

    def _part(self, kind: bytes) -> Box:
        return _needed(self._parts, kind)

    def _version(self, box: Box) -> int:
        return self._number(box.start, 1)

    def _number(self, at: int, width: int) -> int:
        return Cursor(self._data, at, len(self._data)).take(width)


class Cursor:
    """Reads numbers one behind the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self._at = at
        self._end = end

    def take(self, width: int) -> int:
        """Return the next number of so many bytes; 0 of none.

        Raises:
            MalformedError: there are fewer.
        """
        start = self._at
        self._at += width
        if self._at > self._end:
            raise MalformedError("a number is cut")
        return int.from_bytes(self._data[start : self._at], "big")


def _top_level(data: bytes, kind: bytes) -> Box:
    """Return a box of the outermost level that is whole. What follows it may be cut."""
    at = 0
    for _ in range(MOST_BOXES):
        box = _box(data, at, len(data))
        if box is None or box.end > len(data):
            break
        if box.kind == kind:
            return box
        at = box.end
    raise MalformedError(f"no {kind.decode()}")


def _unique(found: Iterator[Box]) -> Mapping[bytes, Box]:
    """Return boxes by their kinds."""
    kinds: dict[bytes, Box] = {}
    for box in found:
        if box.kind in kinds and box.kind not in {b"free", b"skip", b"uuid"}:
            raise MalformedError("a box stands twice")
        kinds.setdefault(box.kind, box)
    return kinds


def _needed(kinds: Mapping[bytes, Box], kind: bytes) -> Box:
    if kind not in kinds:
        raise MalformedError(f"no {kind.decode()}")
    return kinds[kind]


def _full(box: Box) -> Box:
    """Return a box without its version and flags."""
    if box.end - box.start < 4:
        raise MalformedError("a box is too short")
    return Box(box.kind, box.start + 4, box.end)


def _span(box: Box) -> tuple[int, int]:
    return box.start, box.end


def _checked(count: int) -> int:
    if count > MOST_ITEMS:
        raise MalformedError("too many items")
    return count
