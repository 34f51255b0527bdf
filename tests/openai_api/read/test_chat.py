"""Chat requests into video orders, struct in and struct out."""

import pytest

from adapter.domain.media import Ratio
from adapter.domain.orders import VideoOrder
from adapter.errors import InvalidRequest
from adapter.openai_api.read.chat import chat_video_draft
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.wire.chat import ChatRequest
from tests.support import context

TERMS = context(longest_prompt=100)
PLAIN = {"model": "veo-3.1-fast", "messages": [{"role": "user", "content": "waves"}]}


def order(**changes: object) -> VideoOrder:
    """Read the plain request with changes."""
    return chat_video_draft(read_tree({**PLAIN, **changes}, ChatRequest), TERMS).order


def test_the_last_user_message_is_the_prompt() -> None:
    """System prompts and earlier turns are not part of the wish."""
    messages = [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "a fox"},
        {"role": "assistant", "content": "![Video preview](…)"},
        {"role": "user", "content": [{"type": "text", "text": "waves"}, {"type": "text", "text": "at dusk"}]},
        {"role": "assistant"},
    ]

    assert order(messages=messages).prompt == "waves\nat dusk"


@pytest.mark.parametrize(
    ("wish", "ratio", "key"),
    [
        ({}, Ratio.LANDSCAPE, "veo_3_1_t2v_fast"),
        ({"model": "veo-3.1-fast-portrait"}, Ratio.PORTRAIT, "veo_3_1_t2v_fast_portrait"),
        ({"model": "veo_3_1_t2v_fast_portrait"}, Ratio.PORTRAIT, "veo_3_1_t2v_fast_portrait"),
        ({"size": "720x1280"}, Ratio.PORTRAIT, "veo_3_1_t2v_fast_portrait"),
        ({"aspect_ratio": "9:16"}, Ratio.PORTRAIT, "veo_3_1_t2v_fast_portrait"),
        ({"size": "1280x720", "model": "sora-2"}, Ratio.LANDSCAPE, "veo_3_1_t2v_fast"),
    ],
)
def test_the_shape_chooses_the_upstream_model(wish: dict[str, str], ratio: Ratio, key: str) -> None:
    """By name, by size or by ratio."""
    read = order(**wish)

    assert (read.ratio, read.upstream) == (ratio, key)


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"model": None}, "model"),
        ({"model": "gemini-3-pro-image"}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": [{"role": "assistant", "content": "hello"}]}, "messages"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x" * 101}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"n": 2}, "n"),
        ({"size": "4K"}, "size"),
        ({"aspect_ratio": "1:1"}, "aspect_ratio"),
        ({"seed": 1.5}, "seed"),
        ({"size": "640x640"}, "size"),
        ({"seconds": 4}, "seconds"),
        ({"seconds": "12"}, "seconds"),
        ({"resolution": "4K"}, "resolution"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(wish: dict[str, object], param: str) -> None:
    """A picture in the message, a square, two videos at once: each names its field."""
    with pytest.raises(InvalidRequest) as caught:
        order(**wish)

    assert caught.value.param == param


@pytest.mark.parametrize("seconds", [8, 8.0, "8"])
def test_the_length_that_the_model_has_may_be_named(seconds: object) -> None:
    """As a number or as text, as OpenAI's own clients send it."""
    assert order(seconds=seconds).seconds == 8
