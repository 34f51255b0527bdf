"""Single fields, checked the same way wherever they occur."""

import re
from typing import TypeVar

from adapter.domain.orders import MAX_SEED
from adapter.errors import InvalidRequest

_T = TypeVar("_T")

#: The longest length that is read as one.
MOST_SECONDS = 999_999


def required(value: _T | None, param: str) -> _T:
    """Return a field that may not be absent."""
    if value is None:
        raise InvalidRequest(f"'{param}' is required.", param=param, code="missing_required_parameter")
    return value


def prompt(text: str, longest: int, param: str = "prompt") -> str:
    """Return a prompt that says something and is not too long."""
    said = text.strip()
    if not said:
        raise InvalidRequest("The prompt is empty.", param=param)
    if len(said) > longest:
        raise InvalidRequest(
            f"The prompt has {len(said)} characters; at most {longest} are allowed.",
            param=param,
            code="string_above_max_length",
        )
    return said


def seed(value: int | None) -> int | None:
    """Return a seed that fits into the upstreams' field, the same one for the same number each time.

    OpenAI's are any 64 bits, negative ones too.
    """
    return None if value is None else value % (MAX_SEED + 1)


def wrong_type(value: object, name: str, wanted: str) -> InvalidRequest:
    """Return what is told to a client whose field is of the wrong type."""
    kind = (
        str(value)
        if isinstance(value, float)
        else next((word for known, word in KINDS if isinstance(value, known)), "this")
    )
    return InvalidRequest(f"'{name}' has to be {wanted}, not {kind}.", param=name, code="invalid_type")


#: What a decoded value is, in people's words.
KINDS: tuple[tuple[type, str], ...] = (
    (str, "text"),
    (bool, "true or false"),
    (int, "a whole number"),
    (list, "a list"),
    (dict, "an object"),
)


def word_of(value: object, name: str) -> str:
    """Return a field that is a text.

    Raises:
        InvalidRequest: it is none.
    """
    if not isinstance(value, str):
        raise wrong_type(value, name, "text")
    return value


def format_of(value: object, name: str) -> str:
    """Return the format of a file, which Google's clients call by its MIME type: `image/jpeg` is `jpeg`.

    Raises:
        InvalidRequest: it is no text.
    """
    word = word_of(value, name).strip().lower().removeprefix("image/").removeprefix("video/")
    return "jpeg" if word == "jpg" else word


def whole_number(value: object, name: str) -> int:
    """Return a field that is a whole number: `1`, `1.0`, or the same as a text, as forms have it.

    Raises:
        InvalidRequest: it is none.
    """
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,40}(\.0{1,20})?", value.strip()):
        return int(value.strip().partition(".")[0])
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    raise wrong_type(value, name, "a whole number")


def seconds_of(value: object, name: str) -> float:
    """Return a length in seconds: a number, digits, or Google's `8s`.

    Raises:
        InvalidRequest: it is none.
    """
    if isinstance(value, str):
        found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s?(?:s|sec|secs|seconds)?", value.strip().lower())
        if found is None:
            raise InvalidRequest(f"'{name}' has to be a number of seconds, not '{value}'.", param=name)
        return float(found[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(value, name, "a number or text")
    if not abs(value) <= MOST_SECONDS:  # not a number is not smaller either
        raise InvalidRequest(f"'{name}' has to be a number of seconds up to {MOST_SECONDS}.", param=name)
    return float(value)


def one_of(value: str, allowed: list[str], param: str) -> str:
    """Return a word of a closed set."""
    if value not in allowed:
        raise InvalidRequest(f"'{value}' is not offered for '{param}'. Allowed: {', '.join(allowed)}.", param=param)
    return value


def switch(value: str | None, param: str) -> bool | None:
    """Return whether a query parameter is on or off; None where it is absent or empty."""
    if not value:
        return None
    return one_of(value.lower(), ["true", "1", "false", "0"], param) in {"true", "1"}
