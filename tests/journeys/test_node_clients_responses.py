"""Responses with the clients of the other half of the world: their own helpers, and the AI SDK's image tool."""

import pytest

from tests.journeys.node_programs import NodePrograms
from tests.journeys.node_results import VIDEO_CONTENT, AiResponse, CitedResponse, Response, StreamedResponse
from tests.journeys.test_responses import CHAT_MODEL, ORDER
from tests.pictures import opened

TOOL = {"type": "image_generation"}
VIDEO_MODEL = "veo-3.1-fast"


def test_a_picture_is_drawn_found_and_deleted(node: NodePrograms) -> None:
    """The same both times."""
    made, found = node.run("openai_response", list[Response], model=CHAT_MODEL, input="a fox", tools=[TOOL])
    call, said = made.output

    assert (made.status, call.type, said.type, made.text) == ("completed", "image_generation_call", "message", "")
    assert opened(call.result or "").format == "PNG"
    assert found == made


def test_the_streaming_helper_puts_a_picture_together(node: NodePrograms) -> None:
    """Which it does only if every entry is begun and ended in order."""
    order = {"model": CHAT_MODEL, "input": "a fox", "tools": [TOOL | {"partial_images": 1}]}
    streamed = node.run("openai_response_helper", StreamedResponse, **order)

    assert streamed.events == ORDER
    assert opened(streamed.response.output[0].result or "").format == "PNG"


def test_the_streaming_helper_puts_the_citations_of_a_search_together(node: NodePrograms) -> None:
    """Each stands where it says."""
    order = {"model": CHAT_MODEL, "input": "a fox", "tools": [TOOL, {"type": "web_search"}]}
    streamed = node.run("openai_response_helper", CitedResponse, **order)
    [_, said] = streamed.response.output
    [part] = said.content

    assert streamed.events.count("response.output_text.annotation.added") == len(part.annotations) == 2
    assert [part.text[one.start_index : one.end_index] for one in part.annotations] == [
        f"[{one.title}]({one.url})" for one in part.annotations
    ]


def test_the_streaming_helper_puts_a_video_together(node: NodePrograms, prompt: str) -> None:
    """Progress as reasoning, then the link as a message."""
    streamed = node.run("openai_response_helper", StreamedResponse, model=VIDEO_MODEL, input=prompt)

    assert [item.type for item in streamed.response.output] == ["reasoning", "message"]
    assert VIDEO_CONTENT.fullmatch(streamed.response.text)
    assert "response.reasoning_summary_text.delta" in streamed.events


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "flow-gem-pix"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_ai_sdk_draws_with_its_image_tool(node: NodePrograms, model: str, *, stream: bool) -> None:
    """With counted tokens or without, whole or as a stream."""
    tool = {"model": model, "outputFormat": "webp"}
    made = node.run("ai_response", AiResponse, model=CHAT_MODEL, prompt="a fox", stream=stream, tool=tool)

    assert [opened(result).format for result in made.results] == ["WEBP"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_ai_sdk_shows_a_video(node: NodePrograms, prompt: str, *, stream: bool) -> None:
    """Its progress as reasoning."""
    made = node.run("ai_response", AiResponse, model=VIDEO_MODEL, prompt=prompt, stream=stream)

    assert VIDEO_CONTENT.fullmatch(made.text)
    assert "Making the video: " in made.reasoning
