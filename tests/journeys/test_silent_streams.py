"""What streams say in their silences; `contract.py` reads each as Go's client does, and by the rules of the others."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import openai
import pytest

from tests.fakes import png
from tests.journeys.server import KEY, Server

MODEL = "gemini-2.5-flash-image"
HEADERS = {"authorization": f"Bearer {KEY}"}
COMMENT = b": still working\n"


def generation(prompt: str) -> dict[str, Any]:
    """Return a stream of pictures."""
    return {"url": "images/generations", "json": {"model": MODEL, "prompt": prompt, "stream": True}}


def edit(prompt: str) -> dict[str, Any]:
    """Return a stream of edited pictures."""
    fields = {"model": MODEL, "prompt": prompt, "stream": "true"}
    return {"url": "images/edits", "data": fields, "files": {"image": png(64, 64)}}


def chat(prompt: str) -> dict[str, Any]:
    """Return a chat with a picture model."""
    messages = [{"role": "user", "content": prompt}]
    return {"url": "chat/completions", "json": {"model": MODEL, "messages": messages, "stream": True}}


def response(prompt: str, *, background: bool = False) -> dict[str, Any]:
    """Return a response with the image tool."""
    body = {"model": MODEL, "input": prompt, "stream": True, "background": background}
    return {"url": "responses", "json": body | {"tools": [{"type": "image_generation"}]}}


def background(prompt: str) -> dict[str, Any]:
    """Return one in the background."""
    return response(prompt, background=True)


@pytest.mark.parametrize("ask", [generation, edit, chat, response, background])
@pytest.mark.parametrize("fault", [None, "[blocked] "])
def test_a_silence_is_broken_by_one_line(
    http: httpx.Client, server: Server, ask: Callable[[str], dict[str, Any]], fault: str | None
) -> None:
    """A comment and a line break, nowhere a blank line that ends no event; also where the end is a refusal."""
    prompt = f"{fault or ''}waves {uuid4()}"
    server.fault(on="gemini.generate", do="delay", seconds=0.4, prompt=prompt)
    sent = ask(prompt)
    with http.stream("POST", f"{server.url}/v1/{sent.pop('url')}", headers=HEADERS, timeout=60, **sent) as reply:
        said = reply.read()

    assert COMMENT in said
    assert b"\n\n\n" not in said
    assert COMMENT + b"\n" not in said


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_the_changes_of_a_video_have_such_silences_too(
    http: httpx.Client, client: openai.OpenAI, server: Server, prompt: str
) -> None:
    """Between numbered events, and in a response."""
    video = client.videos.create(prompt=prompt)
    events = http.get(f"{server.url}/v1/videos/{video.id}/events", headers=HEADERS, timeout=60).content
    body = {"model": "veo-3.1-fast", "input": f"{prompt} again", "stream": True}
    told = http.post(f"{server.url}/v1/responses", headers=HEADERS, json=body, timeout=60).content

    for said in (events, told):
        assert COMMENT in said
        assert COMMENT + b"\n" not in said
