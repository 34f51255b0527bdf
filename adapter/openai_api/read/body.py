"""Request bodies into wire structs."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from adapter.errors import UNREADABLE_JSON, InvalidRequest

_T = TypeVar("_T")


def read_json(body: bytes, kind: type[_T]) -> _T:
    """Decode a JSON body.

    Raises:
        InvalidRequest: not JSON, or a field of the wrong type; `param` names the field.
    """
    return checked(lambda: msgspec.json.decode(body, type=kind))


def checked(decode: Callable[[], _T]) -> _T:
    """Return what a decoder makes of a body.

    Raises:
        InvalidRequest: as `read_json`.
    """
    try:
        return decode()
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        param = re.sub(r"^`?\$\.?|`$", "", path) or None
        raise InvalidRequest(_for_people(message, param), param=param, code="invalid_type") from error
    except UNREADABLE_JSON as error:
        raise InvalidRequest("The request body is not valid JSON.", code="invalid_json") from error


#: The decoder's words for what JSON has, and people's.
WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _for_people(message: str, param: str | None) -> str:
    """Put a decoder's message into words: "'n' has to be a whole number, not text."."""
    found = re.fullmatch(r"Expected `(.+)`, got `(.+)`", message)
    if found is None:
        return f"{message}{f' in {param!r}' if param else ''}."
    wanted = [WORDS.get(kind, kind) for kind in found[1].split(" | ") if kind != "null"]
    what = f"'{param}'" if param else "The body"
    return f"{what} has to be {' or '.join(wanted)}, not {WORDS.get(found[2], found[2])}."
