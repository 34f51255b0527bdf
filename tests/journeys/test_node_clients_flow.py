"""What an account of Flow's newer dialect makes, with the official Node client."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import png
from tests.journeys.movie import read_movie
from tests.journeys.node_programs import NodePrograms
from tests.journeys.node_results import VideoGoesOn, VideoLife
from tests.journeys.schema_watch import Watch
from tests.journeys.server import Server
from tests.journeys.test_upscales import ACCOUNT


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server before a sandbox with an account of the media dialect."""
    running = Server(tmp_path_factory.mktemp("flow"), account='dialect = "media"', more=ACCOUNT)
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def node(node_folder: Path, flow: Server, watch: Watch) -> NodePrograms:
    """Programs of the Node client before that server."""
    return NodePrograms(node_folder, flow, watch)


def test_a_video_goes_on_and_becomes_finer(node: NodePrograms, flow: Server, prompt: str) -> None:
    """Both are jobs of their own that say where they come from, sent once."""
    order = {"model": "veo-3.1-fast", "prompt": prompt, "seconds": "8", "resolution": "1080p"}
    seen = node.run("openai_video_goes_on", VideoGoesOn, **order)
    made, extended, finer = seen.made.video, seen.extended.video, seen.finer.video

    assert [each.status for each in (made, extended, finer)] == ["completed"] * 3
    assert (extended.remixed_from_video_id, finer.remixed_from_video_id) == (made.id, made.id)
    assert (extended.size, extended.seconds, finer.size) == ("1280x720", "8", "1920x1080")
    assert read_movie(seen.extended.file).size == (320, 180)
    assert read_movie(seen.finer.file).size == (480, 270)
    assert flow.models(f"{prompt} goes on") == ["veo_3_1_extend_landscape"]
    assert flow.executed(prompt) == 2


@pytest.mark.parametrize(
    ("seconds", "pictures", "asked"),
    [("4", 0, "veo_3_1_t2v_fast_4s"), ("6", 1, "veo_3_1_i2v_s_fast_6s"), ("4", 2, "veo_3_1_i2v_s_fast_4s_fl")],
)
def test_the_short_model_makes_a_video(
    node: NodePrograms, flow: Server, prompt: str, tmp_path: Path, seconds: str, pictures: int, asked: str
) -> None:
    """In each of its lengths, from words, a picture and two, with everything that a video has."""
    file = tmp_path / "fox.png"
    file.write_bytes(png(90, 160))
    given: dict[str, object] = {"files": [str(file)] * pictures} if pictures else {"size": "720x1280"}
    life = node.run("openai_video", VideoLife, model="veo-3.1-fast-short", prompt=prompt, seconds=seconds, **given)

    assert (life.video.status, life.video.size, life.video.seconds) == ("completed", "720x1280", seconds)
    assert set(life.sizes) == {"video/mp4", "image/webp", "image/jpeg"}
    assert life.remix.remixed_from_video_id == life.video.id
    assert flow.models(prompt) == [asked]
