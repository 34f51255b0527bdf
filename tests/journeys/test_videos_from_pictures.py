"""Videos from pictures, in a chat: the pictures' number or their roles say what they are."""

import base64
import re
from pathlib import Path
from typing import cast

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from tests.fakes import png
from tests.journeys.movie import read_movie
from tests.journeys.server import KEY, Server

MODEL = "veo-3.1-fast"


def data_url(file: bytes) -> str:
    """Return a file as an address."""
    return f"data:image/png;base64,{base64.b64encode(file).decode()}"


def message(text: str, *files: bytes, roles: tuple[str, ...] = ()) -> ChatCompletionUserMessageParam:
    """Return a user's message with pictures attached; OpenAI's own types know no roles of pictures."""
    pictures = [{"type": "image_url", "image_url": {"url": data_url(file)}} for file in files]
    named = [{**picture, "role": role} for picture, role in zip(pictures, roles, strict=False)]
    content = [{"type": "text", "text": text}, *(named or pictures)]
    return cast("ChatCompletionUserMessageParam", {"role": "user", "content": content})


def clip_of(content: str | None) -> str:
    """Return the address of the video in a text."""
    found = re.search(r"\((http[^\s)]+\.mp4)\)", content or "")
    assert found is not None
    return found[1]


LANDSCAPE, PORTRAIT = png(160, 90), png(90, 160)


@pytest.mark.parametrize(
    ("files", "roles", "key", "size"),
    [
        ([LANDSCAPE], (), "veo_3_1_i2v_s_fast", (320, 180)),
        ([PORTRAIT], (), "veo_3_1_i2v_s_fast_portrait", (180, 320)),
        ([PORTRAIT, LANDSCAPE], (), "veo_3_1_i2v_s_fast_portrait_fl", (180, 320)),
        ([LANDSCAPE] * 3, (), "veo_3_0_r2v_fast", (320, 180)),
        ([LANDSCAPE], ("reference_image",), "veo_3_0_r2v_fast", (320, 180)),
        ([LANDSCAPE, PORTRAIT], ("last_frame", "first_frame"), "veo_3_1_i2v_s_fast_portrait_fl", (180, 320)),
    ],
)
def test_pictures_in_the_message_make_the_video(
    client: openai.OpenAI,
    http: httpx.Client,
    server: Server,
    prompt: str,
    files: list[bytes],
    roles: tuple[str, ...],
    key: str,
    size: tuple[int, int],
) -> None:
    """First frame, both frames or references; the first picture's shape decides where none was asked for."""
    answer = client.chat.completions.create(model=MODEL, messages=[message(prompt, *files, roles=roles)])
    clip = read_movie(http.get(clip_of(answer.choices[0].message.content)).content)

    assert clip.size == size
    assert server.models(prompt) == [key]


def test_the_shape_that_is_asked_for_is_stronger_than_the_pictures(
    client: openai.OpenAI, server: Server, prompt: str
) -> None:
    """Flow cuts the picture."""
    client.chat.completions.create(
        model=MODEL, messages=[message(prompt, PORTRAIT)], extra_body={"aspect_ratio": "16:9"}
    )

    assert server.models(prompt) == ["veo_3_1_i2v_s_fast"]


@pytest.mark.parametrize(
    ("files", "fields", "words"),
    [
        ([LANDSCAPE] * 4, {}, "at most 3 reference pictures"),
        ([PORTRAIT] * 3, {"aspect_ratio": "9:16"}, "has no ratio '9:16' for a video from reference pictures"),
        ([b"Example data"], {}, "not a picture"),
    ],
)
def test_what_the_model_cannot_do_is_a_clear_error(
    client: openai.OpenAI, server: Server, prompt: str, files: list[bytes], fields: dict[str, object], words: str
) -> None:
    """Before anything is paid for."""
    with pytest.raises(openai.BadRequestError, match=words):
        client.chat.completions.create(model=MODEL, messages=[message(prompt, *files)], extra_body=fields)

    assert server.executed(prompt) == 0


def test_asking_again_with_the_same_pictures_joins_the_running_video(
    http: httpx.Client, client: openai.OpenAI, server: Server, prompt: str
) -> None:
    """A client that hung up is given the video that is being made."""
    body = {"model": MODEL, "stream": True, "messages": [message(prompt, LANDSCAPE)]}
    with http.stream(
        "POST", f"{server.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"}
    ) as stream:
        next(stream.iter_lines())
    client.chat.completions.create(model=MODEL, messages=[message(prompt, LANDSCAPE)])

    assert server.executed(prompt) == 1


def test_a_video_from_a_picture_survives_a_kill(http: httpx.Client, prompt: str, tmp_path: Path) -> None:
    """The picture is kept beside the job."""
    server = Server(tmp_path, active_seconds=1.5)
    server.start()
    body = {"model": MODEL, "stream": True, "messages": [message(prompt, LANDSCAPE)]}
    headers = {"authorization": f"Bearer {KEY}"}
    url = f"{server.url}/v1/chat/completions"
    with http.stream("POST", url, json=body, headers=headers) as stream:
        next(stream.iter_lines())
        server.kill()
    server.start()
    whole = http.post(url, json={**body, "stream": False}, headers=headers, timeout=60).json()

    assert clip_of(whole["choices"][0]["message"]["content"])
    assert server.executed(prompt) == 1
    assert server.stop() == 0
