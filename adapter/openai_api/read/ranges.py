"""The `Range` header (RFC 9110 section 14)."""

import re

import msgspec

from adapter.domain.numbers import whole_number
from adapter.errors import RangeNotSatisfiable

#: No file has a byte behind it.
LARGEST = 10**18


class ByteRange(msgspec.Struct, frozen=True):
    """Bytes from `start` up to but not including `end`."""

    start: int
    end: int


def byte_range(header: str | None, size: int) -> ByteRange | None:
    """Return the one range that is asked for, or None for the whole file.

    A header that is malformed or asks for several ranges may be ignored (RFC 9110 section 14.2), and is.

    Raises:
        RangeNotSatisfiable: the range lies outside the file.
    """
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = (whole_number(told, most=LARGEST) for told in match.groups())
    if first is None:
        found = ByteRange(max(0, size - (last or 0)), size)
    elif last is None:
        found = ByteRange(first, size)
    elif last < first:
        return None
    else:
        found = ByteRange(first, min(last + 1, size))
    if found.start >= found.end:
        fault = RangeNotSatisfiable(f"The file has {size} bytes; the range lies outside.")
        fault.headers = {"content-range": f"bytes */{size}"}
        raise fault
    return found


def is_unchanged(if_none_match: str | None, etag: str) -> bool:
    """Say whether a client already has the file (RFC 9110 section 13.1.2): any tag of the list, weakly compared."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return "*" in tags or etag in tags
