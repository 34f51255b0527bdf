"""A video goes on in the studio, with an account whose dialect can do that."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from tests.journeys.server import Server
from tests.journeys.test_upscales import ACCOUNT
from tests.studio.visitor import Visitor, missing


class Extended(msgspec.Struct, frozen=True):
    """What a person saw who had a video go on."""

    note: str
    cost: str
    lengths: list[str]
    button: str
    #: The fields of the request.
    body: list[str]
    made: list[str]


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Server]:
    """A server before a sandbox with an account of the media dialect."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path / "server"
    folder.mkdir()
    running = Server(folder, account='dialect = "media"', more=ACCOUNT)
    running.start()
    yield running
    assert running.stop() == 0


def test_a_video_is_extended(flow: Server, tmp_path: Path) -> None:
    """By the button of its card, in a clip of its own, which is sent once. Its price is not that of a first clip."""
    prompt = f"waves {uuid4()}"
    seen = Visitor(tmp_path, flow).visit("extend", Extended, prompt=prompt)

    assert seen.note.startswith(f"Extend: “{prompt}”")
    assert seen.cost == "price unknown"
    assert (seen.button, seen.lengths) == ("Extend the video", ["8 seconds"])
    assert seen.body == ["prompt", "video", "seconds"]
    assert seen.made == [f"{prompt} goes on", prompt]
    assert flow.models(f"{prompt} goes on") == ["veo_3_1_extend_landscape"]
