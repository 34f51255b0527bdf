"""Pictures as input, streamed pictures, and pictures in a chat, with the clients of the other half of the world."""

from pathlib import Path

import httpx
import pytest
from PIL import Image as Pillow

from tests.journeys.node_programs import NodePrograms
from tests.journeys.node_results import AiImages, AiText, Delta, FileJourney, Message, PictureEvent, Pictures
from tests.pictures import opened

MODEL = "gemini-2.5-flash-image"
CHAT_MODEL = "gemini-3.1-flash-image"
MESSAGES = [{"role": "user", "content": "a red fox"}]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two pictures without an extension, so that only their bytes say what they are."""
    for name, colour in (("first", "red"), ("second", "blue")):
        Pillow.new("RGB", (64, 64), colour).save(tmp_path / name, "PNG")
    return [str(tmp_path / "first"), str(tmp_path / "second")]


@pytest.mark.parametrize("count", [1, 2])
def test_pictures_are_edited(node: NodePrograms, files: list[str], count: int) -> None:
    """One as a stream: chunked, without a length. Two as buffers: `image[]`. Neither with a type."""
    made = node.run("openai_edit", Pictures, model=MODEL, prompt="a hat", files=files[:count])

    assert len(made.data) == 1
    assert opened(made.data[0].b64_json).format == "PNG"


@pytest.mark.parametrize(
    ("program", "kind"),
    [("openai_picture_stream", "image_generation.completed"), ("openai_edit", "image_edit.completed")],
)
def test_a_streamed_picture_is_one_event(node: NodePrograms, files: list[str], program: str, kind: str) -> None:
    """There are no previews, which OpenAI allows."""
    order = {"stream": True, "files": files[:1]} if program == "openai_edit" else {}
    events = node.run(program, list[PictureEvent], model=MODEL, prompt="a fox", **order)

    assert [event.type for event in events] == [kind]
    assert opened(events[0].b64_json).format == "PNG"


def test_a_variation_comes_as_a_link(node: NodePrograms, http: httpx.Client, files: list[str]) -> None:
    """As the clients of that time expect it."""
    made = node.run("openai_variation", Pictures, model="dall-e-2", file=files[0])

    assert opened(http.get(made.data[0].url).content).format == "PNG"


@pytest.mark.parametrize("provider", ["openai", "compatible"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_ai_sdk_edits_pictures(node: NodePrograms, files: list[str], provider: str, count: int) -> None:
    """Several go as `image[]`, one as `image`."""
    order = {"provider": provider, "model": "gpt-image-1", "text": "a hat", "files": files[:count]}
    made = node.run("ai_edit", AiImages, **order)

    assert [opened(image.base64).format for image in made.images] == ["PNG"]
    assert made.warnings == []


def test_a_chat_with_a_picture_model_answers_with_a_picture_that_the_ai_sdk_shows(
    node: NodePrograms, http: httpx.Client
) -> None:
    """It drops `message.images`, so the picture is linked to in the text too."""
    text = node.run("ai_chat", AiText, model=CHAT_MODEL, messages=MESSAGES).text
    link = text.partition("](")[2].partition(")")[0]

    assert text.startswith("![")
    assert opened(http.get(link).content).format == "PNG"


def test_a_chat_that_asks_for_pictures_gets_them_as_data(node: NodePrograms) -> None:
    """The form of the gateways."""
    message = node.run("openai_chat", Message, model=CHAT_MODEL, messages=MESSAGES, modalities=["image", "text"])
    [image] = message.images

    assert image.image_url.url.startswith("data:image/png;base64,")
    assert opened(image.image_url.url).format == "PNG"


def test_a_streamed_chat_hands_its_pictures_over_at_once(node: NodePrograms) -> None:
    """The streaming helpers of the clients overwrite or glue together what comes in several pieces."""
    order = {"model": CHAT_MODEL, "messages": MESSAGES, "modalities": ["image", "text"]}
    deltas = node.run("openai_chat_stream", list[Delta], **order)
    [pictures] = [delta.images for delta in deltas if delta.images]

    assert [opened(picture.image_url.url).format for picture in pictures] == ["PNG"]


def test_a_file_is_uploaded_looked_at_and_deleted(node: NodePrograms, files: list[str]) -> None:
    """As a stream: chunked, without a length, of no type."""
    seen = node.run("openai_files", FileJourney, file=files[0])

    assert seen.content == Path(files[0]).read_bytes()
    assert (seen.file.filename, seen.file.bytes, seen.file.status) == ("first", len(seen.content), "processed")
    assert seen.file.id in seen.listed
    assert seen.deleted
