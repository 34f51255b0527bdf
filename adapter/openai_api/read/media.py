"""Any request for pictures or videos, JSON or form, into its wire struct: the one reader of the names in `names.py`.

What a client says of media is moved from the name that it used to our own field of `MediaRequest`, which remembers the
name for errors. The other fields stay with the route.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

import msgspec

from adapter.errors import UNREADABLE_JSON, InvalidRequest
from adapter.openai_api.read.body import checked, read_json
from adapter.openai_api.read.form import DEEPEST, Part, is_empty, plant, texts
from adapter.openai_api.read.json_size import check_json_size
from adapter.openai_api.read.names import (
    CONTAINERS,
    FIELDS,
    FILE_FIELDS,
    FORMATS,
    INNER_CONTAINERS,
    OF_FILES,
    PICTURES,
    READERS,
    REFUSED,
    SEARCH,
    TOOLS,
    spellings,
)
from adapter.openai_api.read.picture_sets import listed, one_set
from adapter.openai_api.read.searches import search_tools
from adapter.openai_api.wire.media import MediaRequest, Picture, RouteRequest

#: A request, decoded and not yet judged.
Tree = Mapping[str, object]

_Request = TypeVar("_Request", bound=RouteRequest)

#: Keys that are moved. `response_format` stays too: it is also a field of OpenAI's.
_MOVED = frozenset({*FIELDS, *PICTURES, *CONTAINERS}) - FORMATS


class _Found(msgspec.Struct, frozen=True):
    """A value, the key that it stands under, and the whole way to it."""

    key: str
    name: str
    value: object


class _Named(NamedTuple):
    """Values by their fields, and the names that the client used for them."""

    values: Mapping[str, object]
    names: Mapping[str, str]


def read_media_json(body: bytes, kind: type[_Request]) -> _Request:
    """Return a JSON body as a request.

    Raises:
        InvalidRequest: not JSON, a field of the wrong type, a wish that none of the models grants, or two names for one
            thing that contradict each other. `param` is the name as it was sent.
        RequestTooLarge: as `read_json`.
    """
    return read_tree(read_json(body, dict[str, object]), kind)


def read_media_form(parts: Sequence[Part], kind: type[_Request]) -> _Request:
    """Return a form as a request.

    Raises:
        InvalidRequest, RequestTooLarge: as `read_media_json` and `read_fields`.
    """
    return read_tree(plant(parts, lists=PICTURES), kind, is_form=True)


def read_tree(tree: Tree, kind: type[_Request], *, inside: str = "", is_form: bool = False) -> _Request:
    """Return a decoded request as the struct of its route. `inside` is where it stands in a larger request.

    Raises:
        InvalidRequest: as `read_media_json`.
    """
    found = [*_found(tree, inside, parent="", is_form=is_form)]
    moved = _moved(found)
    rest = {key: _whole(value) for key, value in tree.items() if key not in _MOVED and not is_empty(value)}
    own = _by_field(texts(rest) if is_form else rest, kind, inside)
    names, known = {**own.names, **moved.names}, {"model", *kind.KNOWN}
    said = {**{field: value for field, value in own.values.items() if field in known}, **moved.values}
    media = checked(lambda: msgspec.convert(said, MediaRequest, strict=not is_form), names)
    request = checked(lambda: msgspec.convert(own.values, kind, strict=not is_form), names)
    pictures = [one for one in found if one.key in PICTURES]
    if pictures:
        media = msgspec.structs.replace(media, pictures=_pictures(pictures))
        names["pictures"] = pictures[0].name
    media = msgspec.structs.replace(media, names=names)
    return msgspec.structs.replace(request, media=media)


def _by_field(rest: Mapping[str, object], kind: type[RouteRequest], inside: str) -> _Named:
    """Return the fields that the route knows by themselves. Each may come in its other spelling (`sizePolicy`).

    Raises:
        InvalidRequest: both spellings came and say different things.
    """
    fields = _fields_of(kind)
    values: dict[str, object] = {}
    names: dict[str, str] = {}
    for key, value in rest.items():
        is_container = key in FORMATS and isinstance(value, dict)  # Google's, which is read elsewhere
        field = fields.get(key)
        if field is None or (is_container and field != key):
            continue
        name = _path(inside, key, is_form=False) if inside else key
        if field in values and values[field] != value:
            raise contradiction(names[field], name)
        values[field], names[field] = value, name
    return _Named(values, names)


@cache
def _fields_of(kind: type[RouteRequest]) -> Mapping[str, str]:
    """Return the fields that a route knows by themselves, by each of their spellings."""
    known = {"model", *kind.KNOWN, *kind.__struct_fields__} - {"media"}
    return {spelling: field for field in known for spelling in spellings(field)}


def _found(tree: Tree, inside: str, *, parent: str, is_form: bool) -> Iterator[_Found]:
    """Yield what the table knows, and refuse what none of the models does."""
    for key, value in tree.items():
        if is_empty(value):
            continue
        name = _path(inside, key, is_form=is_form) if inside else key
        is_container = key in CONTAINERS or (key in INNER_CONTAINERS and parent in FORMATS)
        below = _opened(value) if is_container and name.count("." if not is_form else "[") < DEEPEST else None
        if below is not None:
            yield from _found(below, name, parent=key, is_form=is_form)
        elif key == TOOLS:
            tools = _decoded(value)
            for tool in search_tools(texts({key: tools})[key] if is_form else tools, name):
                yield _Found(SEARCH, tool.name, tool.value)
        elif key in REFUSED:
            _refuse(key, name, _plain(value))
        elif key in FILE_FIELDS and parent in OF_FILES:
            yield _Found(FILE_FIELDS[key], name, _plain(value))
        elif key in PICTURES or key in FIELDS:
            yield _Found(key, name, value if key in PICTURES else _plain(value))


def _path(inside: str, key: str, *, is_form: bool) -> str:
    return f"{inside}[{key}]" if is_form else f"{inside}.{key}"


def _opened(value: object) -> Tree | None:
    """Return a container's fields. Some clients write one into a form as JSON."""
    decoded = _decoded(value)
    return decoded if isinstance(decoded, dict) else None


def _decoded(value: object) -> object:
    if not isinstance(value, Part):
        return value
    check_json_size(value.data)
    try:
        return msgspec.json.decode(value.data)
    except UNREADABLE_JSON:
        return None


def _plain(value: object) -> object:
    """Return a value of a form as the text that it is; a file is only known to be there."""
    if not isinstance(value, Part):
        return value
    try:
        return value.data.decode()
    except UnicodeDecodeError:
        return value


def _whole(value: object) -> object:
    """Return `1.0` as the whole number that it is: JavaScript and protobuf write one so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _refuse(key: str, name: str, value: object) -> None:
    refusal = REFUSED[key]
    if isinstance(value, str | int | float) and str(value).lower() in refusal.harmless:
        return
    raise InvalidRequest(refusal.advice.format(name=name), param=name)


def _moved(found: Sequence[_Found]) -> _Named:
    """Return the fields of the table.

    Raises:
        InvalidRequest: a value of the wrong type, or two names that say different things.
    """
    fields: dict[str, _Found] = {}
    for one in _sized([one for one in found if one.key in FIELDS]):
        field = FIELDS[one.key]
        value = READERS[field](one.value, one.name)
        if value is None:
            continue
        earlier = fields.setdefault(field, _Found(field, one.name, value))
        if earlier.value is not value and _alike(earlier.value) != _alike(value):
            raise contradiction(earlier.name, one.name, f" ({earlier.value} and {value})")
    return _Named(
        {field: one.value for field, one in fields.items()}, {field: one.name for field, one in fields.items()}
    )


def contradiction(one: str, other: str, values: str = "") -> InvalidRequest:
    """Return what is told to a client that says two things of one."""
    return InvalidRequest(f"'{one}' and '{other}' contradict each other{values}; leave one of them out.", param=other)


def _alike(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _sized(found: Sequence[_Found]) -> Iterator[_Found]:
    """Yield the fields. What names pixels in another way is a `size`."""
    sides = {one.key: one for one in found if one.key in {"width", "height"}}
    for one in found:
        if one.key not in sides:
            is_size = FIELDS[one.key] == "resolution" and _names_pixels(one)
            yield _Found("size", one.name, one.value) if is_size else one
        elif len(sides) == 1:
            raise InvalidRequest(f"'{one.name}' alone is no size; give 'width' and 'height'.", param=one.name)
        elif one.key == "width":
            yield _Found("size", one.name, {key: side.value for key, side in sides.items()})


def _names_pixels(one: _Found) -> bool:
    return isinstance(one.value, dict) or (isinstance(one.value, str) and "x" in one.value.lower())


def _pictures(found: Sequence[_Found]) -> tuple[Picture, ...]:
    """Return the pictures under all their names. The same ones under two names are meant once.

    Raises:
        InvalidRequest: two names for one thing bring different pictures.
    """
    sets: dict[str, Sequence[Picture]] = {}
    for one in found:
        if pictures := tuple(listed(one.value, one.name, PICTURES[one.key] or None)):
            sets[one.name] = pictures
    return one_set(sets)
