"""A finished video of Flow goes on in a clip of its own: a job, sent once."""

from collections.abc import Iterator

import openai
import pytest

from tests.journeys.movie import read_movie
from tests.journeys.server import Connect, Server, wait_until
from tests.journeys.test_upscales import ACCOUNT, finished

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server before a sandbox with an account of the media dialect."""
    running = Server(tmp_path_factory.mktemp("extensions"), account='dialect = "media"', more=ACCOUNT)
    running.start()
    yield running
    assert running.stop() == 0


def test_a_finished_video_goes_on(flow: Server, connect: Connect, prompt: str) -> None:
    """Twice, each time in a clip of 8 seconds that says what it goes on from; nothing is told of a price."""
    with connect(flow) as client:
        source = finished(client, prompt)
        first = client.videos.extend(prompt=f"{prompt} goes on", seconds="8", video=source.encode())
        client.videos.poll(first.id, poll_interval_ms=100)
        second = client.videos.extend(prompt=f"{prompt} and on", seconds="8", video=first.id.encode())
        made = client.videos.poll(second.id, poll_interval_ms=100)
        movie = read_movie(client.videos.download_content(made.id).read())

    assert (made.status, made.seconds, made.size) == ("completed", "8", "1280x720")
    assert (first.remixed_from_video_id, made.remixed_from_video_id) == (source, first.id)
    assert (made.model_extra or {}).get("usage") is None
    assert movie.size == (320, 180)
    assert flow.models(f"{prompt} goes on") == ["veo_3_1_extend_landscape"]
    assert flow.executed(f"{prompt} and on") == 1


def test_an_extension_outlives_the_process(flow: Server, connect: Connect, prompt: str) -> None:
    """It was sent before the death, and once."""
    with connect(flow) as client:
        source = finished(client, prompt)
        begun = client.videos.extend(prompt=f"{prompt} goes on", seconds="8", video=source.encode())
        flow.kill()
        flow.start()
        wait_until(lambda: client.videos.retrieve(begun.id).status == "completed", "the extension did not end")

    assert flow.executed(f"{prompt} goes on") == 1


def test_a_video_without_a_workflow_is_refused(server: Server, connect: Connect, prompt: str) -> None:
    """Of an account with the older dialect, whose answers name none."""
    with connect(server) as client:
        source = finished(client, prompt)
        with pytest.raises(openai.BadRequestError, match="Google's names of this video are not known") as caught:
            client.videos.extend(prompt="on", seconds="8", video=source.encode())

    assert caught.value.param == "video"
    assert server.executed(prompt) == 1
