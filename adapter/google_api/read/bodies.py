"""Bodies into the structs of `wire`, with the words of Google's own refusals."""

import re
from typing import TypeVar

import msgspec

from adapter.errors import InvalidRequest
from adapter.google_api.read.spelling import underscored
from adapter.google_api.wire.requests import NativeMedia
from adapter.openai_api.read.body import checked, read_json
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.wire.media import MediaRequest

_Body = TypeVar("_Body", bound=msgspec.Struct)

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.+?)`")


def read_native(body: bytes, kind: type[_Body]) -> _Body:
    """Return a JSON body as a struct.

    Raises:
        InvalidRequest: not JSON, an unknown field, or a field of the wrong type; `param` names it.
        RequestTooLarge: it has too many values.
    """
    tree = underscored(read_json(body, dict[str, object]))
    try:
        return checked(lambda: msgspec.convert(tree, kind))
    except InvalidRequest as fault:
        raise _unknown_field(fault) or fault from fault


def _unknown_field(fault: InvalidRequest) -> InvalidRequest | None:
    """Say in Google's words that there is no such field; None for another fault."""
    found = _UNKNOWN.match(fault.message)
    if found is None:
        return None
    place, name = fault.param, found["name"]
    at = f" at '{place}'" if place else ""
    return InvalidRequest(
        f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.',
        param=f"{place}.{name}" if place else name,
        code="unknown_parameter",
    )


def media_of(tree: dict[str, object], model: str) -> MediaRequest:
    """Return what fields say of media, read by the one reader of these names.

    Raises:
        InvalidRequest: as `read_tree`.
    """
    return msgspec.structs.replace(read_tree(tree, NativeMedia).media, model=model)


def refuse(value: object, name: str, advice: str) -> None:
    """Refuse a field that means something, and nothing to a picture.

    Raises:
        InvalidRequest: it is there.
    """
    if value is not None and value not in ({}, [], ""):
        raise InvalidRequest(f"{advice} Leave '{name}' out.", param=name)
