"""The OpenAPI 3.1 document, put together. It is the same for every configuration."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from adapter import errors
from adapter.errors import AdapterError
from adapter.openai_api.openapi.operations import JSON, OPERATIONS, OperationRow, Parameter, Success
from adapter.openai_api.openapi.requests import request_schemas
from adapter.openai_api.openapi.schemas import Json, Schema, answer_schemas, reference
from adapter.openai_api.read.keys import KEY_HEADERS
from adapter.openai_api.wire.errors import ErrorBody
from adapter.version import VERSION

ABOUT: Final = """An OpenAI-compatible API in front of Google's media generators.

- Every path below `/v1` is also there below `/` and `/v1/v1`, and at Azure's addresses below `/openai`,
  `/openai/v1` and `/openai/deployments/{model}`.
- Every path that answers GET answers HEAD, with the same headers and no body.
- Fields that are not in a schema are ignored. Null, an empty text and an empty list are absent.
- Bodies may be compressed (`Content-Encoding: gzip`, `deflate`, `zstd`).
- Every answer has `X-Request-Id`.
- What is no HTTP, comes too slowly or too often, or has too large a header is refused before its path is looked at:
  400, 408, 429, 431, 503, with the same body as every error.
"""
#: What is left of the limits of a key, by the names of `routes/rate_headers.py`.
RATE_HEADERS: Final[Mapping[str, str]] = {
    f"X-RateLimit-{part}-{kind}": f"{told} Only for a key with a limit of {words}."
    for kind, words in (
        ("Requests", "requests a minute"),
        ("Images", "pictures a day"),
        ("Videos", "videos a day"),
    )
    for part, told in (
        ("Limit", "The limit."),
        ("Remaining", "What is left of it."),
        ("Reset", "How long it is until the limit is reset: `30s`, `6m0s`."),
    )
}
#: What headers of answers say.
HEADERS: Final[Mapping[str, str]] = {
    **RATE_HEADERS,
    "Accept-Ranges": "`bytes`.",
    "Cache-Control": "How long a cache may keep it.",
    "Content-Disposition": "The name of the file.",
    "Content-Length": "Its length in bytes.",
    "Content-Range": "Which bytes these are.",
    "ETag": "Names the bytes of the file.",
    "Idempotent-Replayed": "`true`: this answer was given before.",
    "Openai-Poll-After-Ms": "When to ask again, in milliseconds.",
    "Retry-After": "When to ask again, in seconds: 60 at most.",
    "X-Request-Id": "Names the request in the log.",
    "X-Should-Retry": "Whether the request may be sent again: `true` or `false`.",
    "X-Side-Call": "What the request was taken for; nothing was made.",
    "X-Video-Id": "The job behind the answer.",
}
KEYS: Final = "bearer", *KEY_HEADERS


class Endpoint(msgspec.Struct, frozen=True):
    """A handler at a path, as the routing table has it."""

    #: The name of the handler, a key of `OPERATIONS`.
    handler: str
    method: str
    #: With the names of its parameters in braces.
    path: str
    summary: str


def document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the document of these routes as JSON.

    Raises:
        KeyError: a handler has no row in `OPERATIONS`.
    """
    paths: dict[str, dict[str, Json]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    whole: Json = {
        "openapi": "3.1.0",
        "info": {"title": "adapter", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**answer_schemas(), **request_schemas()},
            "responses": {_error_name(status): _error(status, kinds) for status, kinds in _errors().items()},
            "headers": {name: {"schema": {"type": "string"}, "description": told} for name, told in HEADERS.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                **{name: {"type": "apiKey", "in": "header", "name": name} for name in KEY_HEADERS},
            },
        },
    }
    return msgspec.json.encode(whole)


def _operation(endpoint: Endpoint) -> Json:
    row = OPERATIONS[endpoint.handler]
    security: Json = [] if row.is_public else [{name: []} for name in KEYS]
    told: dict[str, Json] = {
        "operationId": endpoint.handler,
        "summary": endpoint.summary,
        "security": security,
        "responses": {str(status): response for status, response in _responses(row)},
    }
    if parameters := [*_of_path(endpoint.path), *map(_parameter, row.parameters)]:
        told["parameters"] = parameters
    if row.body:
        content = {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}} for kind, name in row.body.items()}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _of_path(path: str) -> Iterator[Schema]:
    for name in re.findall(r"\{(\w+)\}", path):
        yield _parameter(Parameter(name, "path", {"type": "string", "minLength": 1}))


def _parameter(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path" or parameter.is_required,
        "schema": parameter.schema,
        **({"description": parameter.description} if parameter.description else {}),
    }


def _responses(row: OperationRow) -> Iterator[tuple[int, Schema]]:
    for status, answer in row.answers.items():
        yield status, _success(answer, () if row.is_public else tuple(RATE_HEADERS))
    for status in sorted(row.errors):
        yield status, {"$ref": f"#/components/responses/{_error_name(status)}"}


def _success(answer: Success, rate_headers: Sequence[str]) -> Schema:
    content = {kind: {"schema": schema} for kind, schema in answer.content.items()}
    told: Schema = {"description": answer.description, "headers": _headers((*answer.headers, *rate_headers))}
    return {**told, "content": content} if content else told


def _headers(names: Sequence[str]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}


def _errors() -> Mapping[int, Sequence[type[AdapterError]]]:
    """Return the errors that routes answer with, by their status."""
    shown = {status for row in OPERATIONS.values() for status in row.errors}
    found: dict[int, list[type[AdapterError]]] = {}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, AdapterError) and kind.status in shown:
            found.setdefault(kind.status, []).append(kind)
    return dict(sorted(found.items()))


def _error_name(status: int) -> str:
    return f"Error{status}"


def _error(status: int, kinds: Sequence[type[AdapterError]]) -> Schema:
    codes = ", ".join(sorted({f"`{kind.code}`" for kind in kinds if kind.code}))
    return {
        "description": f"{HTTPStatus(status).phrase}. Codes, among others: {codes}.",
        "headers": _headers(("X-Should-Retry", "Retry-After", *RATE_HEADERS)),
        "content": {JSON: {"schema": reference(ErrorBody)}},
    }
