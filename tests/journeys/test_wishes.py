"""What counts as one wish, through the official clients: as many pictures as were asked for, and none twice."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import openai
import pytest

from tests.journeys.node_programs import NodePrograms
from tests.journeys.node_results import AiImages
from tests.journeys.schema_watch import Watch
from tests.journeys.server import KEY, Server
from tests.support import ROOT, WITHOUT_TLS

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

PICTURES, VIDEOS = "gemini-2.5-flash-image", "veo-3.1-fast"
MANY = 4
Ask = Callable[[openai.AsyncOpenAI, str], Awaitable[object]]


async def picture(client: openai.AsyncOpenAI, prompt: str) -> object:
    """Ask for a picture."""
    return (await client.images.generate(model=PICTURES, prompt=prompt)).data


async def picture_in_a_chat(client: openai.AsyncOpenAI, prompt: str) -> object:
    """Ask for one in a chat."""
    chat = await client.chat.completions.create(model=PICTURES, messages=[{"role": "user", "content": prompt}])
    return chat.choices[0].message.content


async def video_in_a_chat(client: openai.AsyncOpenAI, prompt: str) -> object:
    """Ask for a video in a chat."""
    chat = await client.chat.completions.create(model=VIDEOS, messages=[{"role": "user", "content": prompt}])
    return chat.choices[0].message.content


async def video(client: openai.AsyncOpenAI, prompt: str) -> object:
    """Ask for a video."""
    return (await client.videos.create(model=VIDEOS, prompt=prompt)).id


async def response(client: openai.AsyncOpenAI, prompt: str) -> object:
    """Ask for a response with a picture."""
    return (await client.responses.create(model=PICTURES, input=prompt)).id


async def background_response(client: openai.AsyncOpenAI, prompt: str) -> object:
    """Ask for one that is made in the background."""
    return (await client.responses.create(model=PICTURES, input=prompt, background=True)).id


@pytest.mark.parametrize("ask", [picture, picture_in_a_chat, video_in_a_chat, video, response, background_response])
async def test_equal_calls_side_by_side_have_an_execution_each(
    server: Server, watch: Watch, prompt: str, ask: Ask
) -> None:
    """As `asyncio.gather` sends them."""
    async with openai.AsyncOpenAI(
        base_url=f"{server.url}/v1",
        api_key=KEY,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(
            verify=WITHOUT_TLS, event_hooks={"response": [watch.on_async_response]}
        ),
    ) as client:
        answers = await asyncio.gather(*(ask(client, prompt) for _ in range(MANY)))
        while server.executed(prompt) < MANY:  # those in the background
            await asyncio.sleep(0.05)

    assert len({str(answer) for answer in answers}) == MANY
    assert server.executed(prompt) == MANY


@pytest.mark.parametrize("model", [PICTURES, "dall-e-3"])
def test_the_ai_sdk_gets_as_many_pictures_as_it_asks_for(node: NodePrograms, server: Server, model: str) -> None:
    """For a name that it does not know it sends equal requests side by side."""
    prompt = f"a fox {uuid4()}"
    made = node.run("ai_picture", AiImages, provider="openai", model=model, prompt=prompt, n=MANY)

    assert len({image.base64 for image in made.images}) == MANY
    assert server.executed(prompt) == MANY


def test_different_users_are_different_wishes(http: httpx.Client, server: Server, prompt: str) -> None:
    """Also when the first one has hung up: another person must not be given its picture."""
    server.fault(on="gemini.generate", do="delay", seconds=0.5, prompt=prompt)

    def ask(user: str, timeout: float) -> httpx.Response:
        body = {"model": PICTURES, "prompt": prompt, "user": user}
        headers = {"authorization": f"Bearer {KEY}"}
        return http.post(f"{server.url}/v1/images/generations", json=body, headers=headers, timeout=timeout)

    with pytest.raises(httpx.ReadTimeout):
        ask("ada", 0.3)
    answers = [ask("bob", 60), ask("ada", 60)]

    assert answers[0].content != answers[1].content
    assert server.executed(prompt) == 2


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A server of its own whose catalogue can be edited."""
    models = tmp_path / "models.toml"
    models.write_bytes((ROOT / "config" / "models.toml").read_bytes())
    server = Server(tmp_path, environ={"ADAPTER__MODELS": str(models)})
    server.start()
    yield server, models
    server.stop()


@pytest.mark.parametrize("repeat", [{"x-stainless-retry-count": "1"}, {"idempotency-key": "k"}])
def test_an_edit_of_the_catalogue_makes_no_retry_a_second_video(
    http: httpx.Client, edited: tuple[Server, Path], prompt: str, repeat: dict[str, str]
) -> None:
    """Nor a 400: what the client said is the same."""
    server, models = edited
    first_attempt = {name: text for name, text in repeat.items() if name == "idempotency-key"}

    def ask(headers: dict[str, str]) -> httpx.Response:
        return http.post(
            f"{server.url}/v1/videos",
            json={"model": VIDEOS, "prompt": prompt},
            headers={"authorization": f"Bearer {KEY}", **headers},
            timeout=60,
        )

    first = ask(first_attempt)
    server.stop()
    text, changes = re.subn(r"typical_seconds = [0-9.]+", "typical_seconds = 12.5", models.read_text())
    assert changes
    models.write_text(text)
    server.start()
    again = ask(repeat)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["id"] == again.json()["id"]
    assert server.executed(prompt) == 1
