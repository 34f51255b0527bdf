"""HEIF files made box by box, to say what no encoder would say."""

from collections.abc import Sequence
from struct import pack

import msgspec


class Item(msgspec.Struct, frozen=True):
    """An item: its kind, its bytes, and the properties that it has."""

    kind: bytes
    data: bytes
    properties: Sequence[bytes]


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box."""
    body = b"".join(parts)
    return pack(">I", len(body) + 8) + kind + body


def full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    """Return a box with a version and flags."""
    return box(kind, pack(">I", version << 24), *parts)


def ispe(width: int, height: int) -> bytes:
    """Return the property that says how large a picture is."""
    return full(b"ispe", pack(">II", width, height))


def ftyp(major: bytes = b"avif", *others: bytes) -> bytes:
    """Return what a file begins with."""
    return box(b"ftyp", major, bytes(4), *others)


def file_of(*items: Item, primary: int = 1, more: bytes = b"") -> bytes:
    """Return a file with items, each behind the other; `more` stands in the meta box."""
    head = ftyp()
    size = len(head) + len(_meta(items, 0, primary, more)) + 8
    meta = _meta(items, size, primary, more)
    return head + meta + box(b"mdat", *(item.data for item in items))


def _meta(items: Sequence[Item], start: int, primary: int, more: bytes) -> bytes:
    entries, places, owned = [], [], []
    properties: list[bytes] = []
    for number, item in enumerate(items, 1):
        entries.append(full(b"infe", pack(">HH", number, 0), item.kind, b"\0", version=2))
        places.append(pack(">HHHII", number, 0, 1, start, len(item.data)))
        start += len(item.data)
        numbers = range(len(properties) + 1, len(properties) + 1 + len(item.properties))
        owned.append(pack(">HB", number, len(item.properties)) + bytes(numbers))
        properties += item.properties
    return full(
        b"meta",
        full(b"pitm", pack(">H", primary)),
        full(b"iloc", b"\x44\0", pack(">H", len(items)), *places),
        full(b"iinf", pack(">H", len(items)), *entries),
        box(b"iprp", box(b"ipco", *properties), full(b"ipma", pack(">I", len(items)), *owned)),
        more,
    )


def obu(kind: int, data: bytes) -> bytes:
    """Return a part of an AV1 picture; its length takes two bytes."""
    return bytes([kind << 3 | 2, len(data) & 0x7F | 0x80, len(data) >> 7]) + data


def sequence(width: int, height: int, *, before: str = "000" + "1" + "1" + "00000") -> bytes:
    """Return a sequence header; `before` are the bits in front of the sizes, here those of a still picture."""
    bits = f"{before}{15:04b}{15:04b}{width - 1:016b}{height - 1:016b}"
    bits += "0" * (-len(bits) % 8)
    return obu(1, int(bits, 2).to_bytes(len(bits) // 8, "big"))
