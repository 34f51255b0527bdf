"""Answers of Google with odd members. What was paid for is not lost for a member beside it that cannot be read."""

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from adapter.errors import UNREADABLE_JSON

_S = TypeVar("_S", bound=msgspec.Struct)
_T = TypeVar("_T")

#: In the place of what cannot be read.
_ODD = object()


def member(decoder: msgspec.json.Decoder[_T], raw: msgspec.Raw) -> _T | None:
    """Read one member or item by itself; None if it is absent or odd."""
    try:
        return decoder.decode(raw)
    except UNREADABLE_JSON:
        return None


def salvaged(raw: bytes | bytearray | msgspec.Raw, kind: type[_S]) -> _S | None:
    """Read a JSON object without its odd members and without odd items of its lists.

    An odd member has its default. None: it is no object, or a member without a default is missing or odd.
    """
    found = _object(raw, kind)
    return found if isinstance(found, kind) else None


def _object(raw: bytes | bytearray | msgspec.Raw, kind: type[msgspec.Struct]) -> object:
    members = _strict(raw, _unread(kind))
    if members is _ODD:
        return _ODD
    read: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        member: msgspec.Raw = getattr(members, field.name)
        value = _value(member, field.type) if bytes(member) else _ODD
        if value is not _ODD:
            read[field.name] = value
        elif field.required:
            return _ODD
    return kind(**read)


def _value(raw: msgspec.Raw, kind: Any) -> object:  # noqa: ANN401 - any type of a field
    read = _strict(raw, kind)
    if read is not _ODD:
        return read
    readings = (_part(raw, each) for each in _alternatives(kind))
    return next((found for found in readings if found is not _ODD), _ODD)


def _part(raw: msgspec.Raw, kind: Any) -> object:  # noqa: ANN401 - as above
    base, *limits = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if isinstance(base, type) and issubclass(base, msgspec.Struct):
        return _object(raw, base)
    if get_origin(base) is not tuple:
        return _ODD
    items = _strict(raw, Annotated[(tuple[msgspec.Raw, ...], *limits)] if limits else tuple[msgspec.Raw, ...])
    if not isinstance(items, tuple):
        return _ODD
    return tuple(found for item in items if (found := _value(item, get_args(base)[0])) is not _ODD)


def _alternatives(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    if get_origin(kind) in {Union, UnionType}:
        yield from get_args(kind)
    else:
        yield kind


def _strict(raw: bytes | bytearray | msgspec.Raw, kind: Any) -> object:  # noqa: ANN401 - as above
    try:
        return msgspec.json.decode(raw, type=kind)
    except UNREADABLE_JSON:
        return _ODD


@cache
def _unread(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return a kind with the same members, each of them unread. Others are not kept, however many there are."""
    fields = msgspec.structs.fields(kind)
    return msgspec.defstruct(
        kind.__name__,
        [(field.name, msgspec.Raw, msgspec.Raw()) for field in fields],
        rename={field.name: field.encode_name for field in fields},
    )
