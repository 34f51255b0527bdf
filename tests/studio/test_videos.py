"""Videos in the studio, and what goes wrong there."""

import base64
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from tests.fakes import png
from tests.journeys.server import Server
from tests.studio.visitor import Visitor, missing


class Form(msgspec.Struct, frozen=True):
    """What stands in the form."""

    prompt: str
    pictures: int
    seconds: str
    shape: str
    model: str


class SeenVideo(msgspec.Struct, frozen=True):
    """What a person saw who made a video."""

    #: What two pictures can be used as, which lengths there are, and which shapes.
    uses: list[str]
    lengths: list[str]
    shapes: list[str]
    cost: str
    made: list[str]
    #: To a screen reader.
    said: str
    facts: str
    #: Whether it is higher than wide, and its seconds.
    played: tuple[bool, int]
    name: str
    again: Form
    #: What was sent to make it finer.
    finer: dict[str, str]
    left: list[str]


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose videos take longer than a page that is loaded again."""
    if reason := missing():
        pytest.skip(reason)
    running = Server(tmp_path_factory.mktemp("slow"), active_seconds=6.0)
    running.start()
    yield running
    assert running.stop() == 0


def test_a_video_is_made_with_progress_and_worked_on(slow_server: Server, tmp_path: Path) -> None:
    """From two pictures; a reload meanwhile loses nothing, and "again" has the whole request."""
    prompt = f"waves {uuid4()}"
    picture = base64.b64encode(png(90, 160)).decode()
    seen = Visitor(tmp_path, slow_server).visit("video", SeenVideo, prompt=prompt, picture=picture)

    assert seen.uses == ["First and last frame"]
    assert seen.lengths == ["4 seconds", "6 seconds", "8 seconds"]
    assert seen.shapes == ["", "16:9", "9:16"]
    assert seen.cost == "about 10 credits"
    assert (seen.made, seen.said) == ([prompt], "The video is ready.")
    assert seen.facts.startswith("veo-3.1-lite · 720x1280 · 4 s · 10 credits · ")
    assert seen.played[0]
    assert seen.name.endswith(".mp4")
    assert seen.again == Form(prompt, 2, "4", "9:16", "veo-3.1-lite")
    assert seen.finer == {"resolution": "1080p"}
    assert seen.left == []
    assert slow_server.models(prompt)[0] == "veo_3_1_i2v_s_lite_4s_fl"


class Failures(msgspec.Struct, frozen=True):
    """What a person saw when it did not work."""

    why: str
    prompt: str
    waiting: int
    failed: str
    tries: int
    made: list[str]


def test_what_fails_says_why_and_can_be_changed(studio_server: Server, visitor: Visitor) -> None:
    """A refusal, a video that failed, and an answer that was lost, which is asked for again."""
    prompt = f"a fox {uuid4()}"
    seen = visitor.visit("failures", Failures, prompt=prompt)

    assert "blocked the prompt" in seen.why
    assert (seen.prompt, seen.waiting) == (f"[blocked] {prompt}", 0)
    assert seen.failed.startswith("No video")
    assert seen.made == [prompt, f"[fails] {prompt}"]
    assert seen.tries == 2
    assert studio_server.executed(prompt) == 1
