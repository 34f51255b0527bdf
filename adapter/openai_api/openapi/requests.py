"""Schemas of requests: the fields of each route from its wire struct, and the names of media from `read/names.py`."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from adapter.openai_api.openapi.schemas import Json, Schema, named, schema_of
from adapter.openai_api.read.names import (
    CONTAINERS,
    FIELDS,
    FILE_FIELDS,
    FORMATS,
    OF_FILES,
    PICTURES,
    REFUSALS,
    spellings,
)
from adapter.openai_api.read.picture_sets import ROLES
from adapter.openai_api.read.pictures import ADDRESSES, BYTES, IDS, INNER
from adapter.openai_api.read.thinking import COMPLEXITIES, EFFORTS, OPEN
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest, RouteRequest
from adapter.openai_api.wire.responses import ResponsesRequest
from adapter.openai_api.wire.videos import RemixRequest, UpscaleRequest, VideosRequest, VideoWorkRequest

TEXT: Final[Schema] = {"type": "string"}
#: In a form everything is a text, and many programs write numbers so in JSON too.
WHOLE_NUMBER: Final[Schema] = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^-?[0-9]{1,40}(\.0+)?$"}]}
PIXELS: Final[Schema] = {
    "type": "object",
    "properties": {"width": WHOLE_NUMBER, "height": WHOLE_NUMBER},
    "required": ["width", "height"],
}
#: It has the same names again. It is no reference, because programs that copy what is referred to never come to an end.
INNER_CONTAINER: Final[Schema] = {"type": "object", "description": "As `MediaContainer`."}
#: The fields of `FIELDS` as clients may write them (docs/names.md).
VALUES: Final[Mapping[str, Schema]] = {
    "n": WHOLE_NUMBER,
    "size": {"anyOf": [TEXT, PIXELS]},
    "width": WHOLE_NUMBER,
    "height": WHOLE_NUMBER,
    "aspect_ratio": TEXT,
    "resolution": {"anyOf": [TEXT, {"type": "number"}, PIXELS]},
    "quality": TEXT,
    "output_format": TEXT,
    "output_compression": WHOLE_NUMBER,
    "seconds": {"anyOf": [{"type": "number"}, TEXT]},
    "seed": WHOLE_NUMBER,
    "thinking_level": TEXT,
    "complexity": {"enum": [*COMPLEXITIES, *sorted(OPEN)]},
    "reasoning_effort": {"enum": [*EFFORTS, *sorted(OPEN)]},
    "search": {"anyOf": [{"type": "object"}, {"type": "boolean"}, TEXT]},
}
MESSAGE: Final[Schema] = {
    "type": "object",
    "properties": {
        "role": TEXT,
        "content": {"anyOf": [TEXT, {"type": "null"}, {"type": "array", "items": {"type": "object"}}]},
    },
    "description": "A turn. The last one of role `user` is the prompt; docs/chat.md says what is read of it.",
}
#: What OpenAI writes with brackets in a form.
UPLOAD: Final[Schema] = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "A picture."},
        "purpose": {"enum": ["assistants", "vision", "user_data"]},
        "expires_after[anchor]": {"enum": ["created_at"]},
        "expires_after[seconds]": WHOLE_NUMBER,
    },
    "required": ["file", "purpose"],
}

#: Of each route: the struct, and the fields without which there is nothing to make.
_ROUTES: Final[Mapping[str, tuple[type[RouteRequest], tuple[str, ...]]]] = {
    "ImagesRequest": (ImagesRequest, ("prompt",)),
    "EditsRequest": (ImagesRequest, ("prompt",)),
    "VariationsRequest": (ImagesRequest, ()),
    "ChatRequest": (ChatRequest, ("model", "messages")),
    "ResponsesRequest": (ResponsesRequest, ()),
    "VideosRequest": (VideosRequest, ("prompt",)),
    "RemixRequest": (RemixRequest, ("prompt",)),
    "VideoWorkRequest": (VideoWorkRequest, ("prompt",)),
    "UpscaleRequest": (UpscaleRequest, ()),
}
#: Requests that may also be a form.
FORMS: Final = (
    *("ImagesRequest", "EditsRequest", "VariationsRequest"),
    *("VideosRequest", "RemixRequest", "VideoWorkRequest", "UpscaleRequest"),
)
#: Fields whose structs say less than their readers do.
_SPECIAL: Final[Mapping[str, Schema]] = {
    "messages": {"type": "array", "items": MESSAGE, "minItems": 1},
    # OpenAI's word in the Images API, its object in chats, and Gemini's container.
    "response_format": {"anyOf": [TEXT, {"type": "object"}]},
    "input": {"anyOf": [TEXT, {"type": "array", "items": {"type": "object"}}]},
    "stream_options": {"type": ["object", "null"], "properties": {"include_usage": {"type": ["boolean", "null"]}}},
    "tools": {"type": "array", "items": {"type": "object"}},
    # In a form also the file itself, or `video[id]`.
    "video": {"anyOf": [TEXT, {"type": "object", "properties": {"id": TEXT}, "required": ["id"]}]},
}
#: Fields that structs have only to refuse them by name.
_NEVER: Final = frozenset({"conversation", "characters", "frame_count", "frame_duration_ms", "svg"})


def request_schemas() -> Mapping[str, Schema]:
    """Return the schemas of all requests by name."""
    return {
        "Picture": _picture(),
        "Pictures": _one_or_more(named("Picture")),
        "PictureFiles": _one_or_more({"type": "string", "format": "binary"}),
        "MediaFields": _object(_media_names(named("Pictures"), named("MediaContainer"))),
        "MediaFormFields": _object(_media_names(named("PictureFiles"), named("MediaContainer"))),
        "MediaContainer": _object({**_media_names(named("Pictures"), INNER_CONTAINER), **_file_names()}),
        **{name: _request(name, "MediaFields") for name in _ROUTES},
        **{form_name(name): _request(name, "MediaFormFields") for name in FORMS},
        "FileUpload": UPLOAD,
    }


def form_name(name: str) -> str:
    """Return what the schema of a request as a form is called."""
    return f"{name}Form"


def _request(name: str, media: str) -> Schema:
    kind, required = _ROUTES[name]
    own = {field: _SPECIAL.get(field) or schema_of(of) for field, of in _own_fields(kind)}
    properties = {spelling: schema for field, schema in own.items() for spelling in sorted(spellings(field))}
    return {"allOf": [named(media), {**_object(properties), "required": list(required)}]}


def _own_fields(kind: type[RouteRequest]) -> Iterable[tuple[str, object]]:
    """Yield the fields that a route knows by themselves, and their types."""
    for field in msgspec.structs.fields(kind):
        is_refused = field.name in _NEVER or (field.name, kind) == ("prompt", ResponsesRequest)
        if field.name != "media" and not is_refused:
            yield field.name, field.type
    known = {"model", *kind.KNOWN}
    for field in msgspec.structs.fields(MediaRequest):
        if field.name in known - _NEVER:
            yield field.name, field.type


def _media_names(pictures: Schema, container: Schema) -> Mapping[str, Schema]:
    """Return the names that each route and each container knows; a refused name with the values that are harmless."""
    return {
        **{name: VALUES[FIELDS[name]] for name in sorted(FIELDS)},
        **dict.fromkeys(sorted(PICTURES), pictures),
        **dict.fromkeys(sorted(CONTAINERS - FORMATS), container),
        **_harmless(),
    }


def _harmless() -> Mapping[str, Schema]:
    return {
        name: {"enum": _written(refusal.harmless)}
        for refusal in REFUSALS
        for spelt in refusal.names
        for name in sorted(spellings(spelt))
        if refusal.harmless
    }


def _written(words: Iterable[str]) -> list[Json]:
    """Return words as texts, and as the JSON values that they are as well."""
    plain = {"true": True, "false": False, "-1": -1, "24": 24}
    return [*words, *(plain[word] for word in words if word in plain)]


def _file_names() -> Mapping[str, Schema]:
    """Return the names that only a container has. One of them is the name of a picture too."""
    or_picture: Schema = {"anyOf": [named("Pictures"), INNER_CONTAINER]}
    names = sorted(OF_FILES - FORMATS - CONTAINERS)
    inner = {name: or_picture if name in PICTURES else INNER_CONTAINER for name in names}
    return {**inner, **{name: VALUES[field] for name, field in sorted(FILE_FIELDS.items())}}


def _picture() -> Schema:
    words = dict.fromkeys((*ADDRESSES, *BYTES, *IDS, *ROLES), TEXT)
    within = {name: {"anyOf": [TEXT, {"type": "object"}]} for name in (*INNER, "image_url")}
    return {
        "anyOf": [TEXT, _object({**words, **within})],
        "description": "A data: URL, a public https address, a link of ours, base64, or an object with one of these "
        "or a `file_id`.",
    }


def _one_or_more(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties}
