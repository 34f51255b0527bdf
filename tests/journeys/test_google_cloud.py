"""Pictures and videos of Gemini on Google Cloud, by a key of a service account."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from google import genai
from google.genai import types

from adapter.sandbox.rules import SandboxRules
from adapter.sandbox.server import RunningSandbox, running_sandbox
from tests.fakes import png
from tests.journeys.server import HTTP, KEY, Connect, Server
from tests.support import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

RULES = SandboxRules(port=0, pending_seconds=0.1, active_seconds=0.2, clip_seconds=0.5, clip_long_edge=320)
PROJECT = RULES.cloud.project
VERTEX = """
[providers.vertex]
base_url = "{url}"
project = "{project}"
credential = "google:{key}"
"""
TEXTS = """
[[text]]
name = "cloud-words"
provider = "vertex"
upstream = "gemini-3.5-flash-lite"
released = 2026-09-01
"""


class Cloud:
    """A server whose pictures come from a project of Google Cloud."""

    def __init__(self, server: Server, sandbox: RunningSandbox, key: Path) -> None:
        self.server = server
        self.key = json.loads(key.read_text())
        self._url = sandbox.base_url

    def asked(self, endpoint: str) -> int:
        """Return how often an endpoint of the sandbox was asked."""
        asked: int = HTTP.get(f"{self._url}/sandbox/ledger").json()["requests"][endpoint]
        return asked


@contextmanager
def running(folder: Path, more: str = "") -> Iterator[Cloud]:
    """Serve models from the project, and from no other provider."""
    models, key = folder / "models.toml", folder / "key.json"
    rows = (ROOT / "config" / "models.toml").read_text()
    models.write_text(re.sub(r'provider = "\w+"\nalso = \["vertex"\]', 'provider = "vertex"', rows) + TEXTS)
    with running_sandbox(RULES) as sandbox:
        key.write_bytes(HTTP.get(f"{sandbox.base_url}/sandbox/cloud/key").content)
        server = Server(
            folder,
            upstream=sandbox.base_url,
            environ={"ADAPTER__MODELS": str(models)},
            more=VERTEX.format(url=sandbox.base_url, project=PROJECT, key=key) + more,
        )
        server.start()
        yield Cloud(server, sandbox, key)
        assert server.stop() == 0


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Without a bucket."""
    with running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def with_bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """With a folder in a bucket for videos."""
    with running(tmp_path_factory.mktemp("bucket"), f'bucket = "gs://{RULES.cloud.bucket}/adapter"\n') as cloud:
        yield cloud


def test_a_picture_comes_from_the_project(cloud: Cloud, connect: Connect) -> None:
    """Under the name that OpenAI's programs use. One token serves several."""
    with connect(cloud.server) as client:
        for _ in range(3):
            made = client.images.generate(model="gpt-image-1", prompt="a fox", size="1536x1024")
            assert made.data
            assert base64.b64decode(made.data[0].b64_json or "").startswith(b"\x89PNG")

    assert (cloud.asked("cloud.generate") >= 3, cloud.asked("gemini.generate"), cloud.asked("cloud.token")) == (
        True,
        0,
        1,
    )


def test_google_makes_the_jpeg(cloud: Cloud, connect: Connect) -> None:
    """An edit too."""
    with connect(cloud.server) as client:
        made = client.images.edit(
            model="gemini-3-pro-image",
            prompt="a hat",
            image=("fox.png", png(64, 64), "image/png"),
            output_format="jpeg",
        )

    assert made.data
    assert base64.b64decode(made.data[0].b64_json or "").startswith(b"\xff\xd8\xff")


def test_a_chat_shows_a_picture_of_the_project(cloud: Cloud, connect: Connect) -> None:
    """The model is listed under its public name."""
    with connect(cloud.server) as client:
        said = client.chat.completions.create(
            model="gemini-nano-banana-2.1", messages=[{"role": "user", "content": "a fox"}]
        )
        owner = client.models.retrieve("gemini-nano-banana-2.1").owned_by

    assert "![" in (said.choices[0].message.content or "")
    assert owner == "vertex"


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_chat_is_answered_by_a_text_model_of_the_project(cloud: Cloud, *, is_stream: bool) -> None:
    """By Google Cloud's route in OpenAI's form. Its answers are not OpenAI's word for word, so no schema is asked."""
    before = cloud.asked("cloud.chat")
    messages: Any = [{"role": "user", "content": "hello"}]
    with openai.OpenAI(base_url=f"{cloud.server.url}/v1", api_key=KEY, max_retries=0) as client:
        if is_stream:
            chunks = [*client.chat.completions.create(model="cloud-words", messages=messages, stream=True)]
            said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        else:
            answer = client.chat.completions.create(model="cloud-words", messages=messages)
            said = answer.choices[0].message.content or ""
            assert answer.model == "google/gemini-3.5-flash-lite"

    assert (said, cloud.asked("cloud.chat")) == ("Emulated words", before + 1)


def test_googles_client_has_a_text_of_the_project(cloud: Cloud) -> None:
    """Whole and as a stream, through the adapter's own routes in Google's form."""
    with genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=cloud.server.url)) as client:
        whole = client.models.generate_content(model="cloud-words", contents="hello").text
        pieces = [each.text or "" for each in client.models.generate_content_stream(model="cloud-words", contents="hi")]

    assert whole == "".join(pieces) == "Emulated words"


def test_a_prompt_that_google_blocks_is_refused_in_openais_shape(cloud: Cloud, connect: Connect) -> None:
    """As at the Gemini API."""
    with connect(cloud.server) as client, pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model="gpt-image-1", prompt="[blocked]")
    assert caught.value.code == "moderation_blocked"


@pytest.mark.parametrize("place", ["cloud", "with_bucket"])
def test_a_video_from_a_picture_comes_home(request: pytest.FixtureRequest, connect: Connect, place: str) -> None:
    """In Google's answer, or by the bucket. It is paid for once."""
    cloud: Cloud = request.getfixturevalue(place)
    frame = ("frame.png", png(320, 180), "image/png")
    with connect(cloud.server) as client:
        made = client.videos.create_and_poll(
            prompt="waves", model="gemini-omni-1.2-flash", seconds="4", input_reference=frame, poll_interval_ms=100
        )
        film = client.videos.download_content(made.id).read()

    assert (made.status, made.seconds, made.size) == ("completed", "4", "1280x720")
    assert film[4:8] == b"ftyp"
    assert (cloud.asked("cloud.submit"), cloud.asked("omni.submit"), cloud.asked("omni.upload")) == (1, 0, 0)
    assert bool(cloud.asked("cloud.bucket")) == (place == "with_bucket")


def test_nothing_of_the_credential_is_in_the_log(cloud: Cloud, connect: Connect) -> None:
    """Neither the key, nor an assertion, nor a token."""
    with connect(cloud.server) as client:
        client.images.generate(model="gpt-image-1", prompt="a fox")
    key = cloud.key["private_key"]
    secrets = ["ya29.", "eyJ", key[28:60], key[200:240], cloud.key["private_key_id"]]

    assert [each for each in secrets if each in cloud.server.log] == []
