"""What an answer has to look like: OpenAI's published schemas, route by route, and its rules of event streams."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import msgspec
from jsonschema import Draft202012Validator, ValidationError

from tests.openapi import EXTRACT, Json

ERROR: Final = "ErrorResponse"
JSON_TYPE: Final = "application/json"
STREAM_TYPE: Final = "text/event-stream"
#: Statuses whose answers have no body (RFC 9110).
BODILESS: Final = frozenset({204, 304})


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back for a request."""

    method: str
    path: str
    status: int
    content_type: str
    body: bytes
    #: False where the client hung up before the end.
    whole: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status} {self.content_type}"


class Route(msgspec.Struct, frozen=True):
    """A route below `/v1` and the schemas of its answers: in one piece, and of each event of a stream."""

    method: str
    path: str
    piece: str
    event: str | None = None


ROUTES: Final = (
    Route("POST", r"/images/generations", "ImagesResponse", "ImageGenStreamEvent"),
    Route("POST", r"/images/edits", "ImagesResponse", "ImageEditStreamEvent"),
    Route("POST", r"/images/variations", "ImagesResponse"),
    Route("POST", r"/chat/completions", "CreateChatCompletionResponse", "CreateChatCompletionStreamResponse"),
    Route("POST", r"/responses", "Response", "ResponseStreamEvent"),
    Route("GET", r"/responses/[^/]+", "Response", "ResponseStreamEvent"),
    Route("POST", r"/responses/[^/]+/cancel", "Response"),
    Route("GET", r"/responses/[^/]+/input_items", "ResponseItemList"),
    Route("POST", r"/files", "OpenAIFile"),
    Route("GET", r"/files", "ListFilesResponse"),
    Route("GET", r"/files/[^/]+", "OpenAIFile"),
    Route("DELETE", r"/files/[^/]+", "DeleteFileResponse"),
    Route("GET", r"/models", "ListModelsResponse"),
    Route("GET", r"/models/.+", "Model"),
)
#: What OpenAI's document does not describe. Errors of these are OpenAI's all the same.
OURS: Final = {
    r"GET /(health|ready)": "for whoever watches over the process",
    r"(GET|HEAD) /media/[^/]+": "the files themselves, linked to from answers",
    r"GET /files/[^/]+/content": "a file's own bytes, of which the document says that they are JSON",
    r"DELETE /responses/[^/]+": "the document has an answer for failure only; the clients read none",
    r"OPTIONS /.*": "a browser's question, answered by headers",
}


class Deviation(msgspec.Struct, frozen=True):
    """A rule of a schema that we break knowingly."""

    schemas: tuple[str, ...]
    #: Where in the answer.
    field: tuple[str | int, ...]
    #: The keyword of JSON Schema.
    rule: str
    reason: str

    def excuses(self, schema: str, error: ValidationError) -> bool:
        """Say whether this is the rule that was broken."""
        return schema in self.schemas and error.validator == self.rule and tuple(error.absolute_path) == self.field


DEVIATIONS: Final = (
    Deviation(
        ("ImagesResponse", "ImageGenStreamEvent", "ImageEditStreamEvent"),
        ("size",),
        "enum",
        "the document lists three sizes, the newer clients any; Google draws others, and we report the real one",
    ),
)


def faults(answer: Answer, deviations: tuple[Deviation, ...] = DEVIATIONS) -> list[str]:
    """Return what is wrong with an answer, a sentence each."""
    try:
        return [f"{answer}: {fault}" for fault in _faults(answer, deviations)]
    except ValueError as error:
        return [f"{answer}: is not JSON: {error}"]


def _faults(answer: Answer, deviations: tuple[Deviation, ...]) -> Iterator[str]:
    if answer.method == "HEAD" or answer.status in BODILESS:
        if answer.body:
            yield "has a body"
        return
    if answer.status >= 300:
        yield from _piece(answer, ERROR, deviations)
        return
    path = re.sub(r"^(/v1){1,2}(?=/)", "", answer.path)
    if any(re.fullmatch(ours, f"{answer.method} {path}") for ours in OURS):
        return
    route = next((each for each in ROUTES if each.method == answer.method and re.fullmatch(each.path, path)), None)
    if route is None:
        yield "has no schema in the table of routes"
    elif answer.content_type.startswith(STREAM_TYPE):
        yield from _stream(answer, route.event, deviations)
    else:
        yield from _piece(answer, route.piece, deviations)


def _piece(answer: Answer, schema: str, deviations: tuple[Deviation, ...]) -> Iterator[str]:
    if answer.content_type != JSON_TYPE:
        yield f"is not {JSON_TYPE}"
    elif answer.whole:
        yield from _shape(json.loads(answer.body), schema, deviations)


def _stream(answer: Answer, schema: str | None, deviations: tuple[Deviation, ...]) -> Iterator[str]:
    """Check each event. What clients cannot read beyond its shape is measured in `openai.md` section 3."""
    *blocks, rest = answer.body.split(b"\n\n")
    if rest and answer.whole:
        yield f"ends in the middle of an event: {rest[:80]!r}"
    for block in blocks:
        lines = [line for line in block.split(b"\n") if not line.startswith(b":")]
        fields = dict(line.partition(b": ")[::2] for line in lines)
        if not lines:
            continue
        if len(fields) != len(lines) or not fields.keys() <= {b"event", b"data"} or b"data" not in fields:
            yield f"an event is not one line of data: {block[:80]!r}"
        elif schema is None:
            yield "has no schema for events in the table of routes"
        elif fields[b"data"] != b"[DONE]":
            yield from _event(fields, schema, deviations)


def _event(fields: dict[bytes, bytes], schema: str, deviations: tuple[Deviation, ...]) -> Iterator[str]:
    event: Mapping[str, Json] = json.loads(fields[b"data"])
    yield from _shape(event, ERROR if "error" in event else schema, deviations)
    name = fields.get(b"event")
    if name is not None and name.decode() != event.get("type"):
        yield f"an event is called {name.decode()!r} and says that it is {event.get('type')!r}"


def _shape(instance: Json, schema: str, deviations: tuple[Deviation, ...]) -> Iterator[str]:
    for error in validator(schema).iter_errors(instance):
        if not excused(error, schema, deviations):
            yield f"is not {schema}: {error.json_path}: {error.message:.300}"


def excused(error: ValidationError, schema: str, deviations: tuple[Deviation, ...]) -> bool:
    """Say whether an error is known, or one of a choice's branches has only known ones."""
    if any(deviation.excuses(schema, error) for deviation in deviations):
        return True
    branches: dict[object, list[ValidationError]] = {}
    for each in error.context or ():
        branches.setdefault(each.relative_schema_path[0], []).append(each)
    return any(all(excused(each, schema, deviations) for each in branch) for branch in branches.values())


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return the checker of one of the extract's schemas."""
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": {"schemas": _schemas()}})


@cache
def _schemas() -> Json:
    schemas: Json = json.loads(EXTRACT.read_text(encoding="utf-8"))
    return schemas
