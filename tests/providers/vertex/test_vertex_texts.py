"""Texts that are passed to Gemini on Google Cloud, against a function that stands for Google."""

import httpx
import msgspec
import pytest

from adapter.credentials import FixedSecret
from adapter.domain.ports import Secret
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import InvalidRequest, UnknownModel
from adapter.providers.gemini.passing import GeminiTexts
from adapter.providers.keys import Key, Keys
from adapter.providers.vertex.endpoint import CloudEndpoint
from tests.fakes import FakeClock
from tests.providers.gemini.test_passing import read
from tests.providers.vertex.test_vertex_pictures import ENDPOINT, Token
from tests.upstream import Google, Upstream

EXPRESS = msgspec.structs.replace(ENDPOINT, project="")
BODY = b'{"model": "gemini-3.8-flash",  "messages": [{"role": "user", "content": "model"}], "new_field": 1e2}'
CHAT = TextRequest(provider="vertex", model="gemini-3.8-flash", method=TextMethod.CHAT, body=BODY)
GENERATE = msgspec.structs.replace(CHAT, method=TextMethod.GENERATE, body=b'{"contents": []}')
STREAM = msgspec.structs.replace(GENERATE, method=TextMethod.STREAM, is_stream=True)
EVENTS = msgspec.structs.replace(STREAM, is_events=True)
MODEL = "publishers/google/models/gemini-3.8-flash"
PLACE = "projects/mine/locations/eu"


async def answered(
    upstream: Upstream,
    google: Google,
    request: TextRequest,
    endpoint: CloudEndpoint = ENDPOINT,
    secret: Secret | None = None,
) -> bytes:
    """Return the answer of a function that stands for Google."""
    upstream.answer = google
    keys = Keys([Key("mine", secret or FixedSecret("ya29.token"))], FakeClock())
    return await read(
        GeminiTexts(upstream.http, msgspec.structs.replace(endpoint, base_url=upstream.url), keys), request
    )


@pytest.mark.parametrize(
    ("endpoint", "request_", "path", "header"),
    [
        (ENDPOINT, CHAT, f"/v1beta1/{PLACE}/endpoints/openapi/chat/completions", "authorization"),
        (ENDPOINT, GENERATE, f"/v1beta1/{PLACE}/{MODEL}:generateContent", "authorization"),
        (ENDPOINT, STREAM, f"/v1beta1/{PLACE}/{MODEL}:streamGenerateContent", "authorization"),
        (ENDPOINT, EVENTS, f"/v1beta1/{PLACE}/{MODEL}:streamGenerateContent?alt=sse", "authorization"),
        (EXPRESS, GENERATE, f"/v1beta1/{MODEL}:generateContent", "x-goog-api-key"),
        (EXPRESS, EVENTS, f"/v1beta1/{MODEL}:streamGenerateContent?alt=sse", "x-goog-api-key"),
    ],
)
def test_each_route_has_its_address(endpoint: CloudEndpoint, request_: TextRequest, path: str, header: str) -> None:
    """In the project, or with an API key; the credential is in a header."""
    url, headers = endpoint.text_address(request_, Key("mine", FixedSecret("k")), "k")

    assert url == f"https://aiplatform.example{path}"
    assert {*headers} == {"content-type", header}


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_chat_goes_through_with_the_publisher_before_its_model(upstream: Upstream, *, is_stream: bool) -> None:
    """And with no other change: `google/` is what Google Cloud wants there. The answer comes byte for byte."""

    def google(request: httpx.Request) -> httpx.Response:
        assert request.content == BODY.replace(b'"gemini-3.8-flash"', b'"google/gemini-3.8-flash"')
        return httpx.Response(200, content=b"data: [DONE]\n\n")

    request = msgspec.structs.replace(CHAT, is_stream=is_stream)

    assert await answered(upstream, google, request) == b"data: [DONE]\n\n"


async def test_googles_own_route_gets_the_body_as_it_is(upstream: Upstream) -> None:
    """The address names the model."""

    def google(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.content)

    assert await answered(upstream, google, GENERATE) == GENERATE.body


async def test_an_api_key_writes_no_chats_in_openais_form(upstream: Upstream) -> None:
    """Their route is in a project. The message names the other one."""

    def google(_: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing is sent")

    with pytest.raises(InvalidRequest, match=r"Use .* POST /v1beta/models/.*:generateContent") as caught:
        await answered(upstream, google, CHAT, EXPRESS)

    assert caught.value.param == "model"


async def test_a_refused_token_is_exchanged_once(upstream: Upstream) -> None:
    """As with pictures."""
    token = Token("old", "new")

    def google(request: httpx.Request) -> httpx.Response:
        good = request.headers["authorization"] == "Bearer new"
        return httpx.Response(200, content=b"{}") if good else httpx.Response(401, json={"error": {"code": 401}})

    assert await answered(upstream, google, CHAT, secret=token) == b"{}"
    assert token.renewals == 1


async def test_a_model_that_is_not_there_is_not_found(upstream: Upstream) -> None:
    """In the list with one error that this route has."""
    error = {"error": {"code": 404, "message": "Publisher Model was not found.", "status": "NOT_FOUND"}}
    with pytest.raises(UnknownModel):
        await answered(upstream, lambda _: httpx.Response(404, json=[error]), CHAT)
