"""What an answer has to look like by our own `/openapi.json`: its status, its type of content, and its schema."""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from litestar.exceptions import LitestarDeprecationWarning

from adapter.openai_api.routes.api import api
from adapter.openai_api.routes.openapi import describe
from tests.journeys.contract import BODILESS, JSON_TYPE, STREAM_TYPE, Answer

#: What is answered to what is no HTTP.
NO_REQUEST: Final = "bad_request"


def undescribed(answer: Answer) -> list[str]:
    """Return what of an answer is not in the document, a sentence each."""
    try:
        return [f"{answer}: /openapi.json {fault}" for fault in _faults(answer)]
    except ValueError as error:
        return [f"{answer}: is not JSON: {error}"]


def _faults(answer: Answer) -> Iterator[str]:
    if answer.method == "OPTIONS" or _code(answer) == NO_REQUEST:
        return
    operation = _operation("GET" if answer.method == "HEAD" else answer.method, answer.path)
    if operation is None:
        if answer.status not in {404, 405}:
            yield "has no such route"
    elif (told := operation["responses"].get(str(answer.status))) is None:
        yield "does not know this status"
    else:
        yield from _content(answer, _resolved(told).get("content", {}))


def _content(answer: Answer, content: Mapping[str, Any]) -> Iterator[str]:
    kind = answer.content_type.partition(";")[0]
    if answer.status in BODILESS:
        return
    if kind not in content:
        yield f"does not know this content, but {', '.join(content)}"
    elif kind == JSON_TYPE and answer.method != "HEAD" and answer.whole:
        yield from _shape(answer.body, content[kind]["schema"])
    elif kind == STREAM_TYPE:
        for data in re.findall(rb"^data: (.+)\n\n", answer.body, re.MULTILINE):
            if data != b"[DONE]":
                yield from _shape(data, content[kind]["schema"]["x-event-data"])


def _shape(text: bytes, schema: Mapping[str, Any]) -> Iterator[str]:
    for error in _validator(json.dumps(schema)).iter_errors(json.loads(text)):
        yield f"has another schema: {error.json_path}: {error.message:.300}"


def _code(answer: Answer) -> str | None:
    if answer.status < 400 or answer.content_type != JSON_TYPE or not answer.body:
        return None
    error = json.loads(answer.body)["error"]
    return str(error["code"])


@cache
def document() -> Mapping[str, Any]:
    """Return the document as it is served."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        routes = api(lambda _: nullcontext(), body_bytes=1).routes
    described: Mapping[str, Any] = json.loads(describe(routes))
    return described


@cache
def _operation(method: str, path: str) -> Mapping[str, Any] | None:
    """Return the operation behind an address, under any of the API's prefixes; a fixed path counts before others."""
    plain = re.sub(r"^((/v1)*/openai(/v1|/deployments/[^/]+)?|(/v1){1,2})(?=/)", "", path)
    paths = document()["paths"]
    for pattern in sorted(paths, key=lambda known: known.count("{")):
        fixed = re.escape(pattern.removeprefix("/v1")).replace(r"\{name\}", ".+")
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", fixed), plain) and method.lower() in paths[pattern]:
            operation: Mapping[str, Any] = paths[pattern][method.lower()]
            return operation
    return None


def _resolved(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = answer.get("$ref")
    if reference is None:
        return answer
    found: Mapping[str, Any] = document()["components"]["responses"][reference.rpartition("/")[2]]
    return found


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": document()["components"]})
