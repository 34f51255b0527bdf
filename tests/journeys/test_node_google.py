"""Google's own client for Node, and the AI SDK's Google provider."""

from uuid import uuid4

import msgspec
import pytest

from tests.journeys.node_programs import NodePrograms
from tests.pictures import opened

MODEL = "gemini-2.5-flash-image"
SIGNING = "gemini-3.1-flash-image"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a program sees of an answer."""

    pictures: list[str]
    signed: bool
    reason: str | None
    #: The kinds of what the prompt had.
    given: list[str]


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """What it sees of an error."""

    name: str
    status: int | None
    message: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """An error in the place of an answer."""

    error: Error


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """The list of the models, and one of them."""

    names: list[str]
    name: str
    actions: list[str]


class AiGoogle(msgspec.Struct, frozen=True, kw_only=True):
    """A picture by each interface of the AI SDK."""

    image: str
    #: Beside the text of a chat.
    files: list[str]


class LibreChat(msgspec.Struct, frozen=True, kw_only=True):
    """What LibreChat's tool reads of an answer."""

    ended: str
    picture: str | None
    #: Of the prompt and of the answer. LibreChat charges its users for them.
    tokens: tuple[int, int]
    failed: str | None


@pytest.fixture
def words() -> str:
    """Words that no other test uses."""
    return f"a red fox {uuid4()}"


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_picture_has_the_frame_that_was_asked_for(node: NodePrograms, words: str, version: str) -> None:
    """By each version that the client has used."""
    config = {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "9:16"}}
    made = node.run("google_content", Seen, model=MODEL, contents=words, config=config, version=version)

    assert [opened(picture).size for picture in made.pictures] == [(768, 1344)]
    assert made.reason == "STOP"


def test_a_picture_is_edited(node: NodePrograms, words: str) -> None:
    """As LibreChat's tool does it."""
    blue = node.run("google_edit", Seen, model=MODEL, prompt=words)

    assert opened(blue.pictures[0]).format == "PNG"
    assert blue.given == ["TEXT", "IMAGE"]


@pytest.mark.parametrize(
    ("model", "frame", "size"),
    [
        (MODEL, {}, (1024, 1024)),
        (MODEL, {"aspectRatio": "16:9"}, (1344, 768)),
        (SIGNING, {"aspectRatio": "9:16", "imageSize": "2K"}, (1536, 2752)),
        ("gemini-nano-banana-2.1", {"imageSize": "1K"}, (1024, 1024)),
    ],
)
def test_librechats_gemini_tool_gets_its_picture(
    node: NodePrograms, words: str, model: str, frame: dict[str, str], size: tuple[int, int]
) -> None:
    """With the options of its source (`GeminiImageGen.js`), from words and then from that picture."""
    made = node.run("google_librechat", list[LibreChat], model=model, prompt=words, **frame)

    assert len(made) == 2
    for each in made:
        assert (each.ended, each.failed) == ("STOP", None)
        assert opened(each.picture or "").size == size
        assert min(each.tokens) > 0


def test_librechats_gemini_tool_hears_of_what_is_not_made(node: NodePrograms, words: str) -> None:
    """A picture that Google blocks is an answer without one; a wrong model is an error with a message."""
    [blocked] = node.run("google_librechat", list[LibreChat], model=MODEL, prompt=f"{words} [image_safety]")
    [failed] = node.run("google_librechat", list[LibreChat], model="gemini-9-image", prompt=words)

    assert (blocked.ended, blocked.picture, blocked.failed) == ("IMAGE_SAFETY", None, None)
    assert "gemini-9-image" in (failed.failed or "")


def test_a_stream_has_the_picture_in_one_event(node: NodePrograms, words: str) -> None:
    """Blank lines before it do not reach the program."""
    [made] = node.run("google_stream", list[Seen], model="flow-gem-pix", contents=words)

    assert opened(made.pictures[0]).format == "PNG"


def test_a_chat_goes_on_with_signed_pictures(node: NodePrograms, words: str) -> None:
    """The client sends them back with their signatures, without a word of the program's."""
    drawn = node.run("google_chat", list[Seen], model=SIGNING, messages=[words, "make it blue", "now at night"])

    assert [(len(one.pictures), one.signed) for one in drawn] == [(1, True)] * 3
    assert ["IMAGE" in one.given for one in drawn] == [False, True, True]


def test_the_models_are_listed_and_described(node: NodePrograms) -> None:
    """In pages of two."""
    found = node.run("google_models", Models, model="nano-banana")

    assert {f"models/{MODEL}", "models/flow-gem-pix"} <= set(found.names)
    assert (found.name, found.actions) == ("models/nano-banana", ["generateContent"])


def test_a_wrong_key_is_refused(node: NodePrograms, words: str) -> None:
    """In Google's words."""
    refused = node.run("google_content", Refused, model=MODEL, contents=words, key="AIza-wrong").error

    assert (refused.name, refused.status) == ("ApiError", 400)
    assert "API key not valid" in refused.message


def test_a_refusal_is_an_answer_without_a_picture(node: NodePrograms, words: str) -> None:
    """As at Google."""
    answer = node.run("google_content", Seen, model=MODEL, contents=f"{words} [image_safety]")

    assert (answer.pictures, answer.reason) == ([], "IMAGE_SAFETY")


def test_the_ai_sdk_gets_pictures_by_both_of_its_interfaces(node: NodePrograms, words: str) -> None:
    """As a picture, and as a file beside a text."""
    made = node.run("ai_google", AiGoogle, model=MODEL, prompt=words, aspectRatio="16:9")

    assert opened(made.image).size == (1344, 768)
    assert [opened(file).format for file in made.files] == ["PNG"]
