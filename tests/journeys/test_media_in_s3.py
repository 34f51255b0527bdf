"""The whole program with its files in a bucket."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.buckets import S3Server
from tests.journeys.server import Server, free_port

STORAGE = """
media = "s3://{bucket}/media"

[storage.s3]
endpoint = "{url}"
region = "us-east-1"
access_key = "plain:AKIATEST"
secret_key = "plain:secret"
"""


@pytest.fixture
def server(tmp_path: Path, s3: S3Server) -> Iterator[Server]:
    """A server whose storage.media is a bucket."""
    running = Server(tmp_path, storage=STORAGE.format(bucket=s3.new_bucket(), url=s3.url))
    running.start()
    yield running
    assert running.stop() == 0


def test_links_to_files_in_a_bucket_are_ours_and_seek(
    client: openai.OpenAI, http: httpx.Client, prompt: str, server: Server
) -> None:
    """The bucket stays private: nobody is sent to it."""
    made = client.images.generate(model="gemini-2.5-flash-image", prompt=prompt, response_format="url")
    video = client.chat.completions.create(model="veo-3.1-fast", messages=[{"role": "user", "content": prompt}])
    assert made.data
    picture = made.data[0].url
    assert picture is not None
    assert picture.startswith(f"{server.url}/media/")
    clip = (video.choices[0].message.content or "").rpartition("(")[2].rstrip(")")

    whole = http.get(clip)
    part = http.get(clip, headers={"range": "bytes=4-7"})
    head = http.head(clip)
    assert whole.headers["content-type"] == "video/mp4"
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
    assert head.headers["content-length"] == str(len(whole.content))
    assert http.get(clip, headers={"if-none-match": head.headers["etag"]}).status_code == 304
    assert http.get(picture).headers["content-type"] == "image/png"
    assert http.get(f"{server.url}/media/{'0' * 32}.png").status_code == 404


def test_a_bucket_is_checked(server: Server) -> None:
    """With its keys among the secrets."""
    said = server.command("check")

    assert "secret       ok  storage.s3.secret_key" in said
    assert "media        ok  s3://" in said


def test_files_of_a_bucket_that_is_gone_are_a_503(http: httpx.Client, tmp_path: Path) -> None:
    """Not a 404: the link is good."""
    running = Server(tmp_path, storage=STORAGE.format(bucket="bucket", url=f"http://127.0.0.1:{free_port()}"))
    running.start()
    try:
        answer = http.get(f"{running.url}/media/{'0' * 32}.mp4")
        said = running.command("check")
    finally:
        assert running.stop() == 0

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "storage_unavailable"
    assert "storage.s3.endpoint: http://127.0.0.1:" in said
