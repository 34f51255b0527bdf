"""How an HTTP/1.1 answer is framed: where its head ends, and where its body. Pure.

An answer whose end can be read in two ways is refused: what one reader takes for its end, another takes for the next
answer. Source: RFC 9112, sections 4 to 7.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

#: Bytes of a head.
LONGEST_HEAD: Final = 64 * 1024
#: Bytes of a size line of a chunk, and of all trailer fields.
LONGEST_LINE: Final = 4096
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\0]*)?")
#: Statuses without a body (RFC 9112, section 6.3).
_BODILESS: Final = frozenset({204, 304})


class FramingError(Exception):
    """What came is no answer in HTTP/1.1, or has no certain end."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What the head of an answer says about its framing."""

    status: int
    #: Bytes of the head.
    size: int
    #: Bytes of the body; None: it is chunked, or ends with its connection.
    length: int | None
    is_chunked: bool
    #: Whether the server takes another request on this connection.
    is_kept: bool
    #: Its fields, by their names in small letters.
    fields: Mapping[bytes, Sequence[bytes]] = {}

    def value(self, name: str) -> str:
        """Return the first value of a field, empty if there is none. Bytes that are no UTF-8 come back by `encode`.

        `encode` has to be told `surrogateescape`.
        """
        values = self.fields.get(name.encode())
        return values[0].decode(errors="surrogateescape") if values else ""

    @property
    def is_interim(self) -> bool:
        """Whether another head follows (RFC 9110, section 15.2)."""
        return self.status < 200

    def is_whole(self, size: int) -> bool:
        """Return whether so many bytes are all of the body."""
        return self.length is not None and size >= self.length


class HeadReader:
    """Finds the head of an answer in what comes, behind the interim ones."""

    def __init__(self) -> None:
        #: The head and what came behind it, once it is whole.
        self.found: tuple[Head, bytes] | None = None
        self._begun = b""
        self._has_interim = False

    @property
    def has_begun(self) -> bool:
        """Whether anything of an answer has come."""
        return self.found is not None or self._has_interim or bool(self._begun)

    def feed(self, data: memoryview) -> None:
        """Take what has come.

        Raises:
            FramingError: it is no head, or too long.
        """
        came = memoryview(self._begun + data) if self._begun else data
        while (head := read_head(came)) is not None:
            came = came[head.size :]
            if not head.is_interim:
                self.found = head, bytes(came)
                return
            self._has_interim = True
        self._begun = bytes(came)
        if len(self._begun) >= LONGEST_HEAD:
            raise FramingError("length of the head")


def read_head(data: bytes | bytearray | memoryview) -> Head | None:
    """Return the head at the beginning of what has come; None if it is not whole.

    Raises:
        FramingError: it is none.
    """
    if (end := _HEAD_END.search(data)) is None:
        return None
    line, *lines = bytes(data[: end.start()]).replace(b"\r\n", b"\n").split(b"\n")
    if (found := _STATUS.fullmatch(line)) is None:
        raise FramingError("status line")
    fields = _fields(lines)
    status = int(found[2])
    if status == 101:
        raise FramingError("another protocol")
    is_chunked, length = _framing(fields)
    if status < 200 or status in _BODILESS:
        is_chunked, length = False, 0
    said = fields.get(b"connection")
    is_kept = found[1] == b"1" and not (said and any(b"close" in value.lower() for value in said))
    return Head(status=status, size=end.end(), length=length, is_chunked=is_chunked, is_kept=is_kept, fields=fields)


def _fields(lines: list[bytes]) -> dict[bytes, list[bytes]]:
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        if (found := _FIELD.fullmatch(line)) is None:
            raise FramingError("field")
        fields.setdefault(found[1].lower(), []).append(found[2].rstrip(b" \t"))
    return fields


def _framing(fields: dict[bytes, list[bytes]]) -> tuple[bool, int | None]:
    """Return whether a body is chunked, and its length if it has one."""
    codings, lengths = fields.get(b"transfer-encoding", []), fields.get(b"content-length", [])
    if codings:
        if lengths or [coding.lower() for coding in codings] != [b"chunked"]:
            raise FramingError("transfer-encoding")
        return True, None
    if not lengths:
        return False, None
    if len(lengths) > 1 or _LENGTH.fullmatch(lengths[0]) is None:
        raise FramingError("content-length")
    return False, int(lengths[0])


class Chunks:
    """Puts a chunked body together."""

    def __init__(self) -> None:
        self.body = bytearray()
        #: Whether the last chunk and its trailer have come.
        self.is_over = False
        #: Bytes behind the end. They belong to no answer.
        self.behind = 0
        self._line = bytearray()
        #: Bytes of the present chunk that have not come.
        self._missing = 0
        self._is_trailer = False
        #: Whether the line that comes is the empty one behind a chunk's data.
        self._is_data_end = False

    def feed(self, data: memoryview) -> None:
        """Take what has come.

        Raises:
            FramingError: it is not chunked.
        """
        at = 0
        while at < len(data):
            if self.is_over:
                self.behind += len(data) - at
                return
            at += self._data(data[at:]) if self._missing else self._part_of_line(data[at:])

    def take(self) -> bytes:
        """Return what has come since it was taken last, and let it go."""
        taken = bytes(self.body)
        self.body.clear()
        return taken

    def _data(self, data: memoryview) -> int:
        taken = data[: self._missing]
        self.body += taken
        self._missing -= len(taken)
        self._is_data_end = not self._missing
        return len(taken)

    def _part_of_line(self, data: memoryview) -> int:
        """Take bytes up to the end of a line; return how many."""
        near = bytes(data[: LONGEST_LINE + 1])
        end = near.find(b"\n")
        taken = near if end < 0 else near[: end + 1]
        self._line += taken
        if len(self._line) > LONGEST_LINE:
            raise FramingError("chunk")
        if end >= 0:
            line, self._line = bytes(self._line), bytearray()
            self._take_line(line.removesuffix(b"\n").removesuffix(b"\r"))
        return len(taken)

    def _take_line(self, line: bytes) -> None:
        if self._is_data_end:
            if line:
                raise FramingError("end of a chunk")
            self._is_data_end = False
        elif self._is_trailer:
            self.is_over = not line
        elif (size := _SIZE.fullmatch(line)) is None:
            raise FramingError("size of a chunk")
        else:
            self._missing = int(size[1], 16)
            self._is_trailer = not self._missing
