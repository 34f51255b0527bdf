"""A finished video of Flow in a finer resolution: a job of its own, sent once."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.journeys.movie import read_movie
from tests.journeys.server import KEY, Connect, Server, wait_until

MODEL = "veo-3.1-fast"
BEARER = {"authorization": f"Bearer {KEY}"}
ACCOUNT = """
[[sandbox.accounts]]
token = "sandbox-flow-token"
project_id = "02ac868b-925f-40c1-9187-a688bd03a84d"
dialect = "media"
"""

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@pytest.fixture
def strict() -> bool:
    """The client's own type lists the sizes of Sora alone; a strict client refuses the size of 1080p."""
    return False


@pytest.fixture(scope="module", params=["seed", "media"])
def flow(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server before a sandbox of each dialect."""
    folder = tmp_path_factory.mktemp(f"upscales-{request.param}")
    more = ACCOUNT if request.param == "media" else ""
    running = Server(folder, account=f'dialect = "{request.param}"', more=more)
    running.start()
    yield running
    assert running.stop() == 0


def upscaled(http: httpx.Client, server: Server, video_id: str, **fields: object) -> httpx.Response:
    """Ask for a video in a finer resolution."""
    url = f"{server.url}/v1/videos/{video_id}/upscale"
    return http.post(url, json=fields, headers=BEARER, timeout=30)


def finished(client: openai.OpenAI, prompt: str) -> str:
    """Have a video made, and return its id."""
    made = client.videos.create_and_poll(prompt=prompt, model=MODEL, poll_interval_ms=100)
    assert made.status == "completed", made.error
    return made.id


def test_a_finished_video_becomes_finer(flow: Server, connect: Connect, http: httpx.Client, prompt: str) -> None:
    """It says where it comes from and what it costs, and its file is finer."""
    with connect(flow) as client:
        source = finished(client, prompt)
        answer = upscaled(http, flow, source, resolution="1080p")
        assert answer.status_code == 200, answer.text
        made = client.videos.poll(answer.json()["id"], poll_interval_ms=100)
        coarse, fine = (read_movie(client.videos.download_content(each).read()) for each in (source, made.id))

    assert (made.status, made.size, made.prompt) == ("completed", "1920x1080", prompt)
    assert made.remixed_from_video_id == source
    assert (made.model_extra or {})["usage"] == {"credits": 0.0}
    assert (coarse.size, fine.size) == ((320, 180), (480, 270))
    assert flow.executed(prompt) == 2


def test_a_repeated_request_is_the_same_upscale(
    flow: Server, connect: Connect, http: httpx.Client, prompt: str
) -> None:
    """By its key, also after the death of the process: it is paid for once."""
    with connect(flow) as client:
        source = finished(client, prompt)
        headers = {**BEARER, "idempotency-key": f"upscale {prompt}"}
        url, wish = f"{flow.url}/v1/videos/{source}/upscale", {"resolution": "1080p"}
        first = http.post(url, json=wish, headers=headers, timeout=30).json()["id"]
        flow.kill()
        flow.start()
        again = http.post(url, json=wish, headers=headers, timeout=30).json()["id"]
        wait_until(lambda: client.videos.retrieve(first).status == "completed", "the upscale did not end")

    assert first == again
    assert flow.executed(prompt) == 2


@pytest.mark.parametrize(
    ("fields", "param"), [({}, "resolution"), ({"resolution": "8K"}, "resolution"), ({"resolution": "4k", "n": 2}, "n")]
)
def test_what_cannot_be_had_is_refused(
    flow: Server, connect: Connect, http: httpx.Client, prompt: str, fields: dict[str, object], param: str
) -> None:
    """Before anything is sent."""
    with connect(flow) as client:
        source = finished(client, prompt)
    answer = upscaled(http, flow, source, **fields)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert flow.executed(prompt) == 1


def test_a_tier_that_does_not_have_it_is_a_failure_with_googles_words(
    flow: Server, connect: Connect, http: httpx.Client, prompt: str
) -> None:
    """4K is for the highest tier."""
    with connect(flow) as client:
        source = finished(client, prompt)
        answer = upscaled(http, flow, source, resolution="4k")

    assert answer.status_code == 502
    assert "PUBLIC_ERROR_MODEL_ACCESS_DENIED" in answer.json()["error"]["message"]
    assert flow.executed(prompt) == 1


def test_a_video_of_another_owner_is_not_found(flow: Server, http: httpx.Client) -> None:
    """Like one that never was."""
    assert upscaled(http, flow, "video_0", resolution="1080p").status_code == 404
