"""What each handler takes and answers, as far as no struct says it. Its name is the key."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from adapter.domain.job import Variant
from adapter.domain.media import MediaFormat
from adapter.openai_api.openapi.requests import form_name
from adapter.openai_api.openapi.schemas import Schema, reference
from adapter.openai_api.read.usage import OFFERS, Report
from adapter.openai_api.wire import accounts, chat, errors, files, health, images, models, responses, usage, videos

JSON, FORM, EVENTS = "application/json", "multipart/form-data", "text/event-stream"
PICTURES: Final = tuple(each.mime for each in MediaFormat if each.is_picture)
FILES: Final = tuple(each.mime for each in MediaFormat)

#: What any route may answer that looks at a key and at the database. 429: too many wrong keys.
USUAL: Final = (400, 401, 404, 429, 500, 503)
#: Beside that: a route that reads a body, and one that has something made.
BODY: Final = (408, 413, 415)
PAID: Final = (409, 502, 504)


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of the query, of the path, or a header."""

    name: str
    place: str
    schema: Schema
    description: str = ""
    is_required: bool = False


class Success(msgspec.Struct, frozen=True):
    """A success: its types of content with their schemas, and its headers."""

    content: Mapping[str, Schema]
    description: str = "Success."
    headers: tuple[str, ...] = ()


class OperationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One handler."""

    answers: Mapping[int, Success]
    errors: Sequence[int] = USUAL
    #: The name of the request's schema by its type of content.
    body: Mapping[str, str] = {}
    parameters: Sequence[Parameter] = ()
    is_public: bool = False


def _query(name: str, schema: Schema, description: str) -> Parameter:
    return Parameter(name, "query", schema, description)


def _header(name: str, description: str) -> Parameter:
    return Parameter(name, "header", {"type": "string", "maxLength": 255}, description)


SWITCH: Final[Schema] = {"enum": ["true", "1", "false", "0"]}
WORD: Final[Schema] = {"type": "string", "minLength": 1}
NUMBER: Final[Schema] = {"type": "integer", "minimum": 0}
BYTES: Final[Schema] = {"type": "string", "format": "binary"}

#: docs/retries.md.
REPETITION: Final = (
    Parameter(
        "Idempotency-Key",
        "header",
        {"type": "string", "pattern": r"^[\x20-\x7e]{1,255}$"},
        "The same key and the same request within 24 h have the same answer.",
    ),
)
RANGES: Final = (
    _header("Range", "One range of bytes. What is malformed or names several is ignored."),
    _header("If-Range", "The `ETag` for which `Range` counts."),
    _header("If-None-Match", "The `ETag` that the client has."),
)
FILE_HEADERS: Final = ("ETag", "Accept-Ranges", "Content-Length", "Cache-Control")


def _page(most: int) -> tuple[Parameter, ...]:
    return (
        _query("limit", {**NUMBER, "maximum": most}, "The most entries of a page."),
        _query("order", {"enum": ["asc", "desc"]}, "By time; `desc` unless it is said."),
        _query("after", WORD, "The id of the entry before the page."),
    )


def _plain(kind: type[msgspec.Struct], headers: tuple[str, ...] = ()) -> Mapping[int, Success]:
    return {200: Success({JSON: reference(kind)}, headers=headers)}


def _or_stream(kind: type[msgspec.Struct], stream: Schema, headers: tuple[str, ...]) -> Mapping[int, Success]:
    return {200: Success({JSON: reference(kind), EVENTS: stream}, headers=headers)}


def _events(kind: type[msgspec.Struct], error: type[msgspec.Struct], end: str = "") -> Schema:
    """Return the schema of a stream. OpenAPI 3.1 has no word for the data of its events, hence the extension."""
    return {
        "type": "string",
        "description": f"Server-sent events. The data of each is a `{kind.__name__}` or an `{error.__name__}`.{end}",
        "x-event-data": {"anyOf": [reference(kind), reference(error)]},
    }


def _file(kinds: Sequence[str], description: str = "The file.") -> Mapping[int, Success]:
    content = dict.fromkeys(kinds, BYTES)
    return {
        200: Success(content, description, FILE_HEADERS),
        206: Success(content, "A part of it.", (*FILE_HEADERS, "Content-Range")),
        304: Success({}, "The client has it.", ("ETag",)),
    }


def _json(name: str) -> Mapping[str, str]:
    return {JSON: name}


def _json_or_form(name: str) -> Mapping[str, str]:
    return {JSON: name, FORM: form_name(name)}


def _usage(kind: type[msgspec.Struct], report: Report) -> OperationRow:
    """Return the row of a report. Its groups and filters are those that its reader knows."""
    offer = OFFERS[report]
    most = max(width.most for width in offer.widths.values())
    return OperationRow(
        answers=_plain(kind),
        errors=(400, 401, 403, 429, 500, 503),
        parameters=(
            Parameter("start_time", "query", NUMBER, "The first second, in Unix seconds.", is_required=True),
            _query("end_time", NUMBER, "The second after the last one; now unless it is said."),
            _query("bucket_width", {"enum": [*offer.widths]}, "`1d` unless it is said."),
            _query("limit", {**NUMBER, "minimum": 1, "maximum": most}, "The most buckets of a page."),
            _query("page", WORD, "The `next_page` of an earlier answer."),
            _query("group_by", _list({"enum": [*offer.groups]}), "What each result is of."),
            *(_query(name, _list(WORD), "Only of these.") for name in offer.filters),
        ),
    )


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


MAKING: Final = (*USUAL, *BODY, *PAID)
REPLAYED: Final = ("Idempotent-Replayed",)
JOB: Final = ("X-Video-Id", "Idempotent-Replayed", "Openai-Poll-After-Ms")
PICTURE_EVENTS: Final = _events(images.ImageCompleted, errors.ErrorEvent)
CHAT_EVENTS: Final = _events(chat.ChatChunk, errors.ErrorBody, " The last one is `[DONE]`.")
RESPONSE_EVENTS: Final = _events(responses.Event, responses.StreamError)
PICTURES_ANSWER: Final = _or_stream(images.ImagesResponse, PICTURE_EVENTS, REPLAYED)
#: The schemas are those of our own answers.
CHAT_ANSWER: Final = {
    status: msgspec.structs.replace(
        success, description="Success. The answer of a text model is its provider's, byte for byte."
    )
    for status, success in _or_stream(
        chat.ChatCompletion, CHAT_EVENTS, ("X-Video-Id", "X-Side-Call", "Idempotent-Replayed")
    ).items()
}

OPERATIONS: Final[Mapping[str, OperationRow]] = {
    "create_images": OperationRow(
        body=_json_or_form("ImagesRequest"), answers=PICTURES_ANSWER, errors=MAKING, parameters=REPETITION
    ),
    "edit_images": OperationRow(
        body=_json_or_form("EditsRequest"), answers=PICTURES_ANSWER, errors=MAKING, parameters=REPETITION
    ),
    "vary_images": OperationRow(
        body=_json_or_form("VariationsRequest"), answers=PICTURES_ANSWER, errors=MAKING, parameters=REPETITION
    ),
    "complete_chat": OperationRow(
        body=_json("ChatRequest"),
        answers=CHAT_ANSWER,
        errors=MAKING,
        parameters=REPETITION,
    ),
    "create_video": OperationRow(
        body=_json_or_form("VideosRequest"),
        answers=_plain(videos.Video, JOB),
        errors=MAKING,
        parameters=REPETITION,
    ),
    "list_videos": OperationRow(answers=_plain(videos.VideoList), parameters=_page(100)),
    "retrieve_video": OperationRow(answers=_plain(videos.Video, ("X-Video-Id", "Openai-Poll-After-Ms"))),
    "delete_video": OperationRow(answers=_plain(videos.VideoDeleted)),
    "read_content": OperationRow(
        answers=_file(("video/mp4", "image/webp", "image/jpeg", "image/png")),
        errors=(*USUAL, 416, 502),
        parameters=(_query("variant", {"enum": [*Variant]}, "Which of its files; `video` unless it is said."), *RANGES),
    ),
    "remix_video": OperationRow(
        body=_json_or_form("RemixRequest"),
        answers=_plain(videos.Video, JOB),
        errors=MAKING,
        parameters=REPETITION,
    ),
    "upscale_video": OperationRow(
        body=_json_or_form("UpscaleRequest"),
        answers=_plain(videos.Video, JOB),
        errors=MAKING,
        parameters=REPETITION,
    ),
    "watch_video": OperationRow(
        answers={
            200: Success(
                {EVENTS: _events(videos.VideoEvent, errors.ErrorEvent)}, "The changes of the video.", ("X-Video-Id",)
            ),
            204: Success({}, "There is no further change, and the reader knows the last one."),
        },
        parameters=(
            _query("starting_after", NUMBER, "The number of the last event that the reader knows."),
            _header("Last-Event-ID", "The same, as browsers send it. It counts before the query."),
        ),
    ),
    "edit_video": OperationRow(
        body=_json_or_form("VideoWorkRequest"), answers=_plain(videos.Video, JOB), errors=MAKING, parameters=REPETITION
    ),
    "extend_video": OperationRow(
        body=_json_or_form("VideoWorkRequest"), answers=_plain(videos.Video, JOB), errors=MAKING, parameters=REPETITION
    ),
    "refuse_characters": OperationRow(answers={}),
    "refuse_character": OperationRow(answers={}),
    "list_models": OperationRow(
        answers=_plain(models.ModelList),
        parameters=(_query("all", SWITCH, "On: every name. Off: only the plain ones."),),
    ),
    "retrieve_model": OperationRow(answers=_plain(models.ModelObject)),
    "upload_file": OperationRow(body={FORM: "FileUpload"}, answers=_plain(files.FileObject), errors=(*USUAL, *BODY)),
    "list_files": OperationRow(
        answers=_plain(files.FileList),
        parameters=(*_page(10_000), _query("purpose", {"type": "string"}, "Only the files of this purpose.")),
    ),
    "retrieve_file": OperationRow(answers=_plain(files.FileObject)),
    "delete_file": OperationRow(answers=_plain(files.FileDeleted)),
    "read_file": OperationRow(
        answers={
            200: Success(dict.fromkeys(PICTURES, BYTES), "The file.", ("Content-Length", "Content-Disposition")),
        }
    ),
    "create_response": OperationRow(
        body=_json("ResponsesRequest"),
        answers=_or_stream(responses.ResponseObject, RESPONSE_EVENTS, ("X-Video-Id", "Idempotent-Replayed")),
        errors=MAKING,
        parameters=REPETITION,
    ),
    "retrieve_response": OperationRow(
        answers=_or_stream(responses.ResponseObject, RESPONSE_EVENTS, ("X-Video-Id",)),
        parameters=(
            _query("stream", SWITCH, "On: its events instead of the response."),
            _query("starting_after", NUMBER, "The number of the last event that the reader knows."),
        ),
    ),
    "cancel_response": OperationRow(answers=_plain(responses.ResponseObject)),
    "delete_response": OperationRow(answers=_plain(responses.ResponseDeleted)),
    "list_input_items": OperationRow(answers=_plain(responses.ItemList), parameters=_page(100)),
    "images_usage": _usage(usage.ImagesUsagePage, "images"),
    "videos_usage": _usage(usage.VideosUsagePage, "videos"),
    "costs": _usage(usage.CostsPage, "costs"),
    "list_accounts": OperationRow(answers=_plain(accounts.AccountList), errors=(401, 403, 429, 500, 503)),
    "read_media": OperationRow(
        answers=_file(FILES),
        errors=(400, 404, 416, 500, 503),
        parameters=(_query("download", SWITCH, "On: a browser saves the file."), *RANGES),
        is_public=True,
    ),
    "health": OperationRow(answers=_plain(health.Health), errors=(500,), is_public=True),
    "ready": OperationRow(answers=_plain(health.Health), errors=(500, 503), is_public=True),
    "read_document": OperationRow(
        answers={200: Success({JSON: {"type": "object"}}, "This document.")}, errors=(500,), is_public=True
    ),
}
