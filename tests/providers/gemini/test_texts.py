"""Gemini as a writer of a few words."""

import asyncio

import httpx
import msgspec
import pytest

from adapter.domain.texts import TextLimits, Turn
from adapter.errors import ContentRefused, NoMedia, UpstreamBroken, UpstreamOverloaded
from adapter.providers.gemini import translate
from adapter.providers.reply import Reply
from tests.providers.gemini.test_provider import ENDPOINT, Renewable, order, provider
from tests.upstream import Upstream

LIMITS = TextLimits(tokens=100, seconds=5.0)


def sent(*turns: Turn, limits: TextLimits = LIMITS) -> object:
    """Return the JSON that goes to Gemini."""
    return msgspec.json.decode(msgspec.json.encode(translate.text_request(turns, limits)))


def answer(*parts: dict[str, object], **candidate: object) -> Reply:
    """Return an answer with these parts."""
    return Reply(200, msgspec.json.encode({"candidates": [{"content": {"parts": parts}, **candidate}]}))


def test_what_the_system_says_stands_beside_the_turns() -> None:
    """And the assistant is called `model`."""
    assert sent(
        Turn("system", "Be brief."), Turn("user", "a fox"), Turn("assistant", "…"), Turn("user", "Name it.")
    ) == {
        "contents": [
            {"parts": [{"text": "a fox"}], "role": "user"},
            {"parts": [{"text": "…"}], "role": "model"},
            {"parts": [{"text": "Name it."}], "role": "user"},
        ],
        "generationConfig": {"maxOutputTokens": 100},
        "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "user"},
    }


def test_a_system_alone_is_the_turn() -> None:
    """LibreChat once sent its wish for a title so; Gemini refuses a request without contents."""
    assert sent(Turn("system", "Name it."), limits=msgspec.structs.replace(LIMITS, json=True)) == {
        "contents": [{"parts": [{"text": "Name it."}], "role": "user"}],
        "generationConfig": {"maxOutputTokens": 100, "responseMimeType": "application/json"},
    }


def test_a_text_is_all_its_parts_without_the_thoughts() -> None:
    """Thinking models send those before it."""
    assert (
        translate.text(answer({"text": "hm", "thought": True}, {"text": " A red"}, {"text": " fox\n"})) == "A red fox"
    )


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (answer(finishReason="MAX_TOKENS"), NoMedia),
        (answer({"text": "  "}), NoMedia),
        (answer(finishReason="SAFETY"), ContentRefused),
        (Reply(200, b'{"promptFeedback": {"blockReason": "OTHER"}}'), ContentRefused),
        (Reply(200, b"<html>"), UpstreamBroken),
        (Reply(200, b""), UpstreamBroken),
        (Reply(200, b'{"choices": []}'), UpstreamBroken),
        (Reply(200, b'{"candidates": [], "\xff": 1}'), UpstreamBroken),
        (Reply(503, b'{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}'), UpstreamOverloaded),
    ],
)
def test_what_is_no_text_is_a_fault(reply: Reply, fault: type[Exception]) -> None:
    """Whoever asked can do without."""
    with pytest.raises(fault):
        translate.text(reply)


async def test_a_text_does_not_wait_behind_pictures(upstream: Upstream) -> None:
    """All places are taken by pictures that do not come."""
    reached, going_on = asyncio.Event(), asyncio.Event()

    async def google(request: httpx.Request) -> httpx.Response:
        if "/models/m:" in str(request.url):
            reached.set()
            await going_on.wait()
        return httpx.Response(200, content=bytes(answer({"text": "A fox"}).body))

    gemini = provider(upstream, google, msgspec.structs.replace(ENDPOINT, concurrency=1))
    drawing = asyncio.create_task(gemini.make_images(order(), ()))
    await reached.wait()

    async with asyncio.timeout(5):
        assert await gemini.make_text("gemini-x", [Turn("user", "Name it.")], LIMITS) == "A fox"
    going_on.set()
    with pytest.raises(NoMedia):
        await drawing


async def test_a_refused_key_is_renewed_for_a_text_as_well(upstream: Upstream) -> None:
    """Once."""
    key = Renewable("old", "new")

    def google(request: httpx.Request) -> httpx.Response:
        if request.headers["x-goog-api-key"] == "old":
            return httpx.Response(401, json={"error": {"code": 401, "message": "no", "status": "UNAUTHENTICATED"}})
        return httpx.Response(200, content=bytes(answer({"text": "A fox"}).body))

    gemini = provider(upstream, google, keys=[key])

    assert await gemini.make_text("gemini-x", [Turn("user", "Name it.")], LIMITS) == "A fox"
