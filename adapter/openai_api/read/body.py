"""Request bodies into wire structs."""

import codecs
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from adapter.errors import UNREADABLE_JSON, InvalidRequest
from adapter.openai_api.read.json_size import check_json_size

_T = TypeVar("_T")

NO_NAMES: Mapping[str, str] = {}

#: The code of an error about a body that is none.
NOT_JSON = "invalid_json"
#: `model=…`, as curl sends it with `-d` and HTML forms do, or the boundary of `multipart/form-data`.
FORM = re.compile(rb"--|[\w.\[\]%-]{1,64}=")
#: The decoder's words: what it met, and at which byte.
MALFORMED = re.compile(r"JSON is malformed: (.+)")


def read_json(body: bytes, kind: type[_T]) -> _T:
    """Decode a JSON body.

    Raises:
        InvalidRequest: not JSON, nested too deeply, or a field of the wrong type; `param` names the field.
        RequestTooLarge: it has too many values.
    """
    check_json_size(body)
    try:
        return checked(lambda: msgspec.json.decode(body, type=kind))
    except InvalidRequest as fault:
        if fault.code != NOT_JSON:
            raise
        flaw = _flaw(body, fault.__cause__)
        raise InvalidRequest(f"The request body is not valid JSON: {flaw}.", code=NOT_JSON) from fault


def _flaw(body: bytes, error: BaseException | None) -> str:
    """Say what keeps a body from being JSON."""
    if not body.strip():
        return "it is empty"
    if body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "it begins with a byte order mark; send UTF-8 without one"
    if FORM.match(body):
        return "it is a form; send JSON instead"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    found = MALFORMED.match(str(error))
    return found[1] if found else "its end is missing"


def checked(decode: Callable[[], _T], names: Mapping[str, str] = NO_NAMES) -> _T:
    """Return what a decoder makes of a body. `names` says what the client calls the fields.

    Raises:
        InvalidRequest: as `read_json`.
    """
    try:
        return decode()
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        place = re.sub(r"^`?\$\.?|`$", "", path)
        param = re.sub(r"^\w+", lambda field: names.get(field[0], field[0]), place) or None
        raise InvalidRequest(_for_people(message, param), param=param, code="invalid_type") from error
    except UNREADABLE_JSON as error:
        raise InvalidRequest("The request body is not valid JSON.", code=NOT_JSON) from error


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
#: What a number is that is not a whole one.
FRACTION = "a number with a fraction"


def _for_people(message: str, param: str | None) -> str:
    """Put a decoder's message into words: "'n' has to be a whole number, not text."."""
    found = re.fullmatch(r"Expected `(.+)`, got `(.+)`", message)
    if found is None:
        return f"{message}{f' in {param!r}' if param else ''}."
    wanted = [WORDS.get(kind, kind) for kind in found[1].split(" | ") if kind != "null"]
    what = f"'{param}'" if param else "The body"
    got = FRACTION if found[2] == "float" else WORDS.get(found[2], found[2])
    return f"{what} has to be {' or '.join(wanted)}, not {got}."
