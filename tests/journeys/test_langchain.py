"""LangChain's `ChatOpenAI`, on which LibreChat and many programs are built."""

import base64
import re
from collections.abc import Iterator
from typing import Protocol

import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.fakes import png
from tests.journeys.cutter import cutting
from tests.journeys.schema_watch import Watch
from tests.journeys.server import KEY, Server
from tests.support import WITHOUT_TLS

PICTURES = "gemini-2.5-flash-image"
VIDEOS = "veo-3.1-fast"
PICTURE = re.compile(r"!\[image\]\(http\S+\.png\)")
VIDEO = re.compile(
    r"\[!\[Video preview\]\(http\S+\.jpg\)\]\(http\S+\.mp4\)\n\n\[Download video\]\(http\S+\.mp4\?download=1\)"
)


class Ask(Protocol):
    """Makes a model of the server, or of a proxy before it at a port."""

    def __call__(self, server: Server, name: str, *, port: int = 0) -> ChatOpenAI: ...


@pytest.fixture
def ask(watch: Watch) -> Iterator[Ask]:
    """Models with the retries that LangChain has by default."""
    http = openai.DefaultHttpxClient(verify=WITHOUT_TLS, event_hooks={"response": [watch.on_response]})

    def identity(server: Server, name: str, *, port: int = 0) -> ChatOpenAI:
        return ChatOpenAI(
            model=name,
            base_url=f"http://127.0.0.1:{port or server.port}/v1",
            api_key=SecretStr(KEY),
            timeout=60,
            http_client=http,
        )

    with http:
        yield identity


@pytest.mark.parametrize(("name", "shown"), [(PICTURES, PICTURE), (VIDEOS, VIDEO)])
def test_it_invokes(server: Server, ask: Ask, prompt: str, name: str, shown: re.Pattern[str]) -> None:
    """A message with the link, and the reason for its end."""
    answer = ask(server, name).invoke(prompt)

    assert shown.fullmatch(str(answer.content))
    assert answer.response_metadata["finish_reason"] == "stop"
    assert server.executed(prompt) == 1


@pytest.mark.parametrize(("name", "shown"), [(PICTURES, PICTURE), (VIDEOS, VIDEO)])
def test_it_streams(server: Server, ask: Ask, prompt: str, name: str, shown: re.Pattern[str]) -> None:
    """It leaves the lines of progress aside, which are no part of the content, and adds the chunks to one message."""
    chunks = [*ask(server, name).stream(prompt)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk

    assert len(chunks) > 2
    assert shown.fullmatch(str(whole.content))
    assert server.executed(prompt) == 1


def test_it_shows_a_picture_to_work_from(server: Server, ask: Ask, prompt: str) -> None:
    """As LangChain writes it for OpenAI."""
    url = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    message = HumanMessage([{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": url}}])

    assert PICTURE.fullmatch(str(ask(server, PICTURES).invoke([message]).content))
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("name", [PICTURES, VIDEOS])
def test_its_retries_join(server: Server, ask: Ask, prompt: str, name: str) -> None:
    """Two spoiled answers, three attempts, and one execution."""
    with cutting(server.port) as cutter:
        cutter.faults = ["500", "mid_answer"]
        answer = ask(server, name, port=cutter.port).invoke(prompt)

    assert "http" in str(answer.content)
    assert len(cutter.counts) == 3
    assert server.executed(prompt) == 1
