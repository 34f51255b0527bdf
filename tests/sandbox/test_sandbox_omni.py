"""The sandbox's Interactions and Files APIs: Google's own client is understood, and what Google refuses is refused."""

from collections.abc import Iterator
from io import BytesIO

import msgspec
import pytest
from google import genai
from google.genai import types

from adapter.sandbox.renderer.clip import ClipOrder, encode_mp4
from adapter.sandbox.server import RunningSandbox, running_sandbox
from tests.fakes import png
from tests.sandbox.helpers import KEY, RULES, Client, Clock, Json, faulty, ledger

MODEL = "gemini-omni-1.2-flash"
FORMAT = {"type": "video", "aspect_ratio": "16:9", "resolution": "720p", "duration": "8s", "delivery": "uri"}


def body(prompt: str = "waves", **more: Json) -> Json:
    """Return a submission."""
    return {"model": MODEL, "background": True, "store": True, "input": prompt, "response_format": FORMAT, **more}


async def submitted(client: Client, **more: Json) -> Json:
    """Submit a video and return the answer."""
    answer = await client.post("/v1beta/interactions", headers=KEY, json=body(**more))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_video_is_worked_on_then_finished_and_its_file_a_little_later(client: Client, clock: Clock) -> None:
    """As a function of the time."""
    name = (await submitted(client))["id"]
    early = (await client.get(f"/v1beta/interactions/{name}", headers=KEY)).json()
    clock.now += 10.0
    done = (await client.get(f"/v1beta/interactions/{name}", headers=KEY)).json()
    file = done["steps"][-1]["content"][0]["uri"].partition("/v1beta/")[2].partition(":")[0]
    states = [(await client.get(f"/v1beta/{file}", headers=KEY)).json()["state"]]
    clock.now += 1.0
    states.append((await client.get(f"/v1beta/{file}", headers=KEY)).json()["state"])
    film = await client.get(f"/v1beta/{file}:download?alt=media", headers=KEY, follow_redirects=False)

    assert (early["status"], done["status"], states) == ("in_progress", "completed", ["PROCESSING", "ACTIVE"])
    assert film.status_code == 302
    assert (await client.get(film.headers["location"])).content[4:8] == b"ftyp"
    assert [each["model"] for each in (await ledger(client))["executions"]] == [MODEL]


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"speed": 2}, 400, "parameter_unknown"),
        ({"model": "gemini-omni-9"}, 404, "model_not_found"),
        ({"response_format": {**FORMAT, "duration": "16s"}}, 416, "out_of_range"),
        ({"response_format": {**FORMAT, "resolution": "4K"}}, 400, "invalid_request"),
        ({"input": "waves [unsafe]"}, 400, "safety"),
        ({"input": [{"type": "image", "uri": "x/files/none", "mime_type": "image/png"}]}, 400, "invalid_request"),
        (
            {
                "input": [
                    {"type": "image", "uri": "x/files/none", "mime_type": "image/png"},
                    {"type": "text", "text": "waves"},
                ]
            },
            404,
            "not_found",
        ),
        (
            {"previous_interaction_id": "v1_none", "generation_config": {"video_config": {"task": "edit"}}},
            404,
            "not_found",
        ),
        ({"generation_config": {"video_config": {"task": "image_to_video"}}}, 400, "invalid_request"),
    ],
)
async def test_what_google_refuses_is_refused_with_a_word(client: Client, change: Json, status: int, word: str) -> None:
    """And nothing is executed."""
    answer = await client.post("/v1beta/interactions", headers=KEY, json={**body(), **change})

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, word)
    assert (await ledger(client))["executions"] == []


def work(task: str, seconds: int = 4, **more: Json) -> Json:
    """Return a submission that works on a video."""
    form = {**FORMAT, "duration": f"{seconds}s"}
    return body("at night", response_format=form, generation_config={"video_config": {"task": task}}, **more)


async def test_a_video_is_extended_up_to_forty_seconds_and_edited_up_to_fifteen(client: Client, clock: Clock) -> None:
    """Each interaction knows the length of its video."""
    name, found = (await submitted(client))["id"], []
    for seconds in (10, 10, 10, 3, 2):
        clock.now += 60.0
        asked = work("extend", seconds, previous_interaction_id=name)
        answer = await client.post("/v1beta/interactions", headers=KEY, json=asked)
        found.append(answer.status_code)
        name = answer.json().get("id", name)
    edited = await client.post("/v1beta/interactions", headers=KEY, json=work("edit", previous_interaction_id=name))

    assert found == [200, 200, 200, 416, 416]
    assert edited.json()["error"]["message"] == "The video is longer than 15s."


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_video_is_uploaded_whole_or_in_parts(client: Client, parts: int) -> None:
    """A part has a multiple of 256 KiB, and its place."""
    film = encode_mp4(ClipOrder(prompt="x", seed=1, width=64, height=36, seconds=8.0))
    film += bytes(parts * 256 * 1024 - len(film) % (256 * 1024))
    size, step = len(film), 256 * 1024 if parts > 1 else len(film)
    start = {
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-length": str(size),
        "x-goog-upload-header-content-type": "video/mp4",
    }
    place = (await client.post("/upload/v1beta/files", headers=KEY | start, json={"file": {}})).headers
    uri = ""
    for at in range(0, size, step):
        command = "upload, finalize" if at + step >= size else "upload"
        head = {"x-goog-upload-command": command, "x-goog-upload-offset": str(at)}
        wrong = await client.post(
            place["x-goog-upload-url"], headers=head | {"x-goog-upload-offset": "7"}, content=film[at : at + step]
        )
        answer = await client.post(place["x-goog-upload-url"], headers=head, content=film[at : at + step])
        assert (wrong.status_code, answer.status_code) == (400, 200)
        uri = answer.json().get("file", {}).get("uri", "")
    given = [{"type": "video", "uri": uri, "mime_type": "video/mp4"}, {"type": "text", "text": "at night"}]
    made = await client.post("/v1beta/interactions", headers=KEY, json={**work("edit"), "input": given})

    assert made.status_code == 200


async def test_a_wrong_key_and_another_models_method_are_refused(client: Client) -> None:
    """Each in the form of its API."""
    wrong = await client.post("/v1beta/interactions", headers={"x-goog-api-key": "wrong"}, json=body())
    other = await client.post(f"/v1beta/models/{MODEL}:generateContent", headers=KEY, json={"contents": []})

    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "authentication")
    assert other.json()["error"]["message"] == "This model only supports Interactions API."


async def test_a_scripted_fault_has_a_word(client: Client) -> None:
    """Its reason, or the status' usual one."""
    await faulty(client, {"on": "omni.submit", "do": "error", "status": 429, "reason": "quota_exceeded"})
    first = await client.post("/v1beta/interactions", headers=KEY, json=body())
    await faulty(client, {"on": "omni.submit", "do": "error", "status": 503})
    second = await client.post("/v1beta/interactions", headers=KEY, json=body())

    assert [each.json()["error"]["code"] for each in (first, second)] == ["quota_exceeded", "service_unavailable"]


@pytest.fixture(scope="module")
def quick() -> Iterator[RunningSandbox]:
    """A sandbox on loopback that makes videos at once."""
    with running_sandbox(
        msgspec.structs.replace(RULES, pending_seconds=0.0, active_seconds=0.0, file_seconds=0.0)
    ) as sandbox:
        yield sandbox


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_googles_client_makes_a_video_from_an_upload(quick: RunningSandbox, version: str) -> None:
    """It uploads, creates, asks, downloads, cancels and deletes."""
    options = types.HttpOptions(base_url=quick.base_url, api_version=version)
    with genai.Client(api_key="AIza-sandbox", http_options=options) as client:
        picture = client.files.upload(file=BytesIO(png(64, 36)), config=types.UploadFileConfig(mime_type="image/png"))
        assert (picture.state, picture.mime_type) == (types.FileState.ACTIVE, "image/png")
        made: Json = client.interactions.create(
            model=MODEL,
            background=True,
            input=[
                {"type": "image", "uri": picture.uri, "mime_type": "image/png"},
                {"type": "text", "text": "<FIRST_FRAME> waves"},
            ],
            response_format=FORMAT,
            generation_config={"video_config": {"task": "image_to_video"}},
        )
        found: Json = client.interactions.get(made.id)
        assert found.status == "completed"
        name = found.steps[-1].content[0].uri.partition(f"/{version}/")[2].partition(":")[0]
        film = client.files.download(file=client.files.get(name=name))
        assert film[4:8] == b"ftyp"
        assert client.interactions.cancel(made.id).status == "completed"
        client.interactions.delete(made.id)


def test_googles_client_uploads_a_video_and_has_it_extended(quick: RunningSandbox) -> None:
    """In parts of 8 MiB, as it does with every file."""
    film = encode_mp4(ClipOrder(prompt="x", seed=1, width=64, height=36, seconds=8.0)) + bytes(9 * 1024 * 1024)
    options = types.HttpOptions(base_url=quick.base_url, api_version="v1beta")
    with genai.Client(api_key="AIza-sandbox", http_options=options) as client:
        video = client.files.upload(file=BytesIO(film), config=types.UploadFileConfig(mime_type="video/mp4"))
        made: Json = client.interactions.create(
            model=MODEL,
            background=True,
            input=[
                {"type": "video", "uri": video.uri, "mime_type": "video/mp4"},
                {"type": "text", "text": "and then night falls"},
            ],
            response_format=FORMAT,
            generation_config={"video_config": {"task": "extend"}},
        )

        assert client.interactions.get(made.id).status == "completed"
