"""`/ready` while nothing can be stored, and files that were damaged on the disk."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fakes import png
from tests.journeys.server import KEY, Connect, Server

HEADERS = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server whose storage may be broken."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


def ready(http: httpx.Client, server: Server) -> tuple[int, str | None]:
    """Return the status of a probe and the reason. Results are shared for a second, so it waits for a new one."""
    answer = http.get(f"{server.url}/ready")
    assert str(server.folder) not in answer.text
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code != 200 else None


def test_a_database_that_lost_its_name_takes_no_paid_work(http: httpx.Client, own: Server) -> None:
    """The readiness says so, and a video is refused; the process goes on."""
    (own.folder / "jobs.db").rename(own.folder / "away.db")
    refused = http.post(f"{own.url}/v1/videos", json={"model": "veo-3.1-fast", "prompt": "waves"}, headers=HEADERS)

    assert ready(http, own) == (503, "database_replaced")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage_unavailable")
    assert http.get(f"{own.url}/health").status_code == 200


def test_a_folder_of_media_that_is_gone_is_not_ready(http: httpx.Client, own: Server) -> None:
    """Another kind of file stands in its place."""
    (own.folder / "media").rename(own.folder / "away")
    (own.folder / "media").write_text("a file")

    assert ready(http, own) == (503, "media_unavailable")


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_a_file_that_was_cut_on_the_disk_is_never_a_short_answer(
    http: httpx.Client, own: Server, connect: Connect, tmp_path: Path
) -> None:
    """Of a video by id and by link, whole and in part; of an uploaded file; of a response's picture."""
    fox = tmp_path / "fox.png"
    fox.write_bytes(png(64, 64))
    with connect(own) as client:
        video = client.videos.create_and_poll(model="veo-3.1-fast", prompt="waves", poll_interval_ms=100)
        file = client.files.create(file=fox, purpose="vision")
        answer = client.responses.create(
            model="gemini-3.1-flash-image", input="a fox", tools=[{"type": "image_generation"}]
        )
    links = [f"{own.url}/media/{path.name}" for path in (own.folder / "media").glob("*.mp4")]
    for path in (own.folder / "media").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    addresses = [
        f"{own.url}/v1/videos/{video.id}/content",
        *links,
        f"{own.url}/v1/files/{file.id}/content",
        f"{own.url}/v1/responses/{answer.id}",
    ]
    whole = [http.get(address, headers=HEADERS) for address in addresses]
    part = [http.get(address, headers={**HEADERS, "range": "bytes=0-9"}) for address in addresses[:2]]

    assert len(links) == 1
    assert [(each.status_code, each.json()["error"]["code"]) for each in (*whole, *part)] == [
        (500, "stored_file_damaged")
    ] * 6
    assert own.log.count("media.damaged") == 6


def test_a_server_that_can_store_is_ready(http: httpx.Client, server: Server) -> None:
    """Nothing is left of the probe."""
    before = {path.name for path in (server.folder / "media").iterdir()}

    assert ready(http, server) == (200, None)
    left = {path.name for path in (server.folder / "media").iterdir()} - before
    assert not [name for name in left if "_probe" in name]
