"""An upgrade from the previous release, while videos are made."""

import os
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from tests.journeys.earlier import CHOSEN, EarlierProgram, EarlierServer, git, previous_release
from tests.journeys.server import KEY, Server, wait_until
from tests.postgres import PostgresServer

HEADERS = {"Authorization": f"Bearer {KEY}"}
#: Longer than the start of a process.
VIDEO_SECONDS = 4.0


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> EarlierProgram:
    """The previous release."""
    revision = previous_release()
    archive = git("archive", "--format=tar", revision)
    if archive is None:
        assert CHOSEN not in os.environ, f"git does not have {revision}"
        pytest.skip(f"git does not have {revision}: this is a shallow clone, or no checkout")
    began = time.monotonic()
    program = EarlierProgram(archive, tmp_path_factory.mktemp("earlier"))
    print(f"{revision} was built and installed in {time.monotonic() - began:.1f} s.")
    return program


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The sandbox that all processes use."""
    server = Server(tmp_path_factory.mktemp("google"), active_seconds=VIDEO_SECONDS)
    server.start()
    yield server
    server.kill()


class Start(Protocol):
    """Starts servers, which are ended after the test."""

    def __call__(self, *servers: Server) -> None: ...


@pytest.fixture
def start() -> Iterator[Start]:
    """However the test ends."""
    started: list[Server] = []

    def starts(*servers: Server) -> None:
        for server in servers:
            server.start()
            started.append(server)

    yield starts
    for server in started:
        server.kill()


def order(http: httpx.Client, server: Server, prompt: str) -> str:
    """Order a video, and return its id."""
    body = {"model": "veo-3.1-fast", "prompt": prompt}
    reply = http.post(f"{server.url}/v1/videos", json=body, headers=HEADERS)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["id"])


def ask(http: httpx.Client, server: Server, path: str) -> httpx.Response:
    """Ask a server for something that has to be there."""
    reply = http.get(f"{server.url}{path}", headers=HEADERS)
    assert reply.status_code == 200, (server.folder.name, path, reply.text)
    return reply


def wait_for(http: httpx.Client, server: Server, videos: Sequence[str]) -> None:
    """Wait until videos are completed."""
    for each in videos:
        wait_until(partial(is_completed, http, server, each), each)


def is_completed(http: httpx.Client, server: Server, video: str) -> bool:
    """Say whether a video is completed."""
    status = ask(http, server, f"/v1/videos/{video}").json()["status"]
    assert status != "failed"
    return bool(status == "completed")


def listed(http: httpx.Client, server: Server) -> set[str]:
    """Return the videos that a server lists."""
    return {each["id"] for each in ask(http, server, "/v1/videos").json()["data"]}


def test_processes_are_replaced_one_by_one(
    earlier: EarlierProgram,
    google: Server,
    postgres: PostgresServer,
    http: httpx.Client,
    start: Start,
    tmp_path: Path,
    prompt: str,
) -> None:
    """A new one migrates the database beside two earlier ones, takes over their jobs, and pays for none twice."""
    for name in ("media", "first", "second", "new"):
        (tmp_path / name).mkdir()
    database, media = postgres.new_url(), tmp_path / "media"
    first, second = (
        EarlierServer(earlier, tmp_path / name, database=database, media=media, upstream=google.upstream)
        for name in ("first", "second")
    )
    new = Server(tmp_path / "new", database=database, storage=f'media = "file://{media}"', upstream=google.upstream)
    executed_before = google.executions()
    start(first)
    made = order(http, first, f"{prompt} made before")
    start(second)
    wait_for(http, second, [made])
    whole = ask(http, first, f"/v1/videos/{made}/content").content
    under_way = [order(http, server, f"{prompt} under way at {server.folder.name}") for server in (first, second)]

    start(new)
    beside = [order(http, server, f"{prompt} beside at {server.folder.name}") for server in (first, second, new)]
    lists = [listed(http, server) for server in (first, second, new)]
    statuses = [first.stop(), second.stop()]
    wait_for(http, new, [*under_way, *beside])

    assert lists == [{made, *under_way, *beside}] * 3
    assert statuses == [0, 0]
    assert ask(http, new, f"/v1/videos/{made}/content").content == whole
    for video in (*under_way, *beside):
        assert ask(http, new, f"/v1/videos/{video}/content").content[4:8] == b"ftyp"
    assert google.executions() - executed_before == 6


def test_a_process_with_a_file_is_replaced_by_a_new_one(
    earlier: EarlierProgram,
    google: Server,
    http: httpx.Client,
    start: Start,
    tmp_path: Path,
    prompt: str,
) -> None:
    """The earlier one ends, the new one migrates the file and goes on."""
    (tmp_path / "first").mkdir()
    (tmp_path / "new").mkdir()
    database, media = f"sqlite:///{tmp_path}/adapter.db", tmp_path / "media"
    first = EarlierServer(earlier, tmp_path / "first", database=database, media=media, upstream=google.upstream)
    new = Server(tmp_path / "new", database=database, storage=f'media = "file://{media}"', upstream=google.upstream)
    executed_before = google.executions()
    start(first)
    made = order(http, first, f"{prompt} made before")
    wait_for(http, first, [made])
    whole = ask(http, first, f"/v1/videos/{made}/content").content
    under_way = order(http, first, f"{prompt} under way")
    wait_until(lambda: google.executed(f"{prompt} under way") == 1, "the video was not submitted")

    status = first.stop()
    start(new)
    wait_for(http, new, [under_way])

    assert status == 0
    assert listed(http, new) == {made, under_way}
    assert ask(http, new, f"/v1/videos/{made}/content").content == whole
    assert ask(http, new, f"/v1/videos/{under_way}/content").content[4:8] == b"ftyp"
    assert google.executions() - executed_before == 2
