"""OpenAI's Agents SDK with its hosted image tool, and with a video model: one execution per run."""

import base64
from collections.abc import AsyncIterator, Callable

import openai
import pytest
from agents import (
    Agent,
    ImageGenerationTool,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    ToolCallItem,
    TResponseInputItem,
)
from agents.items import RunItem
from agents.result import RunResultBase
from openai.types.responses.response_output_item import ImageGenerationCall

from tests.journeys.schema_watch import Watch
from tests.journeys.server import KEY, Server
from tests.pictures import opened
from tests.support import WITHOUT_TLS

#: A picture model, a chat model whose tool draws, and a model of Flow's.
PICTURES = ["gemini-3.1-flash-image", "gpt-5.2", "flow-gem-pix"]
VIDEOS = "veo-3.1-fast"
#: The SDK would send its traces to OpenAI.
QUIET = RunConfig(tracing_disabled=True)

MakeAgent = Callable[[str], "Agent[None]"]


@pytest.fixture
async def agent(server: Server, watch: Watch) -> AsyncIterator[MakeAgent]:
    """Agents with a model of the server and, for pictures, the hosted tool."""
    async with openai.AsyncOpenAI(
        base_url=f"{server.url}/v1",
        api_key=KEY,
        http_client=openai.DefaultAsyncHttpxClient(
            verify=WITHOUT_TLS, event_hooks={"response": [watch.on_async_response]}
        ),
    ) as client:
        tool = ImageGenerationTool(tool_config={"type": "image_generation"})

        def make(name: str) -> "Agent[None]":
            tools = [] if name == VIDEOS else [tool]
            return Agent(name="artist", model=OpenAIResponsesModel(name, client), tools=list(tools))

        yield make


def pictures(items: list[RunItem]) -> list[bytes]:
    """Return the pictures that a run drew."""
    calls = [item.raw_item for item in items if isinstance(item, ToolCallItem)]
    return [
        base64.b64decode(call.result or "", validate=True) for call in calls if isinstance(call, ImageGenerationCall)
    ]


def drew_one(run: RunResultBase) -> bool:
    """Say whether a run drew one picture and ended with a message."""
    [picture] = pictures(run.new_items)
    return opened(picture).format in {"PNG", "JPEG"} and run.final_output == "" and len(run.raw_responses) == 1


@pytest.mark.parametrize("name", PICTURES)
async def test_a_run_draws_one_picture(agent: MakeAgent, server: Server, prompt: str, name: str) -> None:
    """And ends: the SDK asks again and again for what has no message behind it."""
    run = await Runner.run(agent(name), prompt, run_config=QUIET)

    assert drew_one(run)
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("name", PICTURES)
async def test_a_streamed_run_draws_one_picture(agent: MakeAgent, server: Server, prompt: str, name: str) -> None:
    """The SDK takes the run's items from the last event."""
    run = Runner.run_streamed(agent(name), prompt, run_config=QUIET)
    kinds = [event.name async for event in run.stream_events() if event.type == "run_item_stream_event"]

    assert kinds == ["tool_called", "message_output_created"]
    assert drew_one(run)
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("name", PICTURES)
async def test_the_next_turn_draws_one_more(agent: MakeAgent, server: Server, prompt: str, name: str) -> None:
    """With the items sent back, or by the id of the response; what was drawn before is not drawn again."""
    artist = agent(name)
    first = await Runner.run(artist, prompt, run_config=QUIET)
    blue, green = f"{prompt} in blue", f"{prompt} in green"
    turns: list[TResponseInputItem] = [*first.to_input_list(), {"role": "user", "content": blue}]
    sent_back = await Runner.run(artist, turns, run_config=QUIET)
    followed = await Runner.run(artist, green, previous_response_id=first.last_response_id, run_config=QUIET)

    assert drew_one(sent_back)
    assert drew_one(followed)
    assert [server.executed(each) for each in (prompt, blue, green)] == [1, 1, 1]


@pytest.mark.parametrize("name", [PICTURES[0], VIDEOS])
async def test_a_run_without_a_new_message_makes_nothing(
    agent: MakeAgent, server: Server, prompt: str, name: str
) -> None:
    """A loop around the SDK that sends back what it has, by items or by id."""
    artist = agent(name)
    first = await Runner.run(artist, prompt, run_config=QUIET)
    by_items = await Runner.run(artist, first.to_input_list(), run_config=QUIET)
    by_id = await Runner.run(artist, [], previous_response_id=first.last_response_id, run_config=QUIET)

    assert {run.final_output[:18] for run in (by_items, by_id)} == {"What was asked for"}
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_run_films_one_video(agent: MakeAgent, server: Server, prompt: str, *, stream: bool) -> None:
    """Its link is the run's answer."""
    if stream:
        streamed = Runner.run_streamed(agent(VIDEOS), prompt, run_config=QUIET)
        assert [event async for event in streamed.stream_events()]
        answer = streamed.final_output
    else:
        answer = (await Runner.run(agent(VIDEOS), prompt, run_config=QUIET)).final_output

    assert "[Download video](" in answer
    assert server.executed(prompt) == 1
