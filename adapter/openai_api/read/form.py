"""`multipart/form-data`, piece by piece. Names, file names and content types of files are as clients please."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import islice, pairwise
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
#: What a form says, by name: parts, lists and objects of them.
Tree = dict[str, object]
#: The same while it grows: a list has numbers as keys.
_Node = dict[str | int, "Part | _Node"]
#: The key of `name[]`.
NEXT = -1
#: How deep names go, in brackets; the deepest that means something is `generationConfig[imageConfig][aspectRatio]`.
DEEPEST = 16


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
        self._most_file_bytes = most_file_bytes
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
            raise RequestTooLarge(
                f"A form has at most {MOST_PARTS} fields, of {self._most_file_bytes} bytes each, and {MOST_HEADERS} "
                f"headers of {HEADER_BYTES} bytes for each field."
            ) from error
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
    tree = texts(plant(parts))
    return checked(lambda: msgspec.convert(tree, kind, strict=False))


def is_empty(value: object) -> bool:
    """Say whether a field says nothing: null, or an empty text, list or part. Forms and many programs send such."""
    if value:
        return isinstance(value, Part) and not value.data
    return value is None or isinstance(value, str | list)


def plant(parts: Iterable[Part], lists: Container[str] = ()) -> Tree:
    """Return the parts that say something as a tree, by their names: `key`, `key[]`, `key[0]`, `key[inner]`.

    What stands under one of the names in `lists` is one of several, even where brackets do not say so.

    Raises:
        InvalidRequest: a name that contradicts an earlier one, or is nested too deeply.
    """
    root: _Node = {}
    for part in parts:
        if not is_empty(part):
            path = _path(part.name)
            is_one = path[0] in lists and not (len(path) > 1 and isinstance(path[1], int))
            _put(root, [path[0], NEXT, *path[1:]] if is_one else path, part)
    return {str(key): _settled(value) for key, value in root.items()}


def texts(tree: Mapping[str, object]) -> dict[str, object]:
    """Return a tree whose parts are texts.

    Raises:
        InvalidRequest: a part is no text.
        RequestTooLarge: one is too long.
    """
    return {key: _texts(value) for key, value in tree.items()}


def _texts(value: object) -> object:
    if isinstance(value, Part):
        return _text(value)
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return texts(value) if isinstance(value, dict) else value


def _path(name: str) -> list[str | int]:
    """Take a name apart. In brackets stand nothing, a number, or the name of a field."""
    if name.count("[") > DEEPEST:
        short = name[:LONGEST_NAME]
        raise InvalidRequest(
            f"The field '{short}' is nested deeper than {DEEPEST} levels.", param=short, code="invalid_form"
        )
    first, *inner = re.findall(r"[^\[\]]+|\[\]", name) or [name]
    return [first, *(NEXT if key == "[]" else int(key) if re.fullmatch(r"[0-9]{1,6}", key) else key for key in inner)]


def _put(node: _Node, path: Sequence[str | int], part: Part) -> None:
    for key, below in pairwise(path):
        place = _place(node, key, below, part)
        inner = node.setdefault(place, {})
        if not isinstance(inner, dict):
            raise _contradiction(part.name)
        node = inner
    place = _place(node, path[-1], None, part)
    if isinstance(node.get(place), dict):
        raise _contradiction(part.name)
    node[place] = part


def _place(node: _Node, key: str | int, below: str | int | None, part: Part) -> str | int:
    """Return where a key leads in a list or an object. `[]` is a new entry, or the last one that lacks the field."""
    if any(isinstance(known, int) != isinstance(key, int) for known in islice(node, 1)):
        raise _contradiction(part.name)
    if key != NEXT or isinstance(key, str):
        return key
    last = max((at for at in node if isinstance(at, int)), default=-1)
    entry = node.get(last)
    is_open = isinstance(below, str) and isinstance(entry, dict) and below not in entry
    return last if is_open else last + 1


def _settled(value: "_Node | Part") -> object:
    if isinstance(value, Part):
        return value
    if all(isinstance(key, int) for key in value):
        return [_settled(inner) for inner in value.values()]
    return {str(key): _settled(inner) for key, inner in value.items()}


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
