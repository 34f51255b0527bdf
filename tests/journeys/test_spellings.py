"""Requests as other gateways' clients, forms and people with curl write them, against the whole app."""

import base64
import json

import httpx
import openai
import pytest

from tests.fakes import png
from tests.journeys.server import KEY, Server

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

HEADERS = {"authorization": f"Bearer {KEY}"}
MODEL = "gemini-3.1-flash-image"
PICTURE = base64.b64encode(png(90, 160)).decode()
#: What Gemini counts for one picture to work from (the sandbox, as Google's documents).
PICTURE_TOKENS = 258


def posted(http: httpx.Client, server: Server, path: str, **fields: object) -> httpx.Response:
    """Send JSON under the name that curl gives it."""
    headers = {**HEADERS, "content-type": "application/x-www-form-urlencoded"}
    return http.post(f"{server.url}/v1/{path}", content=json.dumps(fields), headers=headers, timeout=30)


@pytest.mark.parametrize(
    "given",
    [
        {"image": PICTURE},
        {"images": [{"b64_json": PICTURE}]},
        {"image_url": f"data:image/png;base64,{PICTURE}"},
        {"reference_images": [f"data:image/png;base64,{PICTURE}"]},
        {"input_references": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}]},
    ],
)
@pytest.mark.parametrize("path", ["images/generations", "images/edits"])
def test_a_picture_is_worked_from_wherever_it_stands(
    http: httpx.Client, server: Server, path: str, given: dict[str, object]
) -> None:
    """A generation with a picture is guided by it, as the client wanted."""
    answer = posted(http, server, path, model=MODEL, prompt="blue", **given)

    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["input_tokens_details"]["image_tokens"] == PICTURE_TOKENS


def test_a_picture_to_work_from_may_be_large(http: httpx.Client, server: Server) -> None:
    """Words alone are short, and pictures are not."""
    large = base64.b64encode(png(90, 160) + bytes(3_000_000)).decode()
    answer = posted(http, server, "images/generations", model=MODEL, prompt="blue", image=large)

    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["input_tokens_details"]["image_tokens"] == PICTURE_TOKENS


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("images/generations", {"mask_url": "https://a.example/m.png"}, "mask_url"),
        ("images/edits", {"image": PICTURE, "mask_base64": PICTURE}, "mask_base64"),
        ("images/generations", {"thinking_level": "medium"}, "thinking_level"),
        ("images/generations", {"tools": [{"google_search": {"excludeDomains": ["a"]}}]}, "tools[0].google_search"),
        ("images/generations", {"aspect_ratio": "16:9", "aspectRatio": "1:1"}, "aspectRatio"),
        (
            "chat/completions",
            {"generationConfig": {"imageConfig": {"aspectRatio": "7:3"}}},
            "generationConfig.imageConfig.aspectRatio",
        ),
        ("chat/completions", {"googleSearch": 7}, "googleSearch"),
        ("responses", {"background_options": {"max_age": 1}}, "background_options"),
    ],
)
def test_what_is_not_done_is_refused_by_the_name_as_it_was_sent(
    http: httpx.Client, server: Server, path: str, fields: dict[str, object], param: str
) -> None:
    """Before anything is paid for."""
    prompt = f"refuse {param}"
    said = {"prompt": prompt, "input": prompt, "messages": [{"role": "user", "content": prompt}]}
    if path == "responses":
        del said["prompt"]
    answer = posted(http, server, path, model=MODEL, **{**said, **fields})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert server.executed(prompt) == 0


def test_openais_own_default_length_is_made_as_the_nearest(client: openai.OpenAI) -> None:
    """The answer says how long the clip is."""
    made = client.videos.create(model="sora-2", prompt="a fox of four seconds", seconds="4")

    assert (made.status, made.seconds) == ("in_progress", "8")
    with pytest.raises(openai.BadRequestError, match="8 seconds only"):
        client.videos.create(model="veo-3.1-fast", prompt="a fox of four seconds", seconds="4")


def test_a_form_may_leave_all_of_its_fields_empty(http: httpx.Client, server: Server) -> None:
    """As a page does whose fields nobody filled in."""
    empty = dict.fromkeys(("n", "size", "seed", "seconds", "response_format", "aspect_ratio", "quality"), "")
    files = {"mask": ("", b""), "input_reference": ("empty.png", b"")}
    picture = {"image": ("fox.png", png())}
    fields = {**empty, "model": MODEL, "prompt": "blue"}
    edit = http.post(
        f"{server.url}/v1/images/edits", data=fields, files={**files, **picture}, headers=HEADERS, timeout=30
    )
    video = http.post(
        f"{server.url}/v1/videos", data={**empty, "prompt": "an empty form"}, files=files, headers=HEADERS, timeout=30
    )

    assert (edit.status_code, video.status_code) == (200, 200), edit.text + video.text
    assert server.models("an empty form") == ["veo_3_1_t2v_fast"]


def test_a_video_from_a_picture_under_another_name(http: httpx.Client, server: Server) -> None:
    """It is the first frame, and gives the video its shape."""
    answer = posted(http, server, "videos", prompt="run, fox", image=PICTURE, duration="8s", resolution="720p")

    assert answer.status_code == 200, answer.text
    assert answer.json()["size"] == "720x1280"
    assert server.models("run, fox") == ["veo_3_1_i2v_s_fast_portrait"]


def test_an_odd_old_turn_does_not_lock_a_chat(http: httpx.Client, server: Server) -> None:
    """A file that was refused when it came, a part without a type, pictures as plain texts."""
    turns: list[object] = [
        {
            "role": "user",
            "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0xLjc="}}],
        },
        {"role": "assistant", "content": None, "images": ["data:image/png;base64,@"]},
        {"role": "user", "content": [{"image": 7}, {"type": "input_audio"}]},
        {"role": "user", "content": "a cat"},
    ]
    chat = posted(http, server, "chat/completions", model=MODEL, messages=turns)
    response = posted(http, server, "responses", model=MODEL, input=turns)

    assert (chat.status_code, response.status_code) == (200, 200), chat.text + response.text


def test_a_picture_that_is_gone_is_an_error_with_a_way_out(http: httpx.Client, server: Server) -> None:
    """Drawing from words alone without being asked would be another picture."""
    turns = [{"role": "assistant", "content": f"![]({server.url}/media/{'0' * 32}.png)"}]

    def said(words: str) -> httpx.Response:
        messages = [*turns, {"role": "user", "content": words}]
        return posted(http, server, "chat/completions", model=MODEL, messages=messages)

    refused, drawn = said("make it blue"), said("a cat --ref none")

    assert refused.status_code == 400
    assert "--ref none" in refused.json()["error"]["message"]
    assert drawn.status_code == 200, drawn.text
