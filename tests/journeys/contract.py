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
    #: The field of an event that the schema is for, and whether events are numbered: in streams that are ours.
    inside: str | None = None
    numbered: bool = False


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
    Route("POST", r"/videos(/[^/]+/(remix|upscale)|/edits|/extensions)?", "VideoResource"),
    Route("GET", r"/videos", "VideoListResource"),
    Route("GET", r"/videos/[^/]+", "VideoResource"),
    Route("DELETE", r"/videos/[^/]+", "DeletedVideoResource"),
    Route("GET", r"/videos/[^/]+/events", ERROR, "VideoResource", inside="video", numbered=True),
    Route("GET", r"/models", "ListModelsResponse"),
    Route("GET", r"/models/.+", "Model"),
)
#: What OpenAI's document does not describe. Errors of these are OpenAI's all the same.
OURS: Final = {
    r"GET /(health|ready)": "for whoever watches over the process",
    r"GET /openapi\.json": "the description of the routes",
    r"GET /organization/accounts": "for the page of operators; OpenAI has no accounts at Google",
    r"(GET|HEAD) /media/[^/]+": "the files themselves, linked to from answers",
    r"GET /files/[^/]+/content": "a file's own bytes, of which the document says that they are JSON",
    r"DELETE /responses/[^/]+": "the document has an answer for failure only; the clients read none",
    r"(GET|HEAD) /videos/[^/]+/content": "the files themselves",
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
    Deviation(
        ("VideoResource",),
        ("size",),
        "enum",
        "the document lists the sizes of Sora; a finer video has another one, and we report the real one",
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
    path = re.sub(r"^((/v1)?/openai(/v1|/deployments/[^/]+)?|(/v1){1,2})(?=/)", "", answer.path)
    if any(re.fullmatch(ours, f"{answer.method} {path}") for ours in OURS):
        return
    route = next((each for each in ROUTES if each.method == answer.method and re.fullmatch(each.path, path)), None)
    if route is None:
        yield "has no schema in the table of routes"
    elif answer.content_type.startswith(STREAM_TYPE):
        yield from _stream(answer, route, deviations)
    else:
        yield from _piece(answer, route.piece, deviations)


def _piece(answer: Answer, schema: str, deviations: tuple[Deviation, ...]) -> Iterator[str]:
    if answer.content_type != JSON_TYPE:
        yield f"is not {JSON_TYPE}"
    elif answer.whole:
        yield from _shape(json.loads(answer.body), schema, deviations)


def _stream(answer: Answer, route: Route, deviations: tuple[Deviation, ...]) -> Iterator[str]:
    """Check each event. What clients cannot read beyond its shape is measured in `openai.md` section 3."""
    yield from _as_in_go(answer.body)
    *blocks, rest = answer.body.split(b"\n\n")
    if _without_comments(rest) not in ([], [b""]) and answer.whole:
        yield f"ends in the middle of an event: {rest[:80]!r}"
    numbers: list[bytes] = []
    for block in blocks:
        lines = _without_comments(block)
        fields = dict(line.partition(b": ")[::2] for line in lines)
        if not lines:
            yield "has a blank line that ends no event"
            continue
        if b"data" not in fields or len(fields) != len(lines) or not fields.keys() <= _allowed(route, fields):
            yield f"an event is not one line of data: {block[:80]!r}"
        elif route.event is None:
            yield "has no schema for events in the table of routes"
        elif fields[b"data"] != b"[DONE]":
            numbers += [fields[b"id"]] if b"id" in fields else []
            yield from _event(fields, route, deviations)
    if numbers and numbers != [b"%d" % number for number in range(int(numbers[0]), int(numbers[0]) + len(numbers))]:
        yield f"has gaps: {numbers}"


def _as_in_go(body: bytes) -> Iterator[str]:
    """Read as openai-go before 3.43 does (`packages/ssestream`): a blank line ends an event, which has to be JSON."""
    data = b""
    for line in body.split(b"\n")[:-1]:
        name, _, value = line.partition(b":")
        if name == b"data":
            data += value.removeprefix(b" ") + b"\n"
        elif not line and data.startswith(b"[DONE]"):
            return
        elif not line:
            try:
                json.loads(data)
            except ValueError as error:
                yield f"Go's client fails: {error}"
            data = b""


def _without_comments(block: bytes) -> list[bytes]:
    return [line for line in block.split(b"\n") if not line.startswith(b":")]


def _allowed(route: Route, fields: Mapping[bytes, bytes]) -> set[bytes]:
    return {b"event", b"data", b"id"} if route.numbered and fields.get(b"event") != b"error" else {b"event", b"data"}


def _event(fields: dict[bytes, bytes], route: Route, deviations: tuple[Deviation, ...]) -> Iterator[str]:
    event: Mapping[str, Json] = json.loads(fields[b"data"])
    if "error" in event:
        yield from _shape(event, ERROR, deviations)
    else:
        inner = event if route.inside is None else event.get(route.inside)
        yield from _shape(inner, route.event or ERROR, deviations)
    name = fields.get(b"event")
    if name is not None and name.decode() != event.get("type"):
        yield f"an event is called {name.decode()!r} and says that it is {event.get('type')!r}"
    if b"id" in fields and fields[b"id"].decode() != str(event.get("sequence_number")):
        yield f"an event has the number {fields[b'id']!r} and says that it is {event.get('sequence_number')!r}"


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
