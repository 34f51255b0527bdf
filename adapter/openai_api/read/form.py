"""`multipart/form-data`, piece by piece. Names, file names and content types of files are as clients please."""

import re
from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from multipart import MultipartSegment, ParserError, ParserLimitReached, PushMultipartParser, parse_options_header

from adapter.errors import InvalidRequest, RequestTooLarge
from adapter.openai_api.read.body import checked

#: OpenAI's widest request has 16 pictures, a mask and some 20 fields.
MOST_PARTS = 64
#: Of a field that is no file; the prompt is the longest of them.
MOST_TEXT_BYTES = 1024 * 1024
HEADER_BYTES = 8 * 1024
#: Of one part. Programs of mail add their own to the two or three that a form has.
MOST_HEADERS = 32
#: Of a field's name, in characters, where an error repeats it.
LONGEST_NAME = 64

#: `filename*=UTF-8''f%C3%BCchs.png` (RFC 8187).
_EXTENDED = re.compile(
    r";\s*filename\*\s*=\s*\"?(?P<charset>[\w-]+)'[^']*'(?P<name>[^;\s\"]*)", re.ASCII | re.IGNORECASE
)

_T = TypeVar("_T")
_Tree = dict[str, "str | list[str] | _Tree"]


class Part(msgspec.Struct, frozen=True):
    """A field of the form."""

    name: str
    data: bytes
    #: What the client calls the file, if it says so.
    filename: str = ""


class FormReader:
    """Takes a body as it arrives."""

    def __init__(self, content_type: str, *, most_file_bytes: int) -> None:
        kind, options = parse_options_header(content_type)
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise InvalidRequest(
                "The body has to be application/json or multipart/form-data with a boundary.", code="invalid_form"
            )
        self._parser = PushMultipartParser(
            options["boundary"].encode("latin-1", "replace"),
            max_segment_count=MOST_PARTS,
            max_segment_size=most_file_bytes,
            max_header_size=HEADER_BYTES,
            max_header_count=MOST_HEADERS,
            header_charset="latin-1",  # which takes every byte; what is UTF-8 is read as such below
        )
        self._parts: list[Part] = []
        self._name = ""
        self._filename = ""
        self._data = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next piece.

        Raises:
            InvalidRequest: it is not such a form.
            RequestTooLarge: a part is too large, or there are too many.
        """
        if self._parser.closed or not chunk:
            return
        try:
            for found in self._parser.parse(chunk):
                self._take(found)
        except ParserLimitReached as error:
            raise RequestTooLarge("The form has too many parts, or one that is too large.") from error
        except (ParserError, ValueError) as error:
            raise _unreadable() from error

    def _take(self, found: MultipartSegment | bytes | None) -> None:
        if found is None:
            self._parts.append(Part(self._name, bytes(self._data), self._filename))
        elif isinstance(found, MultipartSegment):
            self._name, self._filename, self._data = _as_sent(found.name or ""), _filename(found), bytearray()
        else:
            self._data += found

    def finish(self) -> tuple[Part, ...]:
        """Return the fields, once everything was fed.

        Raises:
            InvalidRequest: the form was cut.
        """
        try:
            self._parser.close()
        except ParserError as error:
            raise _unreadable() from error
        return tuple(self._parts)


def _as_sent(text: str) -> str:
    """Return what was read as Latin-1 in the charset of its sender: UTF-8 as a rule, and else Latin-1 indeed."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _filename(segment: MultipartSegment) -> str:
    """Return what the client calls the file; the extended form counts where there are both (RFC 6266, section 4.3)."""
    extended = _EXTENDED.search(dict(segment.headerlist).get("Content-Disposition", ""))
    if extended is not None:
        try:
            return unquote_to_bytes(extended["name"]).decode(extended["charset"])
        except (UnicodeError, LookupError):
            pass  # of a charset that it is not in, or that there is not: the plain form counts
    return _as_sent(segment.filename or "")


def _unreadable() -> InvalidRequest:
    return InvalidRequest("The multipart/form-data cannot be read.", code="invalid_form")


def read_fields(parts: Iterable[Part], kind: type[_T]) -> _T:
    """Return the fields that are no files as a request: numbers and booleans are texts here, `a[b]` is an object.

    Raises:
        InvalidRequest: a field of the wrong type; `param` names the field.
        RequestTooLarge: a text that is too long.
    """
    tree: _Tree = {}
    for part in parts:
        _plant(tree, part.name, _text(part))
    return checked(lambda: msgspec.convert(tree, kind, strict=False))


def _plant(tree: _Tree, name: str, text: str) -> None:
    """Put a value where its name says: `key`, `key[]` of a list, `key[inner]` of an object."""
    key, *inner = re.findall(r"[^\[\]]+|\[\]", name) or [name]
    while inner and inner[0] != "[]":
        below = tree.setdefault(key, {})
        if not isinstance(below, dict):
            raise _contradiction(name)
        tree, key, *inner = below, *inner
    value = tree.setdefault(key, [] if inner else text)
    if inner and isinstance(value, list):
        value.append(text)
    elif not inner and isinstance(value, str):
        tree[key] = text
    else:
        raise _contradiction(name)


def _contradiction(name: str) -> InvalidRequest:
    short = name[:LONGEST_NAME]
    return InvalidRequest(f"The field '{short}' contradicts an earlier one.", param=short, code="invalid_form")


def _text(part: Part) -> str:
    name = part.name[:LONGEST_NAME]
    if len(part.data) > MOST_TEXT_BYTES:
        raise RequestTooLarge(f"The field '{name}' is longer than {MOST_TEXT_BYTES} bytes; only a picture may be.")
    try:
        return part.data.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The field '{name}' is not UTF-8 and no field for a picture.", param=name) from error
