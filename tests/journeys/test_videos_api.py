"""The Videos API through the official client: made, looked at, fetched, varied, deleted."""

import base64
import re
from collections.abc import Callable
from io import BytesIO

import httpx
import openai
import pytest
from openai.types import Video

from tests.fakes import jpeg, png
from tests.journeys.movie import read_movie
from tests.journeys.server import KEY, Connect, Server
from tests.pictures import opened

MODEL = "veo-3.1-fast"
SECOND = "sk-second"


pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def bearer(key: str = KEY) -> dict[str, str]:
    """Return the headers of a client without an SDK."""
    return {"authorization": f"Bearer {key}"}


def posted(http: httpx.Client, server: Server, /, **fields: object) -> httpx.Response:
    """Send JSON."""
    return http.post(f"{server.url}/v1/videos", json=fields, headers=bearer(), timeout=30)


def formed(http: httpx.Client, server: Server, fields: dict[str, str]) -> dict[str, object]:
    """Send a form without files and return the video."""
    parts = {name: (None, text) for name, text in fields.items()}
    answer = http.post(f"{server.url}/v1/videos", files=parts, headers=bearer(), timeout=30)
    assert answer.status_code == 200, answer.text
    video: dict[str, object] = answer.json()
    return video


def data_url(file: bytes) -> str:
    """Return a file as an address."""
    return f"data:image/png;base64,{base64.b64encode(file).decode()}"


def test_a_video_is_made_and_waited_for(client: openai.OpenAI, server: Server, prompt: str) -> None:
    """With the client's own helper, which asks until it is over."""
    made = client.videos.create_and_poll(prompt=prompt, model="sora-2", poll_interval_ms=100)

    assert (made.status, made.progress, made.seconds, made.size) == ("completed", 100, "8", "1280x720")
    assert (made.prompt, made.model, made.error, made.remixed_from_video_id) == (prompt, "sora-2", None, None)
    assert made.completed_at is not None
    assert made.completed_at >= made.created_at
    assert server.executed(prompt) == 1


def test_a_video_is_a_job_first(http: httpx.Client, server: Server, prompt: str) -> None:
    """The answer comes once the provider took it, and says when to ask again."""
    answer = posted(http, server, prompt=prompt)
    video = answer.json()
    asked = http.get(f"{server.url}/v1/videos/{video['id']}", headers=bearer())

    assert answer.status_code == 200
    assert (video["object"], video["status"], video["url"], video["thumbnail_url"]) == (
        "video",
        "in_progress",
        None,
        None,
    )
    assert len(video) == 16
    for each in (answer, asked):
        assert (each.headers["openai-poll-after-ms"], each.headers["x-video-id"]) == ("1000", video["id"])
    assert server.executed(prompt) == 1


def finished(client: openai.OpenAI, prompt: str, **fields: str) -> Video:
    """Return a video that is done."""
    video = client.videos.create(prompt=prompt, extra_body=fields)
    made = client.videos.poll(video.id, poll_interval_ms=50)
    assert made.status == "completed", made.error
    return made


def test_a_finished_video_has_links_that_need_no_key(client: openai.OpenAI, http: httpx.Client, prompt: str) -> None:
    """They are those of chats."""
    extra = finished(client, prompt).model_extra
    assert extra is not None

    assert read_movie(http.get(extra["url"]).content).moves
    assert opened(http.get(extra["thumbnail_url"]).content).size == (320, 180)


def test_the_content_is_the_video(client: openai.OpenAI, server: Server, http: httpx.Client, prompt: str) -> None:
    """Whole, in part, and not again to who has it already."""
    video = finished(client, prompt)
    whole = client.videos.download_content(video.id).read()
    url = f"{server.url}/v1/videos/{video.id}/content"
    answer = http.get(url, headers=bearer())
    part = http.get(url, headers={**bearer(), "range": "bytes=4-11"})
    beyond = http.get(url, headers={**bearer(), "range": f"bytes={len(whole)}-"})
    again = http.get(url, headers={**bearer(), "if-none-match": answer.headers["etag"]})
    head = http.head(url, headers=bearer())

    assert (read_movie(whole).size, read_movie(whole).moves) == ((320, 180), True)
    assert answer.content == whole
    assert (answer.headers["content-type"], answer.headers["content-length"]) == ("video/mp4", str(len(whole)))
    assert (part.status_code, part.content) == (206, whole[4:12])
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    assert (again.status_code, again.content) == (304, b"")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole)))


def test_a_video_has_a_thumbnail_and_a_sheet_of_its_frames(client: openai.OpenAI, prompt: str) -> None:
    """Made when they are first asked for, and then the same."""
    video = finished(client, prompt)
    pictures = [
        client.videos.download_content(video.id, variant=variant)
        for variant in ("thumbnail", "spritesheet", "thumbnail", "spritesheet")
    ]
    [thumbnail, sheet, *again] = [picture.read() for picture in pictures]

    assert (opened(thumbnail).format, opened(thumbnail).size) == ("WEBP", (320, 180))
    assert (opened(sheet).format, opened(sheet).size) == ("JPEG", (5 * 320, 5 * 180))
    assert [picture.response.headers["content-type"] for picture in pictures[:2]] == ["image/webp", "image/jpeg"]
    assert again == [thumbnail, sheet]


def test_what_is_not_there_yet_is_not_found(client: openai.OpenAI, prompt: str) -> None:
    """In words that say why; a 409 would be repeated by the client."""
    video = client.videos.create(prompt=prompt)
    with pytest.raises(openai.NotFoundError) as early:
        client.videos.download_content(video.id)
    with pytest.raises(openai.BadRequestError, match="video, thumbnail, spritesheet") as wrong:
        client.videos.download_content(video.id, variant="poster")  # type: ignore[arg-type]

    assert (early.value.code, wrong.value.param) == ("video_not_ready", "variant")


def test_a_deleted_video_is_gone_with_its_files(
    client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str
) -> None:
    """And cannot be deleted twice; whoever only has the link loses it too."""
    video = finished(client, prompt)
    client.videos.download_content(video.id, variant="thumbnail")
    deleted = client.videos.delete(video.id)

    assert (deleted.id, deleted.deleted, deleted.object) == (video.id, True, "video.deleted")
    for ask in (client.videos.retrieve, client.videos.download_content, client.videos.delete):
        with pytest.raises(openai.NotFoundError):
            ask(video.id)


def test_a_running_video_can_be_deleted(client: openai.OpenAI, prompt: str) -> None:
    """It is nobody's from then on; the same wish is a new one."""
    video = client.videos.create(prompt=prompt)
    client.videos.delete(video.id)
    other = client.videos.create(prompt=prompt)

    assert other.id != video.id


def test_videos_are_listed_page_by_page(server: Server, connect: Connect, prompt: str) -> None:
    """Newest first or last, by whoever owns them; a page may begin after one that was deleted meanwhile."""
    with connect(server, api_key=SECOND) as client:
        for video in client.videos.list(limit=100):
            client.videos.delete(video.id)
        made = [client.videos.create(prompt=f"{prompt} {number}").id for number in range(3)]
        newest = client.videos.list(limit=2)
        client.videos.delete(made[1])

        assert [video.id for video in client.videos.list(limit=1, order="asc")] == [made[0], made[2]]
        assert [video.id for video in newest.data] == [made[2], made[1]]
        assert (newest.has_more, newest.last_id) == (True, made[1])
        assert [video.id for video in newest.get_next_page().data] == [made[0]]
        assert client.videos.list(limit=0).data == []
        assert not client.videos.list(limit=0).has_more


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"order": "up"}, "order"),
        ({"after": "video_1"}, "after"),
    ],
)
def test_a_page_that_there_is_not_is_a_clear_error(client: openai.OpenAI, query: dict[str, str], param: str) -> None:
    """An `after` that is ignored would make clients turn pages for ever."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.videos.list(extra_query=query)

    assert caught.value.param == param


def test_nobody_sees_the_videos_of_others(server: Server, connect: Connect, client: openai.OpenAI, prompt: str) -> None:
    """They are not found, whatever is asked about them."""
    video = client.videos.create(prompt=prompt)
    with connect(server, api_key=SECOND) as other:
        for ask in (other.videos.retrieve, other.videos.download_content, other.videos.delete):
            with pytest.raises(openai.NotFoundError):
                ask(video.id)
        with pytest.raises(openai.BadRequestError):
            other.videos.list(after=video.id)
        assert video.id not in {each.id for each in other.videos.list()}
    assert client.videos.retrieve(video.id).id == video.id


LANDSCAPE, PORTRAIT = png(160, 90), png(90, 160)


@pytest.mark.parametrize(
    ("give", "key"),
    [
        (lambda: LANDSCAPE, "veo_3_1_i2v_s_fast"),
        (lambda: BytesIO(PORTRAIT), "veo_3_1_i2v_s_fast_portrait"),
        (lambda: ("fox.jpg", jpeg(160, 90), "image/jpeg"), "veo_3_1_i2v_s_fast"),
        (lambda: [PORTRAIT, LANDSCAPE], "veo_3_1_i2v_s_fast_portrait_fl"),
        (lambda: [LANDSCAPE] * 3, "veo_3_0_r2v_fast"),
    ],
)
def test_files_make_the_video(
    client: openai.OpenAI, server: Server, prompt: str, give: Callable[[], bytes], key: str
) -> None:
    """One is the first frame, two are the first and the last, three are references; the first one's shape decides."""
    video = client.videos.create(prompt=prompt, model=MODEL, input_reference=give())

    assert server.models(prompt) == [key]
    assert video.size == ("720x1280" if "portrait" in key else "1280x720")


@pytest.mark.parametrize(
    ("reference", "fields", "key"),
    [
        ({"image_url": data_url(PORTRAIT)}, {}, "veo_3_1_i2v_s_fast_portrait"),
        (data_url(PORTRAIT), {}, "veo_3_1_i2v_s_fast_portrait"),
        ([data_url(PORTRAIT), {"image_url": data_url(LANDSCAPE)}], {}, "veo_3_1_i2v_s_fast_portrait_fl"),
        (data_url(LANDSCAPE), {"roles": ["reference_image"]}, "veo_3_0_r2v_fast"),
        ({"image_url": data_url(LANDSCAPE), "role": "reference_image"}, {}, "veo_3_0_r2v_fast"),
        (None, {"size": "1024x1792", "seconds": 8, "seed": 7}, "veo_3_1_t2v_fast_portrait"),
        (None, {"aspect_ratio": "9:16", "seconds": "8", "size": "auto"}, "veo_3_1_t2v_fast_portrait"),
        (None, {"size": "1920x1080", "model": "sora-2-pro"}, "veo_3_1_t2v_fast"),
    ],
)
def test_json_says_the_same(
    http: httpx.Client, server: Server, prompt: str, reference: object, fields: dict[str, object], key: str
) -> None:
    """As an object, a bare address, or a list of both."""
    answer = posted(http, server, prompt=prompt, input_reference=reference, **fields)

    assert answer.status_code == 200, answer.text
    assert server.models(prompt) == [key]


def test_a_picture_of_ours_and_one_in_a_forms_field_are_taken(
    client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str
) -> None:
    """Without being sent again, and of any length."""
    picture = client.images.generate(
        model="flow-gem-pix", prompt="a fox", response_format="url", extra_body={"size": "9:16"}
    )
    assert picture.data is not None
    ours = picture.data[0].url or ""
    large = data_url(png(160, 90) + bytes(1_500_000))
    first = formed(http, server, {"prompt": prompt, "input_reference[image_url]": ours, "seconds": "8"})
    second = formed(http, server, {"prompt": f"{prompt}!", "input_reference[image_url]": large, "seed": "7"})

    assert (first["size"], second["size"]) == ("720x1280", "1280x720")
    assert server.models(prompt) == ["veo_3_1_i2v_s_fast_portrait"]


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"prompt": None}, "prompt", "required"),
        ({"model": "gemini-2.5-flash-image"}, "model", r"veo-3\.1-fast"),
        ({"model": "veo-3.1-fast", "seconds": "4"}, "seconds", "8 seconds"),
        ({"seconds": "long"}, "seconds", "a number of seconds"),
        ({"durationSeconds": 4, "model": "veo-3.1-fast"}, "durationSeconds", "8 seconds"),
        ({"image": "fox"}, "image", "is not a picture"),
        ({"size": "640x640"}, "size", "has no shape '640x640'. It has: 16:9, 9:16"),
        ({"size": "1280x720", "aspect_ratio": "9:16"}, "size", "nearer to 16:9"),
        ({"size": "large"}, "size", "WIDTHxHEIGHT"),
        ({"seed": 1.5}, "seed", "whole number"),
        ({"input_reference": {"file_id": "file-1"}}, "input_reference", "no file 'file-1'"),
        ({"input_reference": "data:,x"}, "input_reference", "base64"),
        ({"input_reference": 7}, "input_reference", "needs an 'image_url'"),
        ({"input_reference": data_url(b"Example data")}, "input_reference", "not a picture"),
        ({"input_reference": data_url(LANDSCAPE), "roles": ["hero"]}, "roles", "first_frame"),
        ({"roles": ["first_frame"]}, "roles", "1 pictures and 0 came"),
        ({"characters": [{"id": "char_1"}]}, "characters", "characters"),
    ],
)
def test_what_cannot_be_done_is_a_clear_error(
    http: httpx.Client, server: Server, prompt: str, fields: dict[str, object], param: str, words: str
) -> None:
    """Before anything is paid for."""
    answer = posted(http, server, **({"prompt": prompt} | fields))
    error = answer.json()["error"]

    assert (answer.status_code, error["param"]) == (400, param)
    assert re.search(words, error["message"])
    assert server.executed(prompt) == 0


def test_a_refusal_is_an_error_and_a_later_failure_a_video_that_failed(client: openai.OpenAI, prompt: str) -> None:
    """Whoever looks at the latter is told why; the helper that waits ends."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.videos.create(prompt=f"[unsafe] {prompt}")
    failed = client.videos.create_and_poll(prompt=f"[fails] {prompt}", poll_interval_ms=50)
    with pytest.raises(openai.NotFoundError) as nothing:
        client.videos.download_content(failed.id)

    assert caught.value.code == "moderation_blocked"
    assert (failed.status, failed.completed_at) == ("failed", None)
    assert failed.error is not None
    assert (failed.error.code, nothing.value.code) == ("video_generation_failed", "video_failed")


@pytest.mark.parametrize("references", [0, 2])
def test_a_remix_is_the_same_video_with_another_prompt(
    client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str, references: int
) -> None:
    """From the same pictures, which are its own: it needs nothing of the first one once it is begun."""
    given = {"input_reference": [PORTRAIT, LANDSCAPE]} if references else {}
    first = client.videos.create(prompt=prompt, extra_body={"seed": 7, "aspect_ratio": "9:16"}, **given)  # type: ignore[arg-type]
    first = client.videos.poll(first.id, poll_interval_ms=50)
    second = client.videos.remix(first.id, prompt=f"{prompt} at night")
    client.videos.delete(first.id)
    second = client.videos.poll(second.id, poll_interval_ms=50)

    assert (second.status, second.remixed_from_video_id, second.size) == ("completed", first.id, "720x1280")
    assert second.prompt == f"{prompt} at night"
    assert server.models(f"{prompt} at night") == server.models(prompt)


def test_a_remix_of_the_same_words_is_a_video_of_its_own(client: openai.OpenAI, prompt: str) -> None:
    """It is not the first one again, though nobody was given that."""
    first = finished(client, prompt)

    assert client.videos.remix(first.id, prompt=prompt).id != first.id


def test_only_ones_own_finished_videos_are_remixed(
    server: Server, connect: Connect, client: openai.OpenAI, prompt: str
) -> None:
    """Others' are not found, and what is not there yet cannot be varied."""
    video = client.videos.create(prompt=prompt)
    with pytest.raises(openai.BadRequestError) as early:
        client.videos.remix(video.id, prompt="again")
    with connect(server, api_key=SECOND) as other, pytest.raises(openai.NotFoundError):
        other.videos.remix(video.id, prompt="again")
    done = client.videos.poll(video.id, poll_interval_ms=50)
    with pytest.raises(openai.BadRequestError) as empty:
        client.videos.remix(done.id, prompt=" ")

    assert (early.value.code, empty.value.param) == ("video_not_completed", "prompt")


def test_a_remix_may_come_as_a_form(client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str) -> None:
    """As OpenAI's document has it."""
    video = finished(client, prompt)
    url = f"{server.url}/v1/videos/{video.id}/remix"
    answer = http.post(url, files={"prompt": (None, f"{prompt}!")}, headers=bearer(), timeout=30)

    assert answer.json()["remixed_from_video_id"] == video.id


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "characters"), ("GET", "characters/char_1")],
)
def test_what_no_model_here_does_is_said_clearly(http: httpx.Client, server: Server, method: str, path: str) -> None:
    """It is not taken for a video of that name."""
    answer = http.request(method, f"{server.url}/v1/videos/{path}", headers=bearer())

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported")


def test_every_prefix_leads_to_the_videos(http: httpx.Client, server: Server) -> None:
    """Front-ends add one, or leave it out."""
    for prefix in ("", "/v1", "/v1/v1"):
        assert http.get(f"{server.url}{prefix}/videos", headers=bearer()).json()["object"] == "list"


def test_a_video_made_in_a_chat_is_a_video(client: openai.OpenAI, prompt: str) -> None:
    """By the name in the header of the answer."""
    chat = client.chat.completions.with_raw_response.create(model=MODEL, messages=[{"role": "user", "content": prompt}])

    assert client.videos.retrieve(chat.headers["x-video-id"]).prompt == prompt


def test_only_a_video_that_went_out_whole_counts_as_handed_over(
    client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str
) -> None:
    """A chat that was closed gets its video as long as no client has it, and a new one from then on."""

    def again(words: str) -> str:
        body = {"model": MODEL, "messages": [{"role": "user", "content": words}], "stream": True}
        with http.stream("POST", f"{server.url}/v1/chat/completions", json=body, headers=bearer(), timeout=60) as chat:
            return chat.headers["x-video-id"]

    looked_at, taken, skimmed = (again(f"{prompt} {number}") for number in range(3))
    for name in (looked_at, taken, skimmed):
        client.videos.poll(name, poll_interval_ms=100)
    url = f"{server.url}/v1/videos/{{}}/content"
    http.head(url.format(looked_at), headers=bearer())
    http.get(url.format(looked_at), headers={**bearer(), "range": "bytes=1-"})
    http.get(url.format(looked_at), headers=bearer(), params={"variant": "thumbnail"})
    http.get(url.format(taken), headers=bearer())
    http.get(url.format(skimmed), headers={**bearer(), "range": "bytes=0-"})

    assert again(f"{prompt} 0") == looked_at
    assert again(f"{prompt} 1") != taken
    assert again(f"{prompt} 2") != skimmed
