"""Texts that are passed to Gemini, against a function that stands for Google."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import msgspec
import pytest
from aiohttp import web

from adapter.credentials import FixedSecret
from adapter.domain.ports import Secret
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import (
    AdapterError,
    InvalidRequest,
    UnknownModel,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamOverloaded,
    UpstreamSilent,
)
from adapter.providers.gemini.passing import GeminiTexts
from adapter.providers.http import Http
from adapter.providers.keys import Key, Keys
from adapter.providers.limits import HttpLimits
from tests.fakes import FakeClock
from tests.providers.gemini.test_provider import ENDPOINT, Renewable
from tests.upstream import Google, Upstream

BODY = b'{"model": "m",  "stream": true}'
CHAT = TextRequest(provider="gemini", model="m", method=TextMethod.CHAT, body=BODY)
STREAM = msgspec.structs.replace(CHAT, is_stream=True)
EVENTS = b'data: {"choices": []}\n\ndata: [DONE]\n\n'


def texts(url: str, http: Http, key: Secret | None = None) -> GeminiTexts:
    """Return the provider with one key."""
    endpoint = msgspec.structs.replace(ENDPOINT, base_url=url)
    return GeminiTexts(http, endpoint, Keys([Key("one", key or FixedSecret("AIza-one"))], FakeClock()))


async def read(gemini: GeminiTexts, request: TextRequest) -> bytes:
    """Return the whole answer."""
    async with gemini.open_text(request) as reply:
        return b"".join([piece async for piece in reply.pieces])


async def answered(upstream: Upstream, google: Google, request: TextRequest, key: Secret | None = None) -> bytes:
    """Return the answer of a function that stands for Google."""
    upstream.answer = google
    return await read(texts(upstream.url, upstream.http, key), request)


@pytest.mark.parametrize("request_", [CHAT, STREAM])
async def test_a_body_and_its_answer_go_through_byte_for_byte(upstream: Upstream, request_: TextRequest) -> None:
    """With the operator's key, as OpenAI's clients send theirs."""

    def google(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1beta/openai/chat/completions"
        assert request.headers["authorization"] == "Bearer AIza-one"
        assert request.content == BODY
        return httpx.Response(200, content=EVENTS)

    assert await answered(upstream, google, request_) == EVENTS


@pytest.mark.parametrize(
    ("auth", "request_", "url", "header"),
    [
        ("header", CHAT, "/openai/chat/completions", ("authorization", "Bearer k")),
        ("query", CHAT, "/openai/chat/completions", ("authorization", "Bearer k")),
        (
            "header",
            msgspec.structs.replace(STREAM, method=TextMethod.STREAM, is_events=True),
            "/models/m:streamGenerateContent?alt=sse",
            ("x-goog-api-key", "k"),
        ),
        (
            "bearer",
            msgspec.structs.replace(CHAT, method=TextMethod.GENERATE),
            "/models/m:generateContent",
            ("authorization", "Bearer k"),
        ),
        (
            "query",
            msgspec.structs.replace(STREAM, method=TextMethod.STREAM, is_events=True),
            "/models/m:streamGenerateContent?key=k&alt=sse",
            None,
        ),
    ],
)
def test_each_route_has_its_address(auth: str, request_: TextRequest, url: str, header: tuple[str, str] | None) -> None:
    """And its place for the key."""
    endpoint = msgspec.structs.replace(ENDPOINT, auth=auth)
    address, headers = endpoint.text_address(request_, Key("one", FixedSecret("k")), "k")

    assert address == f"https://gemini.example/v1beta{url}"
    assert [*headers.items()] == [("content-type", "application/json"), *([header] if header else [])]


def refusal(status: int, word: str, **more: object) -> Callable[[httpx.Request], httpx.Response]:
    """Return a Google that refuses, in the list that its route in OpenAI's form has."""
    error = {"code": status, "message": "No.", "status": word, **more}
    return lambda _: httpx.Response(status, json=[{"error": error}])


WRONG_KEY = {"details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}


@pytest.mark.parametrize("request_", [CHAT, STREAM])
@pytest.mark.parametrize(
    ("google", "fault"),
    [
        (refusal(400, "INVALID_ARGUMENT"), InvalidRequest),
        (refusal(400, "INVALID_ARGUMENT", **WRONG_KEY), UpstreamCredential),
        (refusal(404, "NOT_FOUND"), UnknownModel),
        (refusal(429, "RESOURCE_EXHAUSTED"), UpstreamBusy),
        (refusal(503, "UNAVAILABLE"), UpstreamOverloaded),
        (refusal(500, "INTERNAL"), UpstreamBroken),
        (lambda _: httpx.Response(302, headers={"location": "https://elsewhere.example"}), UpstreamBroken),
    ],
)
async def test_an_error_in_a_list_is_one_of_ours(
    upstream: Upstream, request_: TextRequest, google: Google, fault: type[AdapterError]
) -> None:
    """None of them says that money was spent: a text is cheap."""
    with pytest.raises(fault) as raised:
        await answered(upstream, google, request_)

    assert not raised.value.spent


async def test_a_refused_key_is_renewed(upstream: Upstream) -> None:
    """Once."""

    def google(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] == "Bearer old":
            return refusal(401, "UNAUTHENTICATED")(request)
        return httpx.Response(200, content=EVENTS)

    assert await answered(upstream, google, STREAM, Renewable("old", "new")) == EVENTS


Serve = Callable[[web.BaseRequest, web.StreamResponse], Awaitable[None]]


async def streamed(serve: Serve, run: Callable[[str], Awaitable[None]], **head: object) -> None:
    """Run something before a server that sends a stream in pieces of its own choice."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse()
        if "length" in head:
            response.content_length = int(str(head["length"]))
        await response.prepare(request)
        await serve(request, response)
        return response

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await run(f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("head", [{}, {"length": 8}])
async def test_a_piece_goes_out_before_the_next_has_come(head: dict[str, int]) -> None:
    """In each framing."""
    is_read = asyncio.Event()

    async def serve(_: web.BaseRequest, response: web.StreamResponse) -> None:
        await response.write(b"one,")
        await is_read.wait()
        await response.write(b"two.")

    async def run(url: str) -> None:
        http = Http()
        async with http.open(), texts(url, http).open_text(STREAM) as reply:
            assert await anext(reply.pieces) == b"one,"
            is_read.set()
            assert b"".join([piece async for piece in reply.pieces]) == b"two."

    await streamed(serve, run, **head)


async def test_leaving_an_answer_ends_the_request_at_google() -> None:
    """Its connection is closed."""
    has_ended = asyncio.Event()

    async def serve(_: web.BaseRequest, response: web.StreamResponse) -> None:
        try:
            while True:
                await response.write(b"word ")
                await asyncio.sleep(0)
        finally:
            has_ended.set()

    async def run(url: str) -> None:
        http = Http()
        async with http.open():
            async with texts(url, http).open_text(STREAM) as reply:
                await anext(reply.pieces)
            async with asyncio.timeout(5):
                await has_ended.wait()

    await streamed(serve, run)


async def test_a_stream_that_is_cut_is_broken() -> None:
    """Not over."""

    async def serve(request: web.BaseRequest, response: web.StreamResponse) -> None:
        await response.write(b"one,")
        assert request.transport is not None
        request.transport.abort()

    async def run(url: str) -> None:
        http = Http()
        async with http.open():
            with pytest.raises(UpstreamBroken) as raised:
                await read(texts(url, http), STREAM)
        assert raised.value.should_retry

    await streamed(serve, run)


@pytest.mark.parametrize("request_", [STREAM, CHAT])
async def test_a_silence_has_an_end(request_: TextRequest) -> None:
    """Of a stream between its pieces, and of a whole answer."""
    going_on = asyncio.Event()

    async def serve(_: web.BaseRequest, response: web.StreamResponse) -> None:
        await response.write(b"one,")
        await going_on.wait()

    async def run(url: str) -> None:
        http = Http(limits=HttpLimits(answer=0.05))
        async with http.open():
            with pytest.raises(UpstreamSilent):
                await read(texts(url, http), request_)
        going_on.set()

    await streamed(serve, run)
