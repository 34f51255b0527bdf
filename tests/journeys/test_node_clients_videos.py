"""The Videos API with the official Node client."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.fakes import png
from tests.journeys.node_programs import NodePrograms
from tests.journeys.node_results import Refusal, Refused, VideoLife
from tests.journeys.server import Server


@pytest.mark.parametrize("picture", [True, False])
def test_a_video_lives_from_its_making_to_its_end(
    node: NodePrograms, server: Server, tmp_path: Path, *, picture: bool
) -> None:
    """Made from words, or from a file that comes in pieces; all there is of it; varied, listed and deleted."""
    prompt, file = f"waves {uuid4()}", tmp_path / "fox.png"
    file.write_bytes(png(90, 160))
    given: dict[str, object] = {"files": [str(file)]} if picture else {"size": "720x1280", "seconds": "8"}
    life = node.run("openai_video", VideoLife, model="sora-2", prompt=prompt, **given)

    assert (life.made.status, life.video.status, life.video.id) == ("in_progress", "completed", life.made.id)
    assert (life.video.size, life.video.seconds) == ("720x1280", "8")
    assert set(life.sizes) == {"video/mp4", "image/webp", "image/jpeg"}
    assert min(life.sizes.values()) > 100
    assert life.remix.remixed_from_video_id == life.video.id
    assert life.listed == [life.video.id]
    assert (life.deleted.id, life.deleted.deleted) == (life.video.id, True)
    assert server.executed(prompt) == 1


def test_a_mistake_is_a_bad_request_with_its_field(node: NodePrograms) -> None:
    """A program can act on it."""
    refused = node.run("openai_video_refused", Refused, model="veo-3.1-fast", prompt="waves", seconds="12")

    assert refused.error == Refusal(kind="BadRequestError", status=400, code="invalid_value", param="seconds")
