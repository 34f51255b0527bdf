"""Handlers that are called without the framework: what they answer, and what still goes through the framework."""

from types import SimpleNamespace
from typing import Any

import pytest
from litestar import Response, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.types import Message, Receive, Scope, Send

from adapter.domain.principal import Principal
from adapter.errors import InvalidRequest
from adapter.openai_api.routes.direct import DirectRoutes
from adapter.openai_api.routes.services import OwnedRequest, Services


@post("/pictures", status_code=200)
async def make(request: OwnedRequest, services: Services) -> Response[bytes]:
    """Answer with who asks."""
    return Response(f"{request.auth.owner} {services.longest_body}".encode())


@post("/faults", status_code=200)
async def fail(request: OwnedRequest, services: Services) -> Response[bytes]:
    """Fail."""
    raise InvalidRequest("Not so.", param="prompt") if services.longest_body else HTTPException(status_code=413)


@get("/videos/{video_id:str}")
async def describe(request: OwnedRequest, video_id: str, services: Services) -> Response[bytes]:
    """Answer with who asks for which video."""
    return Response(f"{request.auth.owner} {video_id}".encode())


@get("/videos/{video_id:str}/content")
async def send_content(request: OwnedRequest, video_id: str, services: Services) -> Response[bytes]:
    """Answer with whose content it is."""
    return Response(f"{request.auth.owner} has {video_id}".encode())


class Refusal(ASGIResponse):
    """Asks before it begins, and is refused; or begins first."""

    def __init__(self, *, begins: bool) -> None:
        super().__init__()
        self._begins = begins

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        if self._begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise InvalidRequest("Refused.")


@post("/refusals", status_code=200)
async def be_refused(request: OwnedRequest, services: Services) -> ASGIResponse:
    """Be refused while it is sent."""
    return Refusal(begins=not services.longest_body)


class Door:
    """Lets all in."""

    async def principal(self, _keys: object, _address: object) -> Principal:
        """Return the same one always."""
        return Principal(owner="ada")


async def framework(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Say that it was asked."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"framework", "more_body": False})


async def asked(method: str, path: str, *, host: bytes = b"here", longest_body: int = 1) -> tuple[int, bytes]:
    """Return the status and the body of an answer."""
    facts: dict[str, Any] = dict.fromkeys(Services.__struct_fields__)
    services = Services(**{**facts, "access": Door(), "longest_body": longest_body, "trusts_proxies": False})
    scope: Any = {"type": "http", "method": method, "path": path, "headers": [(b"host", host)], "client": None}
    scope |= {"litestar_app": SimpleNamespace(state=State({"services": services})), "state": {}}
    sent: list[Message] = []

    async def receive() -> Any:  # noqa: ANN401 - nothing is read
        raise AssertionError("nothing was to be read")

    async def send(message: Message) -> None:
        sent.append(message)

    await DirectRoutes(framework, (make, fail, be_refused, describe, send_content), ("/v1", "/"))(scope, receive, send)
    assert sent[0]["type"] == "http.response.start"
    return sent[0]["status"], b"".join(each["body"] for each in sent if each["type"] == "http.response.body")


@pytest.mark.parametrize("path", ["/v1/pictures", "/pictures"])
async def test_a_handler_of_the_table_is_called_with_the_principal_and_the_services(path: str) -> None:
    """Under every prefix."""
    assert await asked("POST", path) == (200, b"ada 1")


@pytest.mark.parametrize("prefix", ["/v1", ""])
async def test_the_id_of_a_video_in_a_path_is_an_argument_of_the_handler(prefix: str) -> None:
    """Alone, and with a word behind it."""
    assert await asked("GET", f"{prefix}/videos/video_0a1b") == (200, b"ada video_0a1b")
    assert await asked("GET", f"{prefix}/videos/video_0a1b/content") == (200, b"ada has video_0a1b")


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("DELETE", "/v1/videos/video_0a1b", b"here"),
        ("GET", "/v1/videos/video_0a1b/events", b"here"),
        ("GET", "/v1/videos/video_0a1b/content/", b"here"),
        ("GET", "/v1/videos/video_0a1b%20/content", b"here"),
        ("GET", "/v1/videos/characters", b"here"),
        ("GET", "/v1/videos/*", b"here"),
        ("GET", "/v1/videos/video_", b"here"),
        ("GET", "/v1/pictures", b"here"),
        ("POST", "/v1/pictures/", b"here"),
        ("POST", "/v2/pictures", b"here"),
        ("POST", "/v1/pictures", b"not a host"),
    ],
)
async def test_everything_else_goes_through_the_framework(method: str, path: str, host: bytes) -> None:
    """It knows what is allowed, and refuses a host that is none."""
    assert await asked(method, path, host=host) == (299, b"framework")


@pytest.mark.parametrize(("longest_body", "status"), [(1, 400), (0, 413)])
async def test_a_fault_is_answered_in_the_form_of_openai(longest_body: int, status: int) -> None:
    """Our own faults, and those that the framework raises inside of a handler."""
    answered, body = await asked("POST", "/v1/faults", longest_body=longest_body)

    assert answered == status
    assert b'"error"' in body


async def test_an_answer_that_is_refused_before_it_begins_has_a_status() -> None:
    """One that has begun cannot have another: the outermost layer ends it."""
    status, body = await asked("POST", "/v1/refusals")

    assert (status, b"Refused." in body) == (400, True)
    with pytest.raises(InvalidRequest):
        await asked("POST", "/v1/refusals", longest_body=0)
