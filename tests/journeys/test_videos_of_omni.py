"""Videos of Gemini Omni: made by background interactions, polled one by one, fetched with the key."""

import base64
from collections.abc import Iterator
from pathlib import Path

import msgspec
import openai
import pytest

from adapter.sandbox.renderer.clip import ClipOrder, encode_mp4
from tests.fakes import png
from tests.journeys.node_programs import NodePrograms
from tests.journeys.node_results import VideoWorks
from tests.journeys.schema_watch import Watch
from tests.journeys.server import HTTP, KEY, Connect, Server, wait_until

MODEL = "gemini-omni-1.2-flash"
OMNI = """
[providers.omni]
keys = ["plain:AIza-sandbox"]
"""

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


@pytest.fixture(scope="module")
def omni_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with Gemini's videos beside Flow's."""
    running = Server(tmp_path_factory.mktemp("omni"), more=OMNI)
    running.start()
    yield running
    assert running.stop() == 0


def test_a_video_comes_home(omni_server: Server, connect: Connect, prompt: str) -> None:
    """In a length, a shape and a resolution of the model's own; paid for once."""
    with connect(omni_server) as client:
        made = client.videos.create_and_poll(
            prompt=prompt, model=MODEL, seconds="4", size="720x1280", poll_interval_ms=100
        )
        film = client.videos.download_content(made.id).read()

    assert (made.status, made.seconds, made.size) == ("completed", "4", "720x1280")
    assert made.model_extra is not None
    assert made.model_extra["usage"]["cost"] == 0.28
    assert made.model_extra["usage"]["output_tokens_details"] == {"video_tokens": 46336}
    assert film[4:8] == b"ftyp"
    assert omni_server.models(prompt) == [MODEL]


def test_its_stream_of_events_goes_from_queued_to_completed(omni_server: Server, connect: Connect, prompt: str) -> None:
    """As that of any other video."""
    with connect(omni_server) as client:
        made = client.videos.create(prompt=prompt, model=MODEL)
    with HTTP.stream(
        "GET", f"{omni_server.url}/v1/videos/{made.id}/events", headers={"authorization": f"Bearer {KEY}"}
    ) as answer:
        events = [line.removeprefix("event: ") for line in answer.iter_lines() if line.startswith("event: ")]

    assert (events[0], events[-1]) == ("video.queued", "video.completed")


def test_a_first_frame_is_uploaded_once_and_the_prompt_says_what_it_is(
    omni_server: Server, connect: Connect, prompt: str
) -> None:
    """Two videos of one picture are made from one upload: two requests in all."""
    before = omni_server.asked("omni.upload")
    picture = ("frame.png", png(320, 180), "image/png")
    with connect(omni_server) as client:
        for _ in range(2):
            made = client.videos.create_and_poll(
                prompt=prompt, model=MODEL, input_reference=picture, poll_interval_ms=100
            )
            assert (made.status, made.size) == ("completed", "1280x720")

    assert omni_server.executed(f"<FIRST_FRAME> {prompt}") == 2
    assert omni_server.asked("omni.upload") == before + 2


def test_reference_pictures_are_named_in_the_prompt(omni_server: Server, connect: Connect, prompt: str) -> None:
    """In their order, up to six."""
    address = "data:image/png;base64," + base64.b64encode(png(64, 64)).decode()
    with connect(omni_server) as client:
        body = {"prompt": prompt, "model": MODEL, "images": [address] * 3}
        made = client.videos.poll(
            msgspec.convert(client.post("/videos", body=body, cast_to=dict[str, object]), dict[str, object])["id"],  # type: ignore[arg-type]
            poll_interval_ms=100,
        )

    names = "<IMAGE_REF_0>@Image1 <IMAGE_REF_1>@Image2 <IMAGE_REF_2>@Image3"
    assert made.status == "completed"
    assert omni_server.executed(f"[# References {names}] {prompt}") == 1


def test_a_remix_is_an_edit_of_the_finished_video(omni_server: Server, connect: Connect, prompt: str) -> None:
    """Google changes that video; a remix of a remix changes the newer one."""
    with connect(omni_server) as client:
        made = client.videos.create_and_poll(prompt=prompt, model=MODEL, seconds="4", poll_interval_ms=100)
        second = client.videos.poll(client.videos.remix(made.id, prompt=f"{prompt} at night").id, poll_interval_ms=100)
        third = client.videos.poll(client.videos.remix(second.id, prompt=f"{prompt} in snow").id, poll_interval_ms=100)

    assert (second.status, second.remixed_from_video_id, second.seconds) == ("completed", made.id, "4")
    assert (third.status, third.remixed_from_video_id) == ("completed", second.id)
    assert _tasks(omni_server, prompt) == ["text_to_video", "edit", "edit"]


def test_a_finished_video_is_edited_and_extended(omni_server: Server, connect: Connect, prompt: str) -> None:
    """Both with the key that made it. The extension tells the length of the whole.

    This client refuses to send an object in the place of a file, so the file is the id.
    """
    with connect(omni_server) as client:
        made = client.videos.create_and_poll(prompt=prompt, model=MODEL, seconds="4", poll_interval_ms=100)
        edited = client.videos.edit(prompt=f"{prompt} at night", video=made.id.encode())
        edited = client.videos.poll(edited.id, poll_interval_ms=100)
        longer = client.videos.extend(prompt=f"{prompt} goes on", seconds="8", video=edited.id.encode())
        longer = client.videos.poll(longer.id, poll_interval_ms=100)

    assert (edited.status, edited.seconds, edited.remixed_from_video_id) == ("completed", "4", made.id)
    assert (longer.status, longer.seconds, longer.remixed_from_video_id) == ("completed", "12", edited.id)
    assert _tasks(omni_server, prompt) == ["text_to_video", "edit", "extend"]


def film(seconds: float) -> bytes:
    """Return an upright video in 720p."""
    return encode_mp4(ClipOrder(prompt="waves", seed=1, width=720, height=1280, seconds=seconds))


def test_a_file_is_edited_and_extended(omni_server: Server, connect: Connect, prompt: str) -> None:
    """It is uploaded once for both, and its form is kept."""
    before, file = omni_server.asked("omni.upload"), ("film.mp4", film(4.2), "video/mp4")
    with connect(omni_server) as client:
        edited = client.videos.edit(prompt=f"{prompt} at night", video=file)
        longer = client.videos.extend(prompt=f"{prompt} goes on", seconds="8", video=file)
        edited, longer = (client.videos.poll(each.id, poll_interval_ms=100) for each in (edited, longer))

    assert (edited.status, edited.model, edited.seconds, edited.size) == ("completed", MODEL, "4", "720x1280")
    assert (longer.status, longer.seconds) == ("completed", "12")
    assert _tasks(omni_server, prompt) == ["edit", "extend"]
    assert omni_server.asked("omni.upload") == before + 2


@pytest.mark.parametrize("route", ["edits", "extensions"])
def test_a_video_that_cannot_be_worked_on_is_refused(
    omni_server: Server, connect: Connect, prompt: str, route: str
) -> None:
    """One of somebody else is like one that never was. Flow's model edits none, and extends none without its names."""
    with connect(omni_server) as client, connect(omni_server, api_key="sk-second") as other:
        by_flow = client.videos.create_and_poll(prompt=prompt, model="veo-3.1-fast", poll_interval_ms=100)
        made = client.videos.create(prompt=prompt, model=MODEL)

        def refused(by: openai.OpenAI, video: object) -> tuple[int, str | None, str | None]:
            with pytest.raises(openai.APIStatusError) as caught:
                by.post(f"/videos/{route}", body={"prompt": prompt, "video": video}, cast_to=object)
            return caught.value.status_code, caught.value.code, caught.value.param

        assert refused(client, {"id": made.id}) == (400, "video_not_completed", "video")
        client.videos.poll(made.id, poll_interval_ms=100)
        assert refused(other, {"id": made.id}) == (404, "not_found", "video")
        assert refused(client, {"id": by_flow.id}) == (400, "unsupported", "video")
        client.videos.delete(made.id)
        assert refused(client, made.id) == (404, "not_found", "video")
        assert refused(client, None) == (400, "missing_required_parameter", "video")
        with pytest.raises(openai.BadRequestError, match="Send an MP4"):
            client.videos.edit(prompt=prompt, video=("film.mp4", b"no film", "video/mp4"))


def test_a_repeated_edit_is_one_edit(omni_server: Server, connect: Connect, prompt: str) -> None:
    """By its key, as with any other video."""
    with connect(omni_server) as client:
        made = client.videos.create_and_poll(prompt=prompt, model=MODEL, seconds="4", poll_interval_ms=100)
        headers = {"Idempotency-Key": prompt}
        edits = [
            client.videos.edit(prompt=f"{prompt} at night", video=made.id.encode(), extra_headers=headers)
            for _ in range(2)
        ]

    assert edits[0].id == edits[1].id
    assert omni_server.executed(f"{prompt} at night") == 1


def test_a_job_survives_the_death_of_its_process(omni_server: Server, connect: Connect, prompt: str) -> None:
    """The next process asks about it with the key that made it."""
    with connect(omni_server) as client:
        made = client.videos.create(prompt=prompt, model=MODEL)
        omni_server.kill()
        omni_server.start()
        wait_until(lambda: client.videos.retrieve(made.id).status == "completed", "the video did not come")

    assert omni_server.executed(prompt) == 1


def test_a_process_that_dies_before_the_answer_does_not_send_again(
    omni_server: Server, connect: Connect, prompt: str
) -> None:
    """Google has no way to look for it. The job ends as unknown, and says that it may have been paid for."""
    omni_server.fault(on="omni.submit", do="delay", after=True, seconds=20.0, prompt=prompt)
    asked = omni_server.asked("omni.submit")
    with connect(omni_server, timeout=2.0) as client:
        with pytest.raises((openai.APITimeoutError, openai.APIConnectionError)):
            client.videos.create(prompt=prompt, model=MODEL)
        wait_until(lambda: omni_server.asked("omni.submit") > asked, "it was not sent")
        omni_server.kill()
        omni_server.start()
        wait_until(lambda: _found(client, prompt).status == "failed", "the job did not end")
        error = _found(client, prompt).error

    assert error is not None
    assert error.code == "upstream_submit_unknown"
    assert (omni_server.executed(prompt), omni_server.asked("omni.submit")) == (1, 0)


def _tasks(server: Server, prompt: str) -> list[str]:
    """Return what the sandbox was asked to do with prompts that begin so; it notes the task in the place of a scene."""
    ledger = msgspec.json.decode(HTTP.get(f"{server.upstream}/sandbox/ledger").content)
    return [each["scene_id"] for each in ledger["executions"] if each["prompt"].startswith(prompt)]


def _found(client: openai.OpenAI, prompt: str) -> openai.types.Video:
    return next(video for video in client.videos.list() if video.prompt == prompt)


@pytest.mark.parametrize(
    ("word", "code"),
    [("[blocked]", "moderation_blocked"), ("[fails]", "video_generation_failed"), ("[empty]", "no_media_generated")],
)
def test_a_video_that_is_not_made_says_why(
    omni_server: Server, connect: Connect, prompt: str, word: str, code: str
) -> None:
    """With Google's words, and never a second time."""
    with connect(omni_server) as client:
        made = client.videos.create_and_poll(prompt=f"{prompt} {word}", model=MODEL, poll_interval_ms=100)

    assert made.error is not None
    assert (made.status, made.error.code) == ("failed", code)
    assert omni_server.executed(f"{prompt} {word}") == 1


def test_a_prompt_that_google_declines_at_once_is_a_400(omni_server: Server, connect: Connect, prompt: str) -> None:
    """Nothing was executed."""
    with connect(omni_server) as client, pytest.raises(openai.BadRequestError, match="policies") as caught:
        client.videos.create(prompt=f"{prompt} [unsafe]", model=MODEL)

    assert caught.value.code == "moderation_blocked"


def test_a_length_that_the_model_does_not_make_is_refused_with_its_range(
    omni_server: Server, connect: Connect, prompt: str
) -> None:
    """Before anything is sent."""
    with connect(omni_server) as client, pytest.raises(openai.BadRequestError, match="of 3 to 15 seconds only"):
        client.videos.create(prompt=prompt, model=MODEL, seconds="16")  # type: ignore[arg-type]


def test_a_file_that_is_cut_is_asked_for_again(omni_server: Server, connect: Connect, prompt: str) -> None:
    """Nothing of it is stored, and nothing is paid for a second time."""
    omni_server.fault(on="media.get", do="truncate", prompt=prompt)
    omni_server.fault(on="omni.download", do="error", status=503, prompt=prompt)
    with connect(omni_server) as client:
        made = client.videos.create_and_poll(prompt=prompt, model=MODEL, poll_interval_ms=100)

    assert made.status == "completed"
    assert omni_server.executed(prompt) == 1


def test_a_busy_google_is_asked_again_and_paid_once(omni_server: Server, connect: Connect, prompt: str) -> None:
    """429 says that nothing was executed."""
    omni_server.fault(on="omni.submit", do="error", status=429, prompt=prompt)
    with connect(omni_server) as client:
        made = client.videos.create_and_poll(prompt=prompt, model=MODEL, poll_interval_ms=100)

    assert made.status == "completed"
    assert omni_server.executed(prompt) == 1


@pytest.mark.parametrize("has_file", [False, True])
def test_nodes_client_makes_edits_and_extends_a_video(
    node_folder: Path, omni_server: Server, watch: Watch, prompt: str, tmp_path: Path, *, has_file: bool
) -> None:
    """By its id, and as a file."""
    file = tmp_path / "film.mp4"
    file.write_bytes(film(8.0))
    node = NodePrograms(node_folder, omni_server, watch)
    given = {"file": str(file)} if has_file else {}
    works = node.run("openai_video_works", VideoWorks, model=MODEL, prompt=prompt, seconds="8", **given)

    assert {works.made.status, works.edited.status, works.extended.status} == {"completed"}
    assert works.size > 100
    assert (works.edited.seconds, works.extended.seconds) == ("8", "12")
    assert works.edited.remixed_from_video_id == (None if has_file else works.made.id)
    assert _tasks(omni_server, prompt) == ["text_to_video", "edit", "extend"]
