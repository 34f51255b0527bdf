"""OpenAI's published schemas, as far as our answers need them.

The whole document is 2 MB, so `tests/golden/openai/schemas.json` holds an extract. `python -m tests.openapi` makes it
again from the document at OPENAI_OPENAPI; `tests/test_openapi.py` holds it to that.
"""

import gzip
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from tests.support import GOLDEN

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | float | bool | None"

DOCUMENT: Final = Path(os.environ.get("OPENAI_OPENAPI", "no document"))
EXTRACT: Final = GOLDEN / "openai" / "schemas.json"

#: What our routes answer with; whatever these refer to comes along.
NAMES: Final = (
    "ImagesResponse",
    "ImageGenStreamEvent",
    "ImageEditStreamEvent",
    "CreateChatCompletionResponse",
    "CreateChatCompletionStreamResponse",
    "Response",
    "ResponseStreamEvent",
    "ResponseItemList",
    "OpenAIFile",
    "ListFilesResponse",
    "DeleteFileResponse",
    "VideoResource",
    "VideoListResource",
    "DeletedVideoResource",
    "ListModelsResponse",
    "Model",
    "ErrorResponse",
)

#: Keys that say nothing about an answer's shape.
PROSE: Final = frozenset({"description", "title", "example", "examples", "default", "deprecated", "discriminator"})
#: Keys whose value maps names of the vendor's choice to schemas.
NAMED: Final = frozenset({"properties", "$defs"})


def read_document(path: Path) -> Mapping[str, Json]:
    """Return the schemas of the whole document by name."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        schemas: Mapping[str, Json] = json.load(file)["components"]["schemas"]
        return schemas


def extract(schemas: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the schemas that are needed, as JSON Schema 2020-12 and without prose."""
    needed: dict[str, Json] = {}
    waiting = list(NAMES)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = plain(schemas[name])
            waiting.extend(references(needed[name]))
    return dict(sorted(needed.items()))


def plain(schema: Json) -> Json:
    """Return a schema without prose, and with the `nullable` that is left over from OpenAPI 3.0 in today's words."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: _value(key, value) for key, value in schema.items() if key not in PROSE and not key.startswith("x-")}
    if kept.pop("nullable", False):
        return {"anyOf": [kept, {"type": "null"}]}
    return kept


def _value(key: str, value: Json) -> Json:
    if key in NAMED and isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return plain(value)


def references(schema: Json) -> Iterator[str]:
    """Yield the names of the schemas that a schema refers to."""
    if isinstance(schema, list):
        for each in schema:
            yield from references(each)
    elif isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix("#/components/schemas/")
            else:
                yield from references(value)


def written(schemas: Mapping[str, Json]) -> str:
    """Return the extract as it stands in its file."""
    return json.dumps(schemas, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    EXTRACT.write_text(written(extract(read_document(DOCUMENT))), encoding="utf-8")
