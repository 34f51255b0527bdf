"""Schemas of answers, made of the wire structs, and the words that all modules of the document share."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Final, TypeAlias, get_args

import msgspec
from msgspec import UnsetType

from adapter.openai_api.wire import accounts, chat, errors, files, health, images, models, responses, usage, videos

#: A part of the document.
Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Schema: TypeAlias = Mapping[str, Json]

REFERENCE: Final = "#/components/schemas/{name}"
ANY: Final[Schema] = {"description": "Any JSON value."}
NULL: Final[Schema] = {"type": "null"}

#: What routes answer with, and the events of their streams. What these refer to comes along.
_ANSWERS: Final[tuple[type[msgspec.Struct], ...]] = (
    chat.ChatCompletion,
    chat.ChatChunk,
    errors.ErrorBody,
    errors.ErrorEvent,
    files.FileObject,
    files.FileList,
    files.FileDeleted,
    health.Health,
    images.ImagesResponse,
    images.ImageCompleted,
    models.ModelObject,
    models.ModelList,
    responses.ResponseObject,
    responses.ResponseDeleted,
    responses.ItemList,
    responses.Event,
    responses.StreamError,
    usage.ImagesUsagePage,
    usage.VideosUsagePage,
    usage.CostsPage,
    accounts.AccountList,
    videos.Video,
    videos.VideoList,
    videos.VideoDeleted,
    videos.VideoEvent,
)
_WIRE: Final[tuple[ModuleType, ...]] = (accounts, chat, errors, files, health, images, models, responses, usage, videos)


def reference(kind: type[msgspec.Struct]) -> Schema:
    """Return the reference to the schema of a struct."""
    return named(kind.__name__)


def named(name: str) -> Schema:
    """Return the reference to a schema."""
    return {"$ref": REFERENCE.format(name=name)}


def schema_of(kind: object) -> Schema:
    """Return the schema of a type of Python, which has no structs in it that refer to others."""
    return msgspec.json.schema(kind, schema_hook=_any)


def answer_schemas() -> Mapping[str, Schema]:
    """Return the schemas of all answers by name."""
    _, found = msgspec.json.schema_components(_ANSWERS, ref_template=REFERENCE, schema_hook=_any)
    kinds = {name: kind for module in _WIRE for name, kind in vars(module).items() if _is_struct(kind)}
    return {name: {**schema, **_fields(schema["properties"], kinds[name])} for name, schema in found.items()}


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _fields(properties: Mapping[str, Schema], kind: type[msgspec.Struct]) -> Schema:
    """Return the fields of an answer: one with a default is always in it, an unset one may be absent."""
    optional = {field.encode_name for field in msgspec.structs.fields(kind) if UnsetType in get_args(field.type)}
    return {
        "properties": {name: _without_default(field) for name, field in properties.items()},
        "required": [name for name in properties if name not in optional],
    }


def _without_default(field: Schema) -> Schema:
    return {key: value for key, value in field.items() if key != "default"}


def _any(_: type) -> dict[str, object]:
    """Return the schema of `object`."""
    return dict(ANY)
