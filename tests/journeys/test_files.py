"""Files through the official client: uploaded once, named by their id wherever a picture is taken."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import openai
import pytest

from tests.fakes import jpeg, png
from tests.journeys.server import KEY, Connect, Server
from tests.pictures import opened, pictures

MODEL = "gemini-2.5-flash-image"
HEADERS = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def other(server: Server, connect: Connect) -> Iterator[openai.OpenAI]:
    """Somebody else."""
    with connect(server, api_key="sk-second") as client:
        yield client


@pytest.fixture
def file_id(client: openai.OpenAI) -> str:
    """A picture that was uploaded."""
    return client.files.create(file=("fox.png", png(64, 64)), purpose="vision").id


def test_a_file_comes_back_as_it_was_sent(client: openai.OpenAI, tmp_path: Path) -> None:
    """From a path, to the byte, under the name that it had."""
    path = tmp_path / "füchse.jpg"
    path.write_bytes(jpeg(40, 30))
    file = client.files.create(file=path, purpose="assistants")
    content = client.files.content(file.id)

    assert (file.object, file.filename, file.purpose, file.bytes, file.status, file.expires_at) == (
        *("file", "füchse.jpg", "assistants", path.stat().st_size, "processed"),
        None,
    )
    assert content.read() == path.read_bytes()
    assert content.response.headers["content-type"] == "image/jpeg"
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file


def test_a_file_may_have_an_end(client: openai.OpenAI) -> None:
    """Told in Unix seconds."""
    file = client.files.create(file=png(), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 7200})

    assert file.expires_at == file.created_at + 7200
    assert file.filename == "upload"


def test_files_are_listed_page_by_page_even_while_they_are_deleted(other: openai.OpenAI) -> None:
    """The client asks for what comes after a file that is gone by then."""
    made = [other.files.create(file=png(), purpose="vision").id for _ in range(5)]
    seen = []
    for file in other.files.list(limit=2, order="asc", purpose="vision"):
        seen.append(file.id)
        other.files.delete(file.id)

    assert seen == made
    assert list(other.files.list()) == []


def test_a_file_is_its_owners_alone(client: openai.OpenAI, other: openai.OpenAI, file_id: str) -> None:
    """To others it does not exist, in a request for a picture either."""
    for ask in (other.files.retrieve, other.files.delete, other.files.content):
        with pytest.raises(openai.NotFoundError):
            ask(file_id)
    assert file_id not in [file.id for file in other.files.list()]
    with pytest.raises(openai.BadRequestError, match="There is no file"):
        other.chat.completions.create(model=MODEL, messages=[identity(file_id)])
    assert client.files.retrieve(file_id).id == file_id


def test_a_deleted_file_is_gone(client: openai.OpenAI, file_id: str) -> None:
    """At once and everywhere."""
    assert client.files.delete(file_id).deleted
    for ask in (client.files.retrieve, client.files.delete, client.files.content):
        with pytest.raises(openai.NotFoundError):
            ask(file_id)


def test_what_is_no_picture_is_refused(client: openai.OpenAI) -> None:
    """With what may be uploaded instead."""
    with pytest.raises(openai.BadRequestError, match="Allowed: PNG, JPEG, WebP and GIF") as caught:
        client.files.create(file=("paper.pdf", b"%PDF-1.7 and so on"), purpose="user_data")

    assert (caught.value.param, caught.value.code) == ("file", "invalid_image")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [("application/json", b"{}", 400), ("multipart/form-data; boundary=x", b"--x\r\n", 400), ("", b"", 400)],
)
def test_a_body_that_is_no_form_is_refused(
    http: httpx.Client, server: Server, content_type: str, body: bytes, status: int
) -> None:
    """In OpenAI's words."""
    headers = {**HEADERS, "content-type": content_type}

    assert http.post(f"{server.url}/v1/files", content=body, headers=headers).status_code == status


def identity(file_id: str) -> openai.types.chat.ChatCompletionUserMessageParam:
    """Return a message with a picture of the user's."""
    return {
        "role": "user",
        "content": [{"type": "text", "text": "make it blue"}, {"type": "file", "file": {"file_id": file_id}}],
    }


def posted(http: httpx.Client, server: Server, **fields: object) -> httpx.Response:
    """Send an edit as JSON."""
    body = {"model": MODEL, "prompt": "make it blue", **fields}
    return http.post(f"{server.url}/v1/images/edits", json=body, headers=HEADERS, timeout=30)


def test_an_edit_takes_a_file_by_its_id(http: httpx.Client, server: Server, file_id: str) -> None:
    """Google counts 258 tokens a picture, so it was really given it."""
    reply = posted(http, server, images=[{"file_id": file_id}])

    assert reply.status_code == 200, reply.text
    assert reply.json()["usage"]["input_tokens_details"]["image_tokens"] == 258


def test_a_form_takes_a_file_by_its_id(http: httpx.Client, server: Server, file_id: str) -> None:
    """As forms write objects; beside a file that comes along."""
    fields = {"model": MODEL, "prompt": "combine", "image[file_id]": file_id}
    reply = http.post(f"{server.url}/v1/images/edits", data=fields, files={"image": png()}, headers=HEADERS, timeout=30)

    assert reply.status_code == 200, reply.text
    assert reply.json()["usage"]["input_tokens_details"]["image_tokens"] == 2 * 258


def test_an_edit_of_a_file_that_is_not_there_is_refused_by_its_place(
    http: httpx.Client, server: Server, file_id: str
) -> None:
    """Before anything is paid for."""
    reply = posted(http, server, images=[{"file_id": file_id}, {"file_id": "file-1"}])
    error = reply.json()["error"]

    assert (reply.status_code, error["param"], error["code"]) == (400, "images[1]", "invalid_value")
    assert "There is no file 'file-1' here; upload it to /v1/files first." in error["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_takes_a_file_by_its_id(
    http: httpx.Client, server: Server, client: openai.OpenAI, file_id: str, *, stream: bool
) -> None:
    """Streamed or not; what is wrong has a status of its own in either."""
    body = {"model": MODEL, "messages": [identity(file_id)], "stream": stream}
    url = f"{server.url}/v1/chat/completions"
    good = http.post(url, json=body, headers=HEADERS, timeout=30)
    client.files.delete(file_id)
    bad = http.post(url, json=body, headers=HEADERS, timeout=30)

    assert "/media/" in good.text
    assert (bad.status_code, bad.json()["error"]["param"]) == (400, "messages")


def test_a_video_is_made_from_a_file(http: httpx.Client, server: Server, prompt: str, file_id: str) -> None:
    """Its first frame."""
    message = identity(file_id)
    body = {
        "model": "veo-3.1-fast",
        "messages": [{**message, "content": [text(prompt), *list(message["content"])[1:]]}],
    }
    reply = http.post(f"{server.url}/v1/chat/completions", json=body, headers=HEADERS, timeout=60)

    assert reply.status_code == 200, reply.text
    assert server.models(prompt) == ["veo_3_1_i2v_s_fast"]


@pytest.mark.parametrize("form", [False, True])
def test_the_videos_api_takes_a_file_by_its_id(
    http: httpx.Client, server: Server, prompt: str, file_id: str, *, form: bool
) -> None:
    """In JSON and as forms write objects; one that is not there is refused by its place."""
    url, fields = f"{server.url}/v1/videos", {"model": "veo-3.1-fast", "prompt": prompt}

    def ask(name: str) -> httpx.Response:
        if form:
            parts = {key: (None, value) for key, value in {**fields, "input_reference[file_id]": name}.items()}
            return http.post(url, files=parts, headers=HEADERS, timeout=60)
        return http.post(url, json={**fields, "input_reference": {"file_id": name}}, headers=HEADERS, timeout=60)

    made, refused = ask(file_id), ask("file-1")
    assert made.status_code == 200, made.text
    assert server.models(prompt) == ["veo_3_1_i2v_s_fast"]
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "input_reference")


def text(said: str) -> dict[str, str]:
    """Return a part of words."""
    return {"type": "text", "text": said}


def test_an_uploaded_gif_becomes_what_the_provider_takes(client: openai.OpenAI) -> None:
    """Nobody takes a GIF; kept it is as it came."""
    gif = BytesIO()
    opened(png(20, 20)).save(gif, "GIF")
    file = client.files.create(file=("a.gif", gif.getvalue()), purpose="vision")
    chat = client.chat.completions.create(
        model=MODEL, messages=[identity(file.id)], extra_body={"modalities": ["image", "text"]}
    )

    assert client.files.content(file.id).read() == gif.getvalue()
    assert chat.choices[0].message.content == ""


def test_a_file_outlives_the_process(client: openai.OpenAI, connect: Connect, tmp_path: Path) -> None:
    """With its bytes, and what may be made of them."""
    server = Server(tmp_path)
    server.start()
    with connect(server) as before:
        file = before.files.create(file=png(50, 50), purpose="vision")
    server.kill()
    server.start()
    with connect(server) as after:
        assert after.files.content(file.id).read() == png(50, 50)
        made = after.images.edit(model=MODEL, prompt="blue", image=[], extra_body={"image": {"file_id": file.id}})
        assert len(pictures(made)) == 1
    assert server.stop() == 0
