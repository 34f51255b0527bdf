"""nginx with the shipped file, before two processes with PostgreSQL and a bucket."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import openai
import pytest

from tests.buckets import S3Server
from tests.fakes import png
from tests.journeys.server import KEY, Connect, Server, free_port, wait_until
from tests.journeys.test_media_in_s3 import STORAGE
from tests.journeys.test_videos_in_chat import content, links, raw_stream, streamed
from tests.nginx import RESOLVE_SINCE, SHIPPED, Nginx, find_nginx, version, with_fixed_addresses
from tests.postgres import PostgresServer

HEADERS = {"authorization": f"Bearer {KEY}"}
MIB = 1024 * 1024
VIDEO_SECONDS = 2.0


class Site(NamedTuple):
    """What is behind one address."""

    nginx: Nginx
    google: Server
    processes: tuple[Server, Server]

    @property
    def url(self) -> str:
        """The address."""
        return self.nginx.url


@pytest.fixture(scope="module")
def program() -> str:
    """The path of nginx."""
    found = find_nginx()
    if found is None:
        pytest.skip("there is no nginx on this machine")
    return found


@pytest.fixture(scope="module")
def site(
    program: str, postgres: PostgresServer, s3: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Two processes, which share everything and whose links lead to nginx."""
    google = Server(tmp_path_factory.mktemp("google"), active_seconds=VIDEO_SECONDS)
    ports = free_port(), free_port()
    configuration = with_fixed_addresses(SHIPPED.read_text(), ports)
    nginx = Nginx(program, tmp_path_factory.mktemp("nginx"), configuration)
    database, storage = postgres.new_url(), STORAGE.format(bucket=s3.new_bucket(), url=s3.url)
    first, second = (
        Server(
            tmp_path_factory.mktemp("process"),
            port=port,
            database=database,
            storage=storage,
            server=f'public_url = "{nginx.url}"',
            upstream=google.upstream,
            heartbeat_seconds=30.0,  # nothing but progress is streamed
        )
        for port in ports
    )
    for server in (google, first, second):
        server.start()
    nginx.start()
    yield Site(nginx, google, (first, second))
    nginx.stop()
    for server in (first, second, google):
        server.kill()


@pytest.fixture
def client(site: Site, connect: Connect) -> Iterator[openai.OpenAI]:
    """The official client, which sees nginx only."""
    with connect(site) as client:
        yield client


def test_nginx_takes_the_shipped_file(program: str, tmp_path: Path) -> None:
    """As it stands, but for the resolver of a container; older versions do not know `resolve` in `upstream`."""
    shipped = SHIPPED.read_text()
    (tmp_path / "shipped").mkdir()
    (tmp_path / "fixed").mkdir()
    fixed = Nginx(program, tmp_path / "fixed", with_fixed_addresses(shipped, (free_port(), free_port()))).check()
    checked = Nginx(program, tmp_path / "shipped", shipped).check()

    assert fixed.returncode == 0, fixed.stderr
    assert (checked.returncode == 0) == (version(program) >= RESOLVE_SINCE), checked.stderr


class Early(NamedTuple):
    """What had come of a stream, and whether its video was made, when its first progress was there."""

    headers: httpx.Headers
    line: str
    finished: bool
    rest: list[str]


def early(http: httpx.Client, nginx: Nginx, site: Site, prompt: str) -> Early:
    """Read a stream by way of an nginx before the two processes."""
    before = finished_jobs(site)
    with raw_stream(http, nginx, prompt) as reply:
        lines = reply.iter_lines()
        line = next(line for line in lines if "%" in line)
        finished = finished_jobs(site) > before
        return Early(reply.headers, line, finished, [line for line in lines if line])


def finished_jobs(site: Site) -> int:
    """Return how many videos the processes have made."""
    return sum(process.log.count('"job.finished"') for process in site.processes)


def test_a_stream_comes_piece_by_piece(http: httpx.Client, site: Site, prompt: str) -> None:
    """The first lines arrive before the video is made, although nginx compresses them."""
    stream = early(http, site.nginx, site, prompt)

    assert stream.headers["content-encoding"] == "gzip"
    assert stream.line.startswith("data: ")
    assert not stream.finished
    assert stream.rest[-1] == "data: [DONE]"


def test_a_stream_is_held_back_by_an_nginx_that_ignores_the_header(
    program: str, http: httpx.Client, site: Site, prompt: str, tmp_path: Path
) -> None:
    """So the header is what the test above depends on."""
    ports = site.processes[0].port, site.processes[1].port
    shipped = with_fixed_addresses(SHIPPED.read_text(), ports)
    buffers = shipped.replace("listen 80;", "listen 80;\n    proxy_ignore_headers X-Accel-Buffering;")
    nginx = Nginx(program, tmp_path, buffers)
    nginx.start()
    try:
        stream = early(http, nginx, site, prompt)
    finally:
        nginx.stop()

    assert stream.finished


def test_a_body_of_100_mb_comes_through(http: httpx.Client, site: Site) -> None:
    """Two large pictures to work from, as base64 in JSON."""
    pictures = [png(64, 64) + bytes(36 * MIB - number) for number in (1_000, 2_000)]
    images = [{"image_url": f"data:image/png;base64,{base64.b64encode(each).decode()}"} for each in pictures]
    body = {"model": "gemini-3.1-flash-image", "prompt": "blue", "images": images}
    reply = http.post(f"{site.url}/v1/images/edits", json=body, headers=HEADERS, timeout=60)

    assert int(reply.request.headers["content-length"]) > 100_000_000
    assert reply.status_code == 200, reply.text[:500]
    assert reply.json()["data"]


def test_a_body_that_nginx_refuses_gets_an_error_of_openai(client: openai.OpenAI, http: httpx.Client) -> None:
    """Nginx looks at the length before it reads the body, and its own page would be HTML."""
    with pytest.raises(openai.APIStatusError) as refused:
        client.post("/images/edits", body={"prompt": "a" * 129 * MIB}, cast_to=object)

    assert refused.value.status_code == 413
    assert refused.value.code == "request_too_large"
    assert refused.value.type == "invalid_request_error"
    assert refused.value.response.headers["server"].startswith("nginx")


def test_without_a_process_the_answer_is_an_error_of_openai(program: str, connect: Connect, tmp_path: Path) -> None:
    """Nothing listens at either address."""
    nginx = Nginx(program, tmp_path, with_fixed_addresses(SHIPPED.read_text(), (free_port(), free_port())))
    nginx.start()
    try:
        with connect(nginx) as client, pytest.raises(openai.InternalServerError) as refused:
            client.images.generate(model="flow-gem-pix", prompt="a fox")
    finally:
        nginx.stop()

    assert (refused.value.status_code, refused.value.code) == (502, "no_answer")


def test_a_part_of_a_file_comes_through(client: openai.OpenAI, http: httpx.Client, site: Site, prompt: str) -> None:
    """Links lead to nginx, whichever process made the file."""
    poster, video = links(content(streamed(client, prompt)))
    whole = http.get(video)
    part = http.get(video, headers={"range": "bytes=4-7"})

    assert video.startswith(f"{site.url}/media/")
    assert http.get(poster).headers["content-type"] == "image/jpeg"
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"


def test_a_process_that_is_killed_loses_nothing(
    client: openai.OpenAI, http: httpx.Client, site: Site, prompt: str
) -> None:
    """Its streams break; the same requests get the videos from the other process, and each was paid for once."""
    first, second = site.processes
    prompts = [f"{prompt} {number}" for number in range(6)]
    for each in prompts:
        with raw_stream(http, site, each) as reply:
            assert reply.status_code == 200
            next(line for line in reply.iter_lines() if "%" in line)
    wait_until(lambda: all(site.google.executed(each) for each in prompts), "Google was not asked for every video")
    first.kill()
    statuses = [http.get(f"{site.url}/v1/models", headers=HEADERS).status_code for _ in range(10)]
    videos = [http.get(links(content(streamed(client, each)))[1]).content for each in prompts]

    assert statuses == [200] * 10
    assert [site.google.executed(each) for each in prompts] == [1] * len(prompts)
    assert len({hashlib.sha256(video).hexdigest() for video in videos}) == len(prompts)
    assert '"job.finished"' in second.log
