"""Chat with a picture model, as front-ends and gateways' clients do it."""

import base64
import re
from collections.abc import Mapping, Sequence
from io import BytesIO

import httpx
import openai
import pytest
from PIL import Image as Pillow

from tests.fakes import png
from tests.journeys.server import KEY, Server

MODEL = "gemini-3.1-flash-image"
#: What the sandbox counts for a picture that it is given.
TOKENS = 258


def data_url(file: bytes) -> str:
    """Return a file as an address."""
    return f"data:image/png;base64,{base64.b64encode(file).decode()}"


def link_of(content: str | None) -> str:
    """Return the address of the one picture in a text."""
    [link] = re.findall(r"!\[image\]\((\S+)\)", content or "")
    return str(link)


def asked(
    http: httpx.Client, server: Server, messages: Sequence[Mapping[str, object]], **fields: object
) -> dict[str, object]:
    """Return the whole answer to a conversation."""
    reply = http.post(
        f"{server.url}/v1/chat/completions",
        json={"model": MODEL, "messages": messages, **fields},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=30,
    )
    assert reply.status_code == 200, reply.text
    body: dict[str, object] = reply.json()
    return body


@pytest.mark.parametrize("model", [MODEL, "flow-gem-pix-square"])
def test_a_chat_answers_with_a_link(client: openai.OpenAI, http: httpx.Client, model: str) -> None:
    """In Markdown, which every front-end shows; the link needs no key."""
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "a cat"}])
    fetched = http.get(link_of(answer.choices[0].message.content))

    assert Pillow.open(BytesIO(fetched.content)).size == (1024, 1024)
    assert (answer.choices[0].finish_reason, answer.model) == ("stop", model)


def test_a_stream_says_that_it_works_and_then_shows_the_picture(client: openai.OpenAI) -> None:
    """Role, progress, one piece of content, the end, the usage."""
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "a cat"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    *working, shown, end, usage = chunks

    assert working[0].choices[0].delta.role == "assistant"
    assert "Making the picture" in str(working[1].choices[0].delta.model_extra)
    assert link_of(shown.choices[0].delta.content)
    assert end.choices[0].finish_reason == "stop"
    assert usage.usage is not None
    assert usage.usage.completion_tokens == 1208


def test_pictures_come_beside_the_text_where_that_is_asked_for(client: openai.OpenAI) -> None:
    """OpenRouter's form: data URLs with numbers of their own, all in one chunk, and no link besides."""
    wish = {"modalities": ["image", "text"], "image_config": {"aspect_ratio": "16:9"}}
    with client.chat.completions.stream(
        model=MODEL, messages=[{"role": "user", "content": "a cat"}], n=2, extra_body=wish
    ) as stream:
        message = stream.until_done().get_final_completion().choices[0].message

    assert not message.content
    images = (message.model_extra or {})["images"]
    assert [image["index"] for image in images] == [0, 1]
    for image in images:
        kind, _, data = image["image_url"]["url"].partition(",")
        assert kind == "data:image/png;base64"
        assert Pillow.open(BytesIO(base64.b64decode(data, validate=True))).size == (1376, 768)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": data_url(png()), "detail": "high"}},
        {"type": "image_url", "image_url": data_url(png())},
        {"type": "input_image", "image_url": data_url(png())},
        {"type": "file", "file": {"file_data": data_url(png()), "filename": "a.png"}},
    ],
)
def test_a_picture_in_the_message_is_worked_from(http: httpx.Client, server: Server, part: dict[str, object]) -> None:
    """However the program at the other end writes it."""
    answer = asked(http, server, [{"role": "user", "content": [{"type": "text", "text": "make it blue"}, part]}])

    assert answer["usage"]["prompt_tokens"] == TOKENS + 3  # type: ignore[index]


@pytest.mark.parametrize("form", ["link", "data"])
def test_it_means_the_picture_above(http: httpx.Client, server: Server, form: str) -> None:
    """Edited turn by turn: by our own link in the history, or by the picture that came beside the text."""
    first = {"role": "user", "content": "a cat"}
    extra = {"modalities": ["image", "text"]} if form == "data" else {}
    answer = asked(http, server, [first], **extra)["choices"][0]["message"]  # type: ignore[index]
    for turn in ("make it blue", "and larger"):
        told = asked(http, server, [first, answer, {"role": "user", "content": turn}], **extra)
        assert told["usage"]["prompt_tokens"] > TOKENS  # type: ignore[index]
        answer = told["choices"][0]["message"]  # type: ignore[index]


@pytest.mark.parametrize(("agent", "in_words"), [("OpenAI/Python", True), ("langchainjs-openai/1.0.0", False)])
def test_a_refusal_is_an_error_and_readable_where_the_error_may_not_be_shown(
    client: openai.OpenAI, agent: str, *, in_words: bool
) -> None:
    """In a stream it is an exception for the program, and text for the person before it."""
    stream = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "a cat [image_safety]"}],
        stream=True,
        extra_headers={"User-Agent": agent},
    )
    said: list[str] = []
    with pytest.raises(openai.APIError) as caught:
        said.extend(chunk.choices[0].delta.content or "" for chunk in stream)

    assert caught.value.code == "moderation_blocked"
    assert "violated" in caught.value.message
    assert ("violated" in "".join(said)) is in_words


def test_a_refusal_of_a_whole_answer_has_a_status(client: openai.OpenAI) -> None:
    """Nothing was begun for the client."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "a cat [blocked]"}])

    assert caught.value.code == "moderation_blocked"


def test_a_picture_that_is_no_longer_there_is_a_clear_error(http: httpx.Client, server: Server) -> None:
    """An edit of nothing would be another picture, and cost as much."""
    gone = f"{server.url}/media/{'0' * 32}.png"
    reply = http.post(
        f"{server.url}/v1/chat/completions",
        json={
            "model": MODEL,
            "messages": [
                {"role": "assistant", "content": f"![image]({gone})"},
                {"role": "user", "content": "make it blue"},
            ],
        },
        headers={"authorization": f"Bearer {KEY}"},
    )

    assert reply.status_code == 400
    assert "attach it again" in reply.json()["error"]["message"]
