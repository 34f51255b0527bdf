"""HEAD on every path that answers GET."""

from collections.abc import Mapping
from contextlib import nullcontext

import httpx
import openai
import pytest
from litestar.routes import HTTPRoute

from adapter.openai_api.routes.api import api
from tests.fakes import png
from tests.journeys.server import KEY, Server
from tests.support import WITHOUT_TLS

HEADERS = {"authorization": f"Bearer {KEY}"}
#: Another one for each answer, or not about the answer.
OWN = {"x-request-id", "date", "connection", "transfer-encoding"}
#: What answers GET and is not tried here: it has no success of its own.
REFUSED = {"/v1/videos/characters/{character_id:str}"}
#: Asks for an administrator's key, and this server has none.
OF_ADMINS = "/v1/organization/"

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@pytest.fixture
def places(server: Server, client: openai.OpenAI, prompt: str) -> Mapping[str, str]:
    """One address for every path that answers GET."""
    video = client.videos.create_and_poll(prompt=prompt)
    file = client.files.create(file=("fox.png", png()), purpose="vision")
    drawn = client.responses.create(model="gemini-2.5-flash-image", input=prompt, tools=[{"type": "image_generation"}])
    link = str((video.model_extra or {})["url"]).removeprefix(server.url)
    return {
        "/health": "/health",
        "/ready": "/ready",
        "/media/{name:str}": link,
        "/v1/models": "/v1/models",
        "/v1/models/{name:path}": "/v1/models/sora-2",
        "/v1/files": "/v1/files?limit=2&order=asc",
        "/v1/files/{file_id:str}": f"/v1/files/{file.id}",
        "/v1/files/{file_id:str}/content": f"/v1/files/{file.id}/content",
        "/v1/videos": "/v1/videos?limit=2&order=asc",
        "/v1/videos/{video_id:str}": f"/v1/videos/{video.id}",
        "/v1/videos/{video_id:str}/content": f"/v1/videos/{video.id}/content",
        "/v1/videos/{video_id:str}/events": f"/v1/videos/{video.id}/events",
        "/v1/responses/{response_id:str}": f"/v1/responses/{drawn.id}",
        "/v1/responses/{response_id:str}/input_items": f"/v1/responses/{drawn.id}/input_items",
    }


def test_head_has_the_headers_of_get_and_no_body(http: httpx.Client, server: Server, places: Mapping[str, str]) -> None:
    """On each path; a connection goes on afterwards, so nothing of a body was sent."""
    with httpx.Client(verify=WITHOUT_TLS, base_url=server.url, headers=HEADERS, timeout=30) as one_connection:
        for place in places.values():
            head = one_connection.head(place)
            whole = http.get(f"{server.url}{place}", headers=HEADERS, timeout=30)

            assert (place, head.status_code, head.content) == (place, whole.status_code, b"")
            sent, got = (
                {name: value for name, value in answer.headers.items() if name not in OWN} for answer in (whole, head)
            )
            assert (place, got) == (place, sent)


@pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")
def test_no_path_that_answers_get_is_forgotten(places: Mapping[str, str]) -> None:
    """A new one has to be tried as well."""
    routes = api(lambda _: nullcontext(), body_bytes=1).routes
    paths = {
        route.path
        for route in routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods and "/v1/v1" not in route.path
    }

    assert {path for path in paths if path.startswith("/v1/") and not path.startswith(OF_ADMINS)} - REFUSED == {
        path for path in places if path.startswith("/v1/")
    }


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/models", {}, 401),
        ("/v1/models/imagen-4", HEADERS, 404),
        ("/v1/nothing", HEADERS, 404),
        ("/v1/files/file-0/content", HEADERS, 404),
        ("/media/nothing.mp4", {}, 404),
        ("/v1/images/generations", HEADERS, 405),
        ("/v1/videos/video_0/events", HEADERS, 404),
        ("/openai/models", HEADERS, 200),
    ],
)
def test_head_is_refused_as_get_is(
    http: httpx.Client, server: Server, path: str, headers: dict[str, str], status: int
) -> None:
    """By its status and headers."""
    head = http.head(f"{server.url}{path}", headers=headers)

    assert (head.status_code, head.content) == (status, b"")
    assert head.headers["content-type"] == "application/json"
    assert head.headers["x-request-id"].startswith("req_")


def test_head_is_named_wherever_get_is(http: httpx.Client, server: Server) -> None:
    """In the header that lists what a path takes."""
    assert "HEAD" in http.post(f"{server.url}/v1/models", headers=HEADERS).headers["allow"]
    assert "HEAD" not in http.get(f"{server.url}/v1/images/generations", headers=HEADERS).headers["allow"]
