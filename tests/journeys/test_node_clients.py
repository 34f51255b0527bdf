"""The official Node client and the AI SDK: the same journeys in the other half of the world."""

from uuid import uuid4

import httpx
import pytest

from tests.journeys.node_programs import NodePrograms
from tests.journeys.node_results import (
    VIDEO_CONTENT,
    AiImages,
    AiPart,
    AiRefused,
    AiText,
    Completion,
    Delta,
    Pictures,
    Refusal,
    Refused,
)
from tests.pictures import opened

MODEL = "gemini-2.5-flash-image"
VIDEO_MODEL = "veo-3.1-fast"


def messages() -> list[dict[str, str]]:
    """Return a chat that no other test asks for."""
    return [{"role": "user", "content": f"waves {uuid4()}"}]


def test_the_models_are_listed(node: NodePrograms) -> None:
    """To the end: there is one page."""
    assert {MODEL, VIDEO_MODEL} <= set(node.run("openai_models", list[str]))


@pytest.mark.parametrize(
    ("order", "form", "pixels"),
    [
        ({}, "PNG", (1024, 1024)),
        ({"size": "1536x1024"}, "PNG", (1248, 832)),
        ({"output_format": "webp"}, "WEBP", (1024, 1024)),
    ],
)
def test_a_picture_comes_in_base64(
    node: NodePrograms, order: dict[str, str], form: str, pixels: tuple[int, int]
) -> None:
    """In the size and the format that were asked for."""
    made = node.run("openai_picture", Pictures, model=MODEL, prompt="a fox", **order)
    picture = opened(made.data[0].b64_json)

    assert (picture.format, picture.size) == (form, pixels)
    assert (made.output_format.upper(), made.size) == (form, f"{pixels[0]}x{pixels[1]}")


def test_a_picture_comes_as_a_link(node: NodePrograms, http: httpx.Client) -> None:
    """It opens without a key."""
    made = node.run("openai_picture", Pictures, model=MODEL, prompt="a fox", response_format="url")

    assert opened(http.get(made.data[0].url).content).size == (1024, 1024)


def test_a_mistake_is_a_bad_request_with_its_field(node: NodePrograms) -> None:
    """A program can act on it."""
    refused = node.run("openai_picture", Refused, model=MODEL, prompt="a fox", size="banana")

    assert refused.error == Refusal(kind="BadRequestError", status=400, code="invalid_value", param="size")


def test_an_unknown_path_is_not_found(node: NodePrograms) -> None:
    """As the client's own tests want it."""
    assert node.run("openai_unknown_path", Refused).error.kind == "NotFoundError"


def test_a_streamed_chat_ends_in_a_link_to_a_video(node: NodePrograms, http: httpx.Client) -> None:
    """Role, progress, content, end."""
    deltas = node.run("openai_chat_stream", list[Delta], model=VIDEO_MODEL, messages=messages())
    content = VIDEO_CONTENT.fullmatch("".join(delta.content for delta in deltas))

    assert deltas[0].role == "assistant"
    assert any(delta.reasoning_content for delta in deltas)
    assert deltas[-1].finish_reason == "stop"
    assert content
    assert http.head(content[1]).headers["content-type"] == "video/mp4"


def test_the_streaming_helper_puts_the_chat_together(node: NodePrograms) -> None:
    """It throws without a role or a finish reason."""
    [choice] = node.run("openai_chat_helper", Completion, model=VIDEO_MODEL, messages=messages()).choices

    assert (choice.message.role, choice.finish_reason) == ("assistant", "stop")
    assert VIDEO_CONTENT.fullmatch(choice.message.content)


@pytest.mark.parametrize(
    ("provider", "order"),
    [
        ("openai", {"size": "1536x1024"}),
        ("compatible", {"size": "1536x1024"}),
        ("compatible", {"providerOptions": {"adapter": {"aspect_ratio": "3:2"}}}),
    ],
)
def test_the_ai_sdk_gets_two_pictures_in_the_shape_it_asked_for(
    node: NodePrograms, provider: str, order: dict[str, object]
) -> None:
    """Through both of its providers, and without a warning."""
    made = node.run("ai_picture", AiImages, provider=provider, model="gpt-image-1", prompt="a fox", n=2, **order)
    pictures = [opened(image.base64) for image in made.images]

    assert [image.type for image in made.images] == ["image/png"] * 2
    assert {round(picture.width / picture.height, 1) for picture in pictures} == {1.5}
    assert pictures[0].tobytes() != pictures[1].tobytes()
    assert made.warnings == []


def test_the_ai_sdk_shows_our_words_for_a_mistake(node: NodePrograms) -> None:
    """It reads them out of OpenAI's error shape."""
    error = node.run("ai_picture", AiRefused, provider="openai", model=MODEL, prompt="a fox", size="7x7").error

    assert (error.name, error.status) == ("AI_APICallError", 400)
    assert "size" in error.message


def test_the_ai_sdk_shows_progress_as_reasoning_and_then_the_link(node: NodePrograms) -> None:
    """Two parts of different kinds, in this order."""
    parts = node.run("ai_chat_stream", list[AiPart], model=VIDEO_MODEL, messages=messages())
    kinds = [part.type for part in parts]

    assert "Making the video" in "".join(part.text for part in parts if part.type == "reasoning-delta")
    assert VIDEO_CONTENT.fullmatch("".join(part.text for part in parts if part.type == "text-delta"))
    assert kinds.index("reasoning-end") < kinds.index("text-start")
    assert (kinds[-1], parts[-1].finish) == ("finish", "stop")


def test_the_ai_sdk_gets_the_link_without_a_stream(node: NodePrograms) -> None:
    """In one piece."""
    answer = node.run("ai_chat", AiText, model=VIDEO_MODEL, messages=messages())

    assert answer.finish == "stop"
    assert VIDEO_CONTENT.fullmatch(answer.text)
