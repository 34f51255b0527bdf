"""The links of a video: one plays it, one saves it."""

import re

import httpx
import openai
import pytest

from tests.journeys.movie import read_movie
from tests.journeys.server import Server

SAVED = re.compile(r"\[Download video\]\((http\S+\?download=1)\)")
NAMED = re.compile(r'attachment; filename="(video|picture)-[0-9a-f]{8}\.(mp4|png)"')


@pytest.fixture
def saved(client: openai.OpenAI, prompt: str) -> str:
    """The address under which a video is saved."""
    answer = client.chat.completions.create(model="veo-3.1-fast", messages=[{"role": "user", "content": prompt}])
    [link] = SAVED.findall(answer.choices[0].message.content or "")
    return str(link)


def test_the_link_below_a_video_saves_the_file(http: httpx.Client, saved: str) -> None:
    """Whole, in part, and by HEAD, under a name that a folder is not full of; the same bytes as those that play."""
    whole, head = http.get(saved), http.head(saved)
    part = http.get(saved, headers={"range": "bytes=0-99"})
    played = http.get(saved.removesuffix("?download=1"))

    assert [each.status_code for each in (whole, head, part, played)] == [200, 200, 206, 200]
    for answer in (whole, head, part):
        assert NAMED.fullmatch(answer.headers["content-disposition"])
        assert answer.headers["content-type"] == "video/mp4"
    assert "content-disposition" not in played.headers
    assert whole.content == played.content
    assert (part.content, head.content) == (whole.content[:100], b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert read_movie(whole.content).size == (320, 180)


def test_a_file_that_is_known_is_not_sent_again_to_be_saved(http: httpx.Client, saved: str) -> None:
    """The address with the parameter is one of its own to a cache."""
    etag = http.get(saved).headers["etag"]

    assert http.get(saved, headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize(("asked", "is_saved"), [("true", True), ("0", False), ("false", False), ("", False)])
def test_the_parameter_is_on_or_off(http: httpx.Client, saved: str, asked: str, *, is_saved: bool) -> None:
    """An empty one is absent."""
    answer = http.get(saved.replace("download=1", f"download={asked}"))

    assert answer.status_code == 200
    assert ("content-disposition" in answer.headers) is is_saved


def test_a_parameter_that_is_neither_is_refused(http: httpx.Client, server: Server) -> None:
    """The error names it, and what is allowed."""
    error = http.get(f"{server.url}/media/{'0' * 32}.mp4?download=fox.mp4").json()["error"]

    assert (error["param"], "true, 1, false, 0" in error["message"]) == ("download", True)


def test_a_file_that_is_not_there_is_not_saved(http: httpx.Client, server: Server) -> None:
    """The error is no attachment."""
    answer = http.get(f"{server.url}/media/{'0' * 32}.mp4?download=1")

    assert (answer.status_code, "content-disposition" in answer.headers) == (404, False)


def test_a_picture_is_saved_by_the_same_parameter(http: httpx.Client, client: openai.OpenAI, prompt: str) -> None:
    """Every link of ours takes it."""
    made = client.images.generate(model="flow-gem-pix", prompt=prompt, response_format="url")
    assert made.data
    answer = http.get(f"{made.data[0].url}?download=1")

    assert NAMED.fullmatch(answer.headers["content-disposition"])
    assert answer.headers["content-type"] == "image/png"
