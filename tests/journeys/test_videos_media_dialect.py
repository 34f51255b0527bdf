"""Videos of a Flow account that answers in the `media` dialect, whichever one it is asked in."""

from collections.abc import Iterator

import pytest

from tests.journeys.server import Connect, Server, wait_until

MODEL = "veo-3.1-fast"
ACCOUNT = """
[[sandbox.accounts]]
token = "sandbox-flow-token"
project_id = "02ac868b-925f-40c1-9187-a688bd03a84d"
dialect = "media"
"""

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@pytest.fixture(scope="module", params=["media", "seed"])
def media_server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that asks in one dialect, before a sandbox that answers in the newer one."""
    folder = tmp_path_factory.mktemp(f"asks-in-{request.param}")
    running = Server(folder, account=f'dialect = "{request.param}"', more=ACCOUNT)
    running.start()
    yield running
    assert running.stop() == 0


def test_a_video_comes_home(media_server: Server, connect: Connect, prompt: str) -> None:
    """Paid for once; the file is the one that was handed out as base64."""
    doors = media_server.asked("flow.media"), media_server.asked("media.get")
    with connect(media_server) as client:
        made = client.videos.create_and_poll(prompt=prompt, model=MODEL, poll_interval_ms=100)
        film = client.videos.download_content(made.id).read()
        thumbnail = client.videos.download_content(made.id, variant="thumbnail").read()

    assert (made.status, made.progress) == ("completed", 100)
    assert film[4:8] == b"ftyp"
    assert thumbnail[:4] == b"RIFF"
    assert media_server.executed(prompt) == 1
    assert (media_server.asked("flow.media"), media_server.asked("media.get")) == (doors[0] + 1, doors[1])


def test_a_video_in_a_chat_is_shown(media_server: Server, connect: Connect, prompt: str) -> None:
    """By the same door, without a poster from Google."""
    with connect(media_server) as client:
        chat = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])

    assert ".mp4" in (chat.choices[0].message.content or "")
    assert media_server.executed(prompt) == 1


def test_a_job_survives_the_death_of_its_process(media_server: Server, connect: Connect, prompt: str) -> None:
    """The next process asks about it in the right dialect."""
    with connect(media_server) as client:
        made = client.videos.create(prompt=prompt, model=MODEL)
        media_server.kill()
        media_server.start()
        wait_until(lambda: client.videos.retrieve(made.id).status == "completed", "the video did not come")

    assert media_server.executed(prompt) == 1


def test_a_file_that_is_cut_or_refused_is_asked_for_again(media_server: Server, connect: Connect, prompt: str) -> None:
    """Nothing of it is stored, and nothing is paid for a second time."""
    for do in ("truncate", "short", "html"):
        media_server.fault(on="flow.media", do=do, prompt=prompt, status=500)
    asked = media_server.asked("flow.media")
    with connect(media_server) as client:
        made = client.videos.create_and_poll(prompt=prompt, model=MODEL, poll_interval_ms=100)

    assert made.status == "completed"
    assert (media_server.executed(prompt), media_server.asked("flow.media")) == (1, asked + 4)


def test_a_file_that_is_not_handed_out_is_no_failure_at_once(
    media_server: Server, connect: Connect, prompt: str
) -> None:
    """It was paid for, so it is asked for again; it is over after eleven times, which takes half an hour in earnest."""
    media_server.fault(on="flow.media", do="error", status=400, message="Not this one.", times=99, prompt=prompt)
    with connect(media_server) as client:
        asked = media_server.asked("flow.media")
        made = client.videos.create(prompt=prompt, model=MODEL)
        wait_until(lambda: media_server.asked("flow.media") >= asked + 3, "it was not asked for again")
        assert client.videos.retrieve(made.id).status == "in_progress"

    assert media_server.executed(prompt) == 1
