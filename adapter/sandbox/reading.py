"""Strict reading of proto3 JSON: camelCase and snake_case at every level, nothing unknown.

google-genai 3.4 mixes both cases in one body (`gemini.md` section 8.4 point 1); Google refuses unknown names with the
message that is built here (`gemini.md` section 1.3, litellm#20050).
"""

import re
from functools import cache
from typing import TypeVar

import msgspec
from msgspec import inspect

from adapter.sandbox.google_errors import FieldViolation, GoogleError, bad_fields, bad_value, unknown_name

Shape = TypeVar("Shape", bound=msgspec.Struct)

_LOCATED = re.compile(r"^(?P<why>.*) - at `\$\.?(?P<where>.*)`$", re.DOTALL)


def read(body: bytes, shape: type[Shape]) -> Shape:
    """Return a request body as `shape`, whose fields are snake_case with camelCase wire names.

    Raises:
        GoogleError: 400, for broken JSON, unknown names (all of them at once) and values of a wrong type.
    """
    try:
        tree: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GoogleError(400, f"Invalid JSON payload received. {error}") from error
    unknown: list[FieldViolation] = []
    tree = _renamed(tree, _type_of(shape), "", unknown)
    if unknown:
        raise bad_fields(*unknown)
    try:
        return msgspec.convert(tree, shape)
    except msgspec.ValidationError as error:
        raise _wrong_value(str(error)) from error


def _renamed(tree: object, kind: inspect.Type, path: str, unknown: list[FieldViolation]) -> object:
    """Return the tree with wire names only; add names that `kind` does not know to `unknown`."""
    match tree, kind:
        case list(), inspect.ListType():
            return [_renamed(item, kind.item_type, f"{path}[{at}]", unknown) for at, item in enumerate(tree)]
        case dict(), inspect.StructType():
            return _renamed_object(tree, kind, path, unknown)
        case _, inspect.UnionType():
            inner = next((one for one in kind.types if not isinstance(one, inspect.NoneType)), kind)
            return _renamed(tree, inner, path, unknown)
        case _:
            return tree


def _renamed_object(
    tree: dict[str, object], kind: inspect.StructType, path: str, unknown: list[FieldViolation]
) -> dict[str, object]:
    names = _names(kind)
    out: dict[str, object] = {}
    for name, value in tree.items():
        field = names.get(name)
        if field is None:
            unknown.append(unknown_name(path, name))
        elif value is not None:  # proto3 JSON reads null as absent
            inner = f"{path}.{field.name}" if path else field.name
            out[field.encode_name] = _renamed(value, field.type, inner, unknown)
    return out


@cache
def _type_of(shape: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(shape)


def _names(kind: inspect.StructType) -> dict[str, inspect.Field]:
    return {name: field for field in kind.fields for name in (field.name, field.encode_name)}


def _wrong_value(text: str) -> GoogleError:
    """Put what msgspec found wrong into Google's form, with the path in proto names."""
    located = _LOCATED.match(text)
    if located is None or not located["where"]:
        return GoogleError(400, f"Invalid JSON payload received. {text}")
    return bad_value(re.sub(r"(?<=[a-z0-9])[A-Z]", lambda big: f"_{big[0].lower()}", located["where"]), located["why"])
