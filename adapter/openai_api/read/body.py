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
        raise InvalidRequest(
            f"{message}{f' in {param!r}' if param else ''}.", param=param, code="invalid_type"
        ) from error
    except UNREADABLE_JSON as error:
        raise InvalidRequest("The request body is not valid JSON.", code="invalid_json") from error
