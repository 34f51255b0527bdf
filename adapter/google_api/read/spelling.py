"""The two spellings of Google's names. Its clients mix `inlineData` and `inline_data` in one body."""

import re

from adapter.errors import InvalidRequest

_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")


def underscored(value: object, place: str = "") -> object:
    """Return decoded JSON with the keys of all objects in the spelling with underscores.

    Raises:
        InvalidRequest: a key came in both spellings.
    """
    if isinstance(value, list):
        return [underscored(each, f"{place}[{at}]") for at, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, object] = {}
    for key, inner in value.items():
        plain = _CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", key)
        name = f"{place}.{plain}" if place else plain
        if plain in found:
            raise InvalidRequest(f"'{name}' came in both of its spellings; leave one of them out.", param=name)
        found[plain] = underscored(inner, name)
    return found
