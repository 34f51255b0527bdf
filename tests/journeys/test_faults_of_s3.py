"""A bucket fails at one request of storing a picture or a video, or of delivering it: for a moment, or for good.

`make test` spoils a few requests; `make torture` spoils each one, in each way.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import product

import httpx
import pytest

from adapter.media.s3 import RETRIES
from tests.buckets import S3Server
from tests.faulty_s3 import FAULTS, FaultyS3, faulty_s3
from tests.journeys.retrying import SECONDS, ask
from tests.journeys.server import Connect, Server
from tests.journeys.test_media_in_s3 import STORAGE

HICCUP, OUTAGE = 1, RETRIES + 1
IS_LONG = "S3_FAULTS" in os.environ
#: Which request is spoiled, how, and how often: a picture is one; a video's second one is its preview; a link is looked
#: up and then read.
PICTURES = [*product((1,), FAULTS, (HICCUP, OUTAGE))] if IS_LONG else [(1, "503", HICCUP), (1, "cut_after", OUTAGE)]
VIDEOS = [*product((1, 2), FAULTS, (HICCUP, OUTAGE))] if IS_LONG else [(1, "503", OUTAGE), (2, "cut_before", OUTAGE)]
READS = [*product((1, 2), FAULTS, (HICCUP, OUTAGE))] if IS_LONG else [(1, "500", OUTAGE), (2, "half", OUTAGE)]


@pytest.fixture(scope="module")
def faulty(s3: S3Server) -> Iterator[FaultyS3]:
    """The proxy."""
    with faulty_s3(s3.url) as faulty:
        yield faulty


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, s3: S3Server, faulty: FaultyS3) -> Iterator[Server]:
    """A server that reaches its bucket by the proxy."""
    storage = STORAGE.format(bucket=s3.new_bucket(), url=faulty.url)
    running = Server(tmp_path_factory.mktemp("s3"), storage=storage, active_seconds=0.2)
    running.start()
    yield running
    faulty.heal()
    assert running.stop() == 0


@pytest.fixture
def link(http: httpx.Client, server: Server, faulty: FaultyS3, prompt: str) -> str:
    """A link to a picture that is stored."""
    faulty.heal()
    made = ask(http, server, "/v1/images/generations", picture(prompt))[-1]
    url: str = made.json()["data"][0]["url"]
    return url


def picture(prompt: str) -> dict[str, object]:
    """Return a request for a picture with a link."""
    return {"model": "gemini-2.5-flash-image", "prompt": prompt, "response_format": "url"}


def get(http: httpx.Client, url: str) -> httpx.Response:
    """Fetch a link."""
    return http.get(url, timeout=SECONDS)


@pytest.mark.parametrize(("number", "fault", "times"), PICTURES)
def test_a_picture_that_a_bucket_did_not_take_at_first_is_stored_later(
    http: httpx.Client,
    connect: Connect,
    server: Server,
    faulty: FaultyS3,
    prompt: str,
    number: int,
    fault: str,
    times: int,
) -> None:
    """It is paid for once, and the client waits for its link."""
    faulty.spoil(number, fault, times=times)
    with connect(server) as client:
        made = client.images.generate(model="gemini-2.5-flash-image", prompt=prompt, response_format="url")
    assert faulty.has_spoiled
    faulty.heal()

    assert server.executed(prompt) == 1
    assert made.data
    assert get(http, made.data[0].url or "").content[:4] == b"\x89PNG"


@pytest.mark.parametrize(("number", "fault", "times"), VIDEOS)
def test_a_video_that_a_bucket_did_not_take_at_first_is_stored_later(
    http: httpx.Client, server: Server, faulty: FaultyS3, prompt: str, number: int, fault: str, times: int
) -> None:
    """It is paid for once, and the client waits for it."""
    faulty.spoil(number, fault, times=times)
    body = {"model": "veo-3.1-fast", "messages": [{"role": "user", "content": prompt}]}
    last = ask(http, server, "/v1/chat/completions", body)[-1]
    assert faulty.has_spoiled
    faulty.heal()

    assert server.executed(prompt) == 1
    assert last.status_code == 200
    clip = last.json()["choices"][0]["message"]["content"].rpartition("(")[2].rstrip(")")
    assert get(http, clip).content[4:8] == b"ftyp"


@pytest.mark.parametrize(("number", "fault", "times"), READS)
def test_a_link_is_answered_by_the_whole_file_or_by_an_error(
    http: httpx.Client, faulty: FaultyS3, link: str, number: int, fault: str, times: int
) -> None:
    """The file is never half, and never said to be gone."""
    whole = get(http, link)
    faulty.spoil(number, fault, times=times)
    with suppress(httpx.RemoteProtocolError):  # the headers were sent, and the rest did not come
        answer = get(http, link)
        assert (answer.status_code, answer.content) == (200, whole.content) or answer.status_code == 503
    assert faulty.has_spoiled
    faulty.heal()

    assert get(http, link).content == whole.content
