"""Made-up requests to every operation of `/openapi.json`.

None is answered with a fault of ours, none with what the document does not have, and no nonsense is accepted.
`make test` tries a few requests of each operation, the same ones each time; `make torture` tries COUNT.
"""

import json
import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from tests.journeys.contract import Answer, faults
from tests.journeys.described import document, undescribed
from tests.journeys.guesses import PICTURE, Guess, Guesses
from tests.journeys.server import KEY, Server
from tests.support import WITHOUT_TLS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
OPERATIONS = [(method, path) for path, methods in document()["paths"].items() for method in methods]
#: Seconds to wait for an answer: a chat with a video waits for the video.
SECONDS = 60


@pytest.fixture(scope="module")
def guessing(server: Server) -> Iterator[httpx.Client]:
    """A client of the running server. What it gets is judged request by request, with the request."""
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=server.url, headers=headers, verify=WITHOUT_TLS, timeout=SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def guesses(guessing: httpx.Client, server: Server) -> Guesses:
    """Guesses that know a video, a response and a name of media."""
    video = guessing.post("/v1/videos", json={"model": "veo-3.1-fast", "prompt": "waves"}).json()["id"]
    drawn = {"model": "gpt-image-1", "input": "a fox"}
    response = guessing.post("/v1/responses", json=drawn).json()["id"]
    linked = {"model": "gpt-image-1", "prompt": "a fox", "response_format": "url"}
    link = guessing.post("/v1/images/generations", json=linked).json()["data"][0]["url"]
    names = {"video_id": [video], "response_id": [response], "name": [link.rpartition("/")[2], "veo-3.1-fast"]}
    return Guesses(document(), names)


def send(client: httpx.Client, method: str, guess: Guess) -> Answer:
    """Send a request and return its answer."""
    # The client itself refuses to send control characters, and spaces at the ends.
    kept = {name: "".join(filter(str.isprintable, value)).strip() for name, value in guess.headers.items()}
    headers = {name: value.encode("latin-1", "replace") for name, value in kept.items()}
    sent: dict[str, Any] = {"headers": headers, "params": guess.query}
    if isinstance(guess.body, bytes):
        sent |= {"content": guess.body, "headers": {**headers, "content-type": guess.kind}}
    elif guess.kind == "multipart/form-data":
        sent["files"] = [(name, part) for name, value in guess.body.items() for part in as_parts(value)]
    elif guess.kind is not None:
        sent["json"] = guess.body
    answer = client.request(method, guess.path, **sent)
    return Answer(
        method=method.upper(),
        path=answer.request.url.path,
        status=answer.status_code,
        content_type=answer.headers.get("content-type", ""),
        body=answer.content,
    )


def as_parts(value: object) -> list[tuple[str | None, bytes]]:
    """Return a value as the parts of a form, each with the name of its file if it is one."""
    each = value if isinstance(value, list) else [value]
    return [("fox.png", b64decode(one.partition(",")[2])) if one == PICTURE else (None, as_field(one)) for one in each]


def as_field(value: object) -> bytes:
    """Return a value as a field of a form."""
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="replace")


def nonsense(operation: Mapping[str, Any], guess: Guess) -> list[str]:
    """Return what of a request the document does not allow."""
    schemas = {one["name"]: one["schema"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    wrong = [name for name, value in guess.query.items() if value and not allows(schemas[name], read(value))]
    if guess.kind == "application/json" and isinstance(guess.body, dict):
        said = {name: value for name, value in guess.body.items() if value not in (None, "", [])}
        schema = operation["requestBody"]["content"][guess.kind]["schema"]
        validator = Draft202012Validator({**schema, "components": document()["components"]})
        wrong += [error.json_path for error in validator.iter_errors(said)]
    elif isinstance(guess.body, bytes):
        wrong.append("the body")
    return wrong


def read(value: str) -> object:
    """Return the value of a parameter: a number, if it is one."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 30 else value


def allows(schema: Mapping[str, Any], value: object) -> bool:
    """Say whether a schema has a value."""
    return not list(Draft202012Validator(schema).iter_errors(value)) or not list(
        Draft202012Validator(schema).iter_errors(str(value))
    )


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_is_more_than_an_operation_can_bear(
    guessing: httpx.Client, guesses: Guesses, method: str, path: str
) -> None:
    """Right and wrong ones."""
    operation = document()["paths"][path][method]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(guess=guesses.requests(path, operation))
    def holds(guess: Guess) -> None:
        answer = send(guessing, method, guess)
        assert answer.status < 500, answer.body[:500]
        assert [*faults(answer), *undescribed(answer)] == []
        if answer.status < 400:
            assert nonsense(operation, guess) == []
        else:
            assert json.loads(answer.body)["error"]["message"]

    holds()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_operation_wants_the_key_that_the_document_says(
    guessing: httpx.Client, guesses: Guesses, method: str, path: str
) -> None:
    """Before anything else is looked at."""
    operation = document()["paths"][path][method]
    place = path.replace("{", "").replace("}", "")
    answer = guessing.request(method, place, headers={"authorization": "Bearer"}, content=b"{")

    assert (answer.status_code == 401) is bool(operation["security"])


@pytest.mark.parametrize("path", document()["paths"])
def test_a_path_answers_no_other_method(guessing: httpx.Client, path: str) -> None:
    """405, and which methods it has."""
    methods = {method.upper() for method in document()["paths"][path]}
    place = path.replace("{", "").replace("}", "")
    for method in {"PUT", "PATCH", "TRACE"} - methods:
        answer = guessing.request(method, place)

        assert answer.status_code == 405
        assert methods <= set(answer.headers["allow"].split(", "))
