"""The document of `/openapi.json`: complete, valid, and true of the names that are read."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import AsyncTestClient

from adapter.domain.allowance import Limit, Remaining, Window
from adapter.openai_api.openapi.operations import OPERATIONS
from adapter.openai_api.read.names import CONTAINERS, FIELDS, FORMATS, PICTURES
from adapter.openai_api.routes.api import PREFIXES, api
from adapter.openai_api.routes.rate_headers import rate_headers

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

#: Requests of the front-ends and clients, as `docs` has them, by the schema that they have to satisfy.
REQUESTS: list[tuple[str, Mapping[str, object]]] = [
    (
        "ImagesRequest",
        {"model": "gpt-image-1", "prompt": "a fox", "n": "2", "size": "1024x1024", "response_format": "url"},
    ),
    ("ImagesRequest", {"prompt": "a fox", "generationConfig": {"imageConfig": {"aspectRatio": "16:9"}}, "fps": 24}),
    ("EditsRequest", {"prompt": "a fox", "image": ["data:image/png;base64,AA", {"file_id": "file-1"}]}),
    ("ChatRequest", {"model": "veo-3.1-fast", "messages": [{"role": "user", "content": "waves"}], "stream": True}),
    ("ResponsesRequest", {"model": "gpt-5", "input": "a fox", "tools": [{"type": "image_generation"}]}),
    (
        "VideosRequest",
        {"prompt": "waves", "seconds": "8s", "input_reference": {"image_url": "https://a.example/b.png"}},
    ),
    ("RemixRequest", {"prompt": "more waves"}),
]
WRONG: list[tuple[str, Mapping[str, object]]] = [
    ("ImagesRequest", {"model": "gpt-image-1"}),
    ("ImagesRequest", {"prompt": "a fox", "n": "many"}),
    ("ChatRequest", {"model": "veo-3.1-fast", "messages": "waves"}),
    ("VideosRequest", {"prompt": "waves", "generate_audio": False}),
]


@pytest.fixture
def app() -> Litestar:
    """Every route, and nothing behind it."""
    return api(lambda _: nullcontext(), body_bytes=1)


@pytest.fixture
async def document(app: Litestar) -> Mapping[str, Any]:
    """The document as a client without a key gets it."""
    async with AsyncTestClient(app) as client:
        answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found: Mapping[str, Any] = answer.json()
    return found


def without_prefix(path: str) -> str:
    """Return the path of a route without the prefix of the API."""
    return re.sub(r"^(/v1){1,2}(?=/)", "", path)


def test_every_route_is_described_and_nothing_else(app: Litestar, document: Mapping[str, Any]) -> None:
    """Once, below `/v1`; the other prefixes have the same routes."""
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    served = {(without_prefix(route.path_format), method) for route in routes for method in route.methods - {"OPTIONS"}}
    described = [(path, method.upper()) for path, methods in document["paths"].items() for method in methods]

    assert {(without_prefix(path), method) for path, method in described} == served
    assert len(described) == len(served)
    assert {path for path, _ in described if not path.startswith("/v1/")} == {
        "/health",
        "/media/{name}",
        "/openapi.json",
        "/ready",
    }
    assert PREFIXES[0] == "/v1"


def test_what_is_left_of_a_keys_limits_is_described(document: Mapping[str, Any]) -> None:
    """By the names that answers have; routes without a key have none."""
    limits = [Limit(kind, Window.DAY, 9) for kind in ("requests", "images", "videos")]
    sent = {name.decode() for name, _ in rate_headers([Remaining(limit, 1, 1.0) for limit in limits])}
    described = {
        path: {name.lower() for name in document["paths"][path]["get"]["responses"]["200"]["headers"]}
        for path in ("/v1/models", "/health")
    }

    assert described["/v1/models"] >= {name for name in sent if name.startswith("x-ratelimit-")}
    assert described["/health"] == {"x-request-id"}


def test_no_description_outlives_its_handler(document: Mapping[str, Any]) -> None:
    """A row of the table belongs to a route."""
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]

    assert len(names) == len(set(names))
    assert {name if name in OPERATIONS else name.rpartition("_")[0] for name in names} == OPERATIONS.keys()


def references(node: object) -> Iterator[str]:
    """Yield what a part of the document refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def test_each_reference_leads_to_a_part_of_the_document_and_each_part_is_used(document: Mapping[str, Any]) -> None:
    """No dangling name, and no dead weight."""
    parts = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses", "headers")
        for name in document["components"][kind]
    }

    assert parts - set(references(document)) == set()
    assert set(references(document)) - parts == set()


def test_each_schema_is_valid(document: Mapping[str, Any]) -> None:
    """JSON Schema 2020-12, which OpenAPI 3.1 is made of."""
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_each_operation_says_what_openapi_wants_of_it(document: Mapping[str, Any]) -> None:
    """The parameters of its path, a description of each answer, a known way to send the key."""
    schemes = document["components"]["securitySchemes"].keys()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            given = [one["name"] for one in operation.get("parameters", []) if one["in"] == "path"]
            assert given == re.findall(r"\{(\w+)\}", path)
            assert all("$ref" in answer or answer["description"] for answer in operation["responses"].values())
            assert all(set(each) <= schemes for each in operation["security"])
            assert bool(operation["security"]) is path.startswith("/v1/")
            assert ("401" in operation["responses"]) is path.startswith("/v1/")


def validator(document: Mapping[str, Any], name: str) -> Draft202012Validator:
    """Return the checker of one of the document's schemas."""
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


@pytest.mark.parametrize(("name", "request_"), REQUESTS)
def test_what_clients_send_is_what_the_document_says(
    document: Mapping[str, Any], name: str, request_: Mapping[str, object]
) -> None:
    """Under all names."""
    assert [error.message for error in validator(document, name).iter_errors(request_)] == []


@pytest.mark.parametrize(("name", "request_"), WRONG)
def test_what_is_refused_is_not_in_the_document(
    document: Mapping[str, Any], name: str, request_: Mapping[str, object]
) -> None:
    """A missing field, a wrong type, a wish that no model grants."""
    assert list(validator(document, name).iter_errors(request_)) != []


def test_every_accepted_name_is_in_the_document(document: Mapping[str, Any]) -> None:
    """Of both spellings, at each route that makes something."""
    schemas = document["components"]["schemas"]
    names = set(FIELDS) | set(PICTURES) | (set(CONTAINERS) - FORMATS)

    for media in ("MediaFields", "MediaFormFields", "MediaContainer"):
        assert names - schemas[media]["properties"].keys() == set()
    making = [name for name in schemas if name.endswith(("Request", "RequestForm"))]
    assert len(making) == 16
    for name in making:
        assert schemas[name]["allOf"][0] in (
            {"$ref": "#/components/schemas/MediaFields"},
            {"$ref": "#/components/schemas/MediaFormFields"},
        )


def test_the_document_shows_nothing_of_an_installation(document: Mapping[str, Any]) -> None:
    """No address but its own root, so it needs no key."""
    assert document["servers"] == [{"url": "/"}]
    assert "localhost" not in json.dumps(document)
