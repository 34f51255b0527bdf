"""Pictures from pictures through the official client: files, links, data, one or many."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path

import httpx
import openai
import pytest
from openai._types import FileTypes
from PIL import Image as Pillow

from adapter.domain.media import MediaFormat
from adapter.media.decoding import can_decode
from tests.fakes import jpeg, png
from tests.journeys.server import KEY, Connect, Server
from tests.pictures import opened, pictures
from tests.support import GOLDEN

PHOTO = (GOLDEN / "pictures" / "photo.heic").read_bytes()
MODELS = ["gemini-3.1-flash-image", "flow-gem-pix"]


@pytest.fixture
def strict() -> bool:
    """In its strict mode the 1.x client knows three sizes of a picture; we report the real one."""
    return not openai.__version__.startswith("1.")


def posted(http: httpx.Client, server: Server, **fields: object) -> httpx.Response:
    """Send an edit as JSON."""
    body = {"model": "gpt-image-1.5", "prompt": "make it blue", **fields}
    return http.post(f"{server.url}/v1/images/edits", json=body, headers={"authorization": f"Bearer {KEY}"}, timeout=30)


def data_url(file: bytes, mime: str = "image/png") -> str:
    """Return a file as an address."""
    return f"data:{mime};base64,{base64.b64encode(file).decode()}"


@pytest.mark.parametrize("model", MODELS)
def test_a_file_is_edited(client: openai.OpenAI, model: str, tmp_path: Path) -> None:
    """An open file, as most programs send it; the answer has the shape of what was given."""
    path = tmp_path / "fox.png"
    path.write_bytes(png(160, 90))
    with path.open("rb") as file:
        [data] = pictures(client.images.edit(model=model, image=file, prompt="make it blue"))

    size = opened(data).size
    assert size[0] / size[1] == pytest.approx(16 / 9, rel=0.02)


@pytest.mark.parametrize("model", MODELS)
def test_several_pictures_are_combined(client: openai.OpenAI, model: str) -> None:
    """Bytes without a name or a type, a tuple with both, and a WebP, which Flow is given as a PNG."""
    webp = BytesIO()
    Pillow.new("RGB", (40, 40), "red").save(webp, "WEBP")
    given: list[FileTypes] = [png(), ("photo", jpeg(), "text/plain"), webp.getvalue()]
    one = pictures(client.images.edit(model=model, image=given, prompt="combine", n=2))
    other = pictures(client.images.edit(model=model, image=given[:2], prompt="combine", n=2))

    assert len({*one, *other}) == 4


@pytest.mark.parametrize(("name", "size"), [("photo", (1264, 848)), ("turned", (1264, 848))])
def test_a_photograph_of_a_phone_is_edited_as_it_is(client: openai.OpenAI, name: str, size: tuple[int, int]) -> None:
    """HEIC, which Gemini takes. The sandbox does not turn it."""
    photo = (GOLDEN / "pictures" / f"{name}.heic").read_bytes()
    [data] = pictures(client.images.edit(model=MODELS[0], image=photo, prompt="make it blue"))

    assert opened(data).size == size


@pytest.mark.skipif(can_decode(MediaFormat.HEIC), reason="pillow-heif is installed here")
def test_a_photograph_that_flow_does_not_take_is_refused_with_what_is(client: openai.OpenAI, server: Server) -> None:
    """Before anything is sent or paid."""
    before = server.executions()
    with pytest.raises(openai.BadRequestError, match="PNG, JPEG, WEBP, GIF") as caught:
        client.images.edit(model="flow-gem-pix", image=PHOTO, prompt="make it blue")

    assert (caught.value.code, caught.value.param) == ("unsupported_image_media_type", "image")
    assert server.executions() == before


@pytest.mark.skipif(not can_decode(MediaFormat.AVIF), reason="this Pillow was built without AVIF")
@pytest.mark.parametrize("model", MODELS)
def test_an_avif_is_edited(client: openai.OpenAI, model: str) -> None:
    """Neither provider takes it, so it is given as a PNG."""
    file = BytesIO()
    Pillow.new("RGB", (160, 90), "red").save(file, "AVIF")

    assert pictures(client.images.edit(model=model, image=file.getvalue(), prompt="make it blue"))


def test_every_input_counts(client: openai.OpenAI) -> None:
    """Google counts 258 tokens a picture; the answer adds up its calls."""
    usage = client.images.edit(model=MODELS[0], image=[png(), png(), png()], prompt="combine", n=2).usage

    assert usage is not None
    assert usage.input_tokens_details.image_tokens == 2 * 3 * 258
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


def test_a_pictures_tokens_are_reported(client: openai.OpenAI) -> None:
    """Flow counts none, so none are made up."""
    gemini = client.images.generate(model=MODELS[0], prompt="a fox", n=2).usage
    flow = client.images.generate(model=MODELS[1], prompt="a fox").usage

    assert gemini is not None
    assert (gemini.output_tokens, flow) == (2 * (1120 + 88), None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_variation_needs_no_words(client: openai.OpenAI) -> None:
    """OpenAI has retired the call and its clients still have it."""
    response = client.images.create_variation(image=png(60, 60), n=2, size="512x512")

    assert response.data is not None
    assert [item.url is not None for item in response.data] == [True, True]


@pytest.mark.parametrize("form", ["data", "own link", "bare text"])
def test_a_picture_may_be_named_in_json(http: httpx.Client, server: Server, client: openai.OpenAI, form: str) -> None:
    """OpenAI's own JSON form; our own links are read from our store."""
    made = client.images.generate(model="dall-e-3", prompt="a fox").data
    assert made is not None
    link = made[0].url or ""
    refs = {"data": {"image_url": data_url(png())}, "own link": {"image_url": link}, "bare text": link}

    reply = posted(http, server, images=[refs[form]])
    assert reply.status_code == 200, reply.text
    assert reply.json()["usage"]["input_tokens_details"]["image_tokens"] == 258


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"images": []}, "image", "missing_required_parameter"),
        ({"images": [{"file_id": "file-1"}]}, "images[0]", "invalid_value"),
        ({"images": [{"image_url": "http://169.254.169.254/latest"}]}, "images[0]", "failed_to_download_image"),
        ({"images": [{"image_url": "https://localhost/x.png"}]}, "images[0]", "failed_to_download_image"),
        ({"images": [{"image_url": "file:///etc/passwd"}]}, "images[0]", "invalid_value"),
        ({"images": [{"image_url": data_url(b"Example data")}]}, "images[0]", "invalid_image"),
        ({"images": [{"image_url": "data:image/png;base64,@@@"}]}, "images[0]", "invalid_base64"),
        ({"images": [{"image_url": data_url(png())}] * 15}, "images[14]", "invalid_value"),
        ({"images": [{"image_url": data_url(png())}], "mask": {"image_url": "x"}}, "mask", "invalid_value"),
        ({"images": [{"image_url": data_url(png())}], "prompt": None}, "prompt", "missing_required_parameter"),
    ],
)
def test_what_cannot_be_edited_is_refused_by_name(
    http: httpx.Client, server: Server, fields: dict[str, object], param: str, code: str
) -> None:
    """Before anything is paid for."""
    reply = posted(http, server, **fields)

    assert (reply.status_code, reply.json()["error"]["param"], reply.json()["error"]["code"]) == (400, param, code)


def test_a_mask_is_refused(client: openai.OpenAI) -> None:
    """These models would ignore it, and the picture costs money."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODELS[0], image=png(), mask=png(), prompt="blue")
    assert caught.value.param == "mask"


def test_a_form_may_come_in_pieces_of_unknown_length(http: httpx.Client, server: Server) -> None:
    """As Node sends a file that it reads while sending."""
    boundary = "a-boundary"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"prompt": "blue", "model": "gpt-image-1", "n": "2"}.items()
    ]
    head = 'Content-Disposition: form-data; name="image"; filename="f"\r\nContent-Type: application/octet-stream'
    body = b"".join([*parts, f"--{boundary}\r\n{head}\r\n\r\n".encode(), png(600, 400), f"\r\n--{boundary}--".encode()])

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    reply = http.post(
        f"{server.url}/v1/images/edits",
        content=pieces(),
        headers={"authorization": f"Bearer {KEY}", "content-type": f"multipart/form-data; boundary={boundary}"},
        timeout=30,
    )
    assert reply.status_code == 200, reply.text
    assert len(reply.json()["data"]) == 2


class Pictures(BaseHTTPRequestHandler):
    """A web server with one picture."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(png())))
        self.end_headers()
        self.wfile.write(png())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_picture_is_fetched_from_a_server_that_the_operator_trusts(http: httpx.Client, tmp_path: Path) -> None:
    """Any other address on the inside stays unreachable."""
    web = HTTPServer(("127.0.0.1", 0), Pictures)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{web.server_port}"
    server = Server(tmp_path, more=f'[fetching]\ntrusted = ["{host}"]')
    server.start()

    reply = posted(http, server, images=[{"image_url": f"http://{host}/fox"}])
    assert reply.status_code == 200, reply.text
    assert reply.json()["usage"]["input_tokens_details"]["image_tokens"] == 258
    assert posted(http, server, images=[{"image_url": f"http://localhost:{web.server_port}/fox"}]).status_code == 400
    assert server.stop() == 0
    web.shutdown()
    web.server_close()


def test_the_client_may_choose_the_very_size(client: openai.OpenAI) -> None:
    """Cut and scaled here, in the format that was asked for."""
    response = client.images.generate(
        model=MODELS[1], prompt="a fox", size="1000x500", output_format="webp", extra_body={"size_policy": "exact"}
    )
    [data] = pictures(response)

    assert (opened(data).size, opened(data).format, response.size) == ((1000, 500), "WEBP", "1000x500")


def test_geminis_own_words_for_the_frame_are_understood(client: openai.OpenAI) -> None:
    """Through `extra_body`, as Google's and OpenRouter's users write them."""
    for extra in (
        {"imageConfig": {"aspectRatio": "21:9", "imageSize": "2K"}},
        {"aspect_ratio": "21:9", "image_size": "2K"},
    ):
        response = client.images.generate(model=MODELS[0], prompt="a fox", extra_body=extra)
        assert response.size == "3168x1344"


def test_a_flow_upload_is_remembered(http: httpx.Client, server: Server, client: openai.OpenAI) -> None:
    """The same picture travels to Google once."""
    picture = png(123, 45)
    before = server.asked("flow.upload")
    for _ in range(3):
        client.images.edit(model="flow-gem-pix", image=picture, prompt="blue")

    assert server.asked("flow.upload") == before + 1


def test_one_and_the_same_answer_as_a_stream(client: openai.OpenAI) -> None:
    """One event per picture, complete; these models show nothing on the way."""
    made = list(client.images.generate(model=MODELS[0], prompt="a fox", n=2, stream=True, partial_images=2))
    edited = list(client.images.edit(model=MODELS[1], prompt="a fox", image=png(), stream=True))

    assert [event.type for event in made] == ["image_generation.completed"] * 2
    assert [event.type for event in edited] == ["image_edit.completed"]
    for event in (*made, *edited):
        picture = opened(base64.b64decode(event.b64_json, validate=True))
        assert (event.size, event.output_format) == (f"{picture.width}x{picture.height}", "png")
    assert (made[0].usage.output_tokens, edited[0].usage.total_tokens) == (1208, 0)  # type: ignore[union-attr]


def test_what_fails_before_a_stream_begins_has_a_status(patient: Server, connect: Connect) -> None:
    """The client's own exception classes work."""
    with connect(patient) as client, pytest.raises(openai.BadRequestError) as caught:
        list(client.images.generate(model=MODELS[0], prompt="a fox [blocked]", stream=True))
    assert caught.value.code == "moderation_blocked"


def test_what_fails_inside_a_stream_is_an_error_to_the_client(server: Server, client: openai.OpenAI) -> None:
    """After a sign of life there is no status left to give."""
    server.fault(on="gemini.generate", do="delay", seconds=0.3, prompt="a slow owl")
    stream = client.images.generate(model=MODELS[0], prompt="a slow owl [image_safety]", stream=True)

    with pytest.raises(openai.APIError) as caught:
        list(stream)
    assert (caught.value.code, caught.value.type) == ("moderation_blocked", "image_generation_user_error")
