"""Single fields, checked the same way wherever they occur."""

from typing import TypeVar

from adapter.domain.orders import MAX_SEED
from adapter.errors import InvalidRequest

_T = TypeVar("_T")


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
    """Return a seed that fits into the upstreams' field."""
    if value is not None and not 0 <= value <= MAX_SEED:
        raise InvalidRequest(f"'seed' has to be 0 to {MAX_SEED}.", param="seed")
    return value


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
