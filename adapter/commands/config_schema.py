"""The JSON schema of a configuration file, for editors of TOML. The comments of the shipped file explain its keys."""

from typing import TypeAlias

import msgspec

from adapter.commands.config_comments import comments
from adapter.providers import registry
from adapter.settings import file_type
from adapter.toml_file import Key

#: A part of a schema.
_Part: TypeAlias = dict[str, object]


def config_schema() -> str:
    """Return the schema as JSON (JSON Schema 2020-12)."""
    schema = msgspec.json.schema(file_type(registry.BUILT_IN))
    for key, words in comments().items():
        if (place := _property(schema, key)) is not None:
            place["description"] = words
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "adapter.toml", **schema}
    return msgspec.json.format(msgspec.json.encode(whole)).decode()


def _property(schema: _Part, key: Key) -> _Part | None:
    """Return the part of the schema that is about a key; None if it is in a table of free names."""
    place = schema
    for part in key:
        place = _resolved(schema, place)
        inner = place.get("items") if isinstance(part, int) else _inner(place, "properties", part)
        if not isinstance(inner, dict):
            return None
        place = inner
    return place


def _resolved(schema: _Part, place: _Part) -> _Part:
    """Follow references, and leave None out of several types."""
    while True:
        match place:
            case {"$ref": str() as reference}:
                inner = _inner(schema, "$defs", reference.rpartition("/")[2])
            case {"anyOf": [*several]}:
                inner = next(each for each in several if each != {"type": "null"})
            case _:
                return place
        if not isinstance(inner, dict):
            return place
        place = inner


def _inner(place: _Part, *names: str) -> object:
    inner: object = place
    for name in names:
        inner = inner.get(name) if isinstance(inner, dict) else None
    return inner
