"""The official Node client and the AI SDK: the same journeys in the other half of the world."""

import base64
import re
from io import BytesIO
from uuid import uuid4

import httpx
import msgspec
import pytest
from PIL import Image as Pillow

from tests.journeys.node_programs import NodePrograms

MODEL = "gemini-2.5-flash-image"
VIDEO_MODEL = "veo-3.1-fast"
CONTENT = re.compile(r"!\[Video preview\]\(http\S+\.jpg\)\n\n\[Download video\]\((http\S+\.mp4)\)")


class Refusal(msgspec.Struct, frozen=True):
    """What the official client knows of an error."""

    kind: str = msgspec.field(name="class")
    status: int
    code: str | None
    param: str | None


class Refused(msgspec.Struct, frozen=True):
    """Instead of an answer."""

    error: Refusal


class Item(msgspec.Struct, frozen=True):
    """One picture of the official client."""

    b64_json: str = ""
    url: str = ""


class Pictures(msgspec.Struct, frozen=True):
    """An `ImagesResponse`."""

    data: list[Item]
    size: str
    output_format: str


class Delta(msgspec.Struct, frozen=True):
    """A piece of a streamed chat."""

    finish_reason: str | None
    role: str = ""
    content: str = ""
    reasoning_content: str = ""


class Message(msgspec.Struct, frozen=True):
    """A chat's whole message."""

    role: str
    content: str


class Choice(msgspec.Struct, frozen=True):
    """The only one."""

    message: Message
    finish_reason: str


class Completion(msgspec.Struct, frozen=True):
    """What the streaming helper puts together."""

    choices: list[Choice]


class AiImage(msgspec.Struct, frozen=True):
    """One picture of the AI SDK, which looks at the bytes for the type."""

    type: str
    base64: str


class AiImages(msgspec.Struct, frozen=True):
    """What `generateImage` returns."""

    images: list[AiImage]
    warnings: list[object]


class AiError(msgspec.Struct, frozen=True):
    """What `generateImage` throws."""

    name: str
    status: int
    message: str


class AiRefused(msgspec.Struct, frozen=True):
    """Instead of pictures."""

    error: AiError


class AiPart(msgspec.Struct, frozen=True):
    """A piece of `streamText`."""

    type: str
    text: str = ""
    finish: str = ""


class AiText(msgspec.Struct, frozen=True):
    """What `generateText` returns."""

    text: str
    finish: str


def opened(data: bytes) -> Pillow.Image:
    """Decode a picture whole."""
    picture = Pillow.open(BytesIO(data))
    picture.load()
    return picture


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
    picture = opened(base64.b64decode(made.data[0].b64_json))

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
    content = CONTENT.fullmatch("".join(delta.content for delta in deltas))

    assert deltas[0].role == "assistant"
    assert any(delta.reasoning_content for delta in deltas)
    assert deltas[-1].finish_reason == "stop"
    assert content
    assert http.head(content[1]).headers["content-type"] == "video/mp4"


def test_the_streaming_helper_puts_the_chat_together(node: NodePrograms) -> None:
    """It throws without a role or a finish reason."""
    [choice] = node.run("openai_chat_helper", Completion, model=VIDEO_MODEL, messages=messages()).choices

    assert (choice.message.role, choice.finish_reason) == ("assistant", "stop")
    assert CONTENT.fullmatch(choice.message.content)


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
    pictures = [opened(base64.b64decode(image.base64)) for image in made.images]

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
    assert CONTENT.fullmatch("".join(part.text for part in parts if part.type == "text-delta"))
    assert kinds.index("reasoning-end") < kinds.index("text-start")
    assert (kinds[-1], parts[-1].finish) == ("finish", "stop")


def test_the_ai_sdk_gets_the_link_without_a_stream(node: NodePrograms) -> None:
    """In one piece."""
    answer = node.run("ai_chat", AiText, model=VIDEO_MODEL, messages=messages())

    assert answer.finish == "stop"
    assert CONTENT.fullmatch(answer.text)
