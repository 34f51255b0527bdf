"""Java's own `HttpClient` with its default settings, which LangChain4j, Spring AI and JetBrains' programs build on."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import msgspec
import pytest

from tests.fakes import png
from tests.journeys.server import KEY, Server
from tests.pictures import opened

PROGRAM = Path(__file__).parent / "java" / "Journey.java"
#: Java compiles the program each time, on a machine that may be busy.
SECONDS = 120.0
MODEL = "gemini-2.5-flash-image"

pytestmark = pytest.mark.skipif(shutil.which("javac") is None, reason="there is no JDK on this machine (java, javac)")


class Body(NamedTuple):
    """What is posted."""

    type: str
    data: bytes


class Data(msgspec.Struct):
    """A picture of an answer."""

    b64_json: str


class Made(msgspec.Struct):
    """An answer with pictures."""

    data: list[Data]


def json_body(**fields: object) -> Body:
    """Return a body of JSON."""
    return Body("application/json", json.dumps(fields).encode())


def form_body(**fields: str) -> Body:
    """Return a form with a picture, as httpx writes it."""
    request = httpx.Request("POST", "http://here", data=fields, files={"image": ("fox.png", png(64, 64), "image/png")})
    return Body(request.headers["content-type"], request.read())


def posted(server: Server, folder: Path, path: str, body: Body, how: str) -> list[dict[str, object]]:
    """Post a body twice and return the answers."""
    file = folder / "body"
    file.write_bytes(body.data)
    done = subprocess.run(
        ["java", str(PROGRAM), f"{server.url}{path}", KEY, body.type, str(file), how],  # noqa: S607  # the user's own
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [line.split(" ", 2) for line in done.stdout.splitlines()]
    assert [(status, version) for status, version, _ in answers] == [("200", "HTTP_1_1")] * 2, done.stdout
    return [json.loads(text) for _, _, text in answers]


@pytest.mark.parametrize("how", ["length", "chunks"])
def test_java_makes_pictures(server: Server, tmp_path: Path, how: str) -> None:
    """A body behind an offer of h2c arrives; each request is executed once."""
    prompt = f"waves {uuid4()}"
    answers = posted(server, tmp_path, "/v1/images/generations", json_body(model=MODEL, prompt=prompt), how)

    for answer in answers:
        [data] = msgspec.convert(answer, Made).data
        assert opened(data.b64_json).size == (1024, 1024)
    assert server.executed(prompt) == 2


def test_java_edits_pictures(server: Server, tmp_path: Path) -> None:
    """A form with a file."""
    prompt = f"make it blue {uuid4()}"
    posted(server, tmp_path, "/v1/images/edits", form_body(model=MODEL, prompt=prompt), "length")

    assert server.executed(prompt) == 2


def test_java_has_videos_made(server: Server, tmp_path: Path) -> None:
    """Both requests are answered with a job."""
    prompt = f"waves {uuid4()}"
    answers = posted(server, tmp_path, "/v1/videos", json_body(model="veo-3.1-fast", prompt=prompt), "length")

    assert all(answer["object"] == "video" for answer in answers)


def test_java_chats(server: Server, tmp_path: Path) -> None:
    """With a picture model."""
    prompt = f"waves {uuid4()}"
    body = json_body(model=MODEL, messages=[{"role": "user", "content": prompt}])
    answers = posted(server, tmp_path, "/v1/chat/completions", body, "length")

    assert all(answer["object"] == "chat.completion" for answer in answers)
