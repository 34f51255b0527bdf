"""Our words into OpenAI's, struct in and JSON out."""

from datetime import UTC, datetime

import msgspec
import pytest

from adapter.domain.job import Intended, JobState, Operation, Progressed, StoredVideo, Submitted, VideoJob, advance
from adapter.domain.markup import Markup
from adapter.domain.media_links import MediaLinks
from adapter.errors import (
    AdapterError,
    InvalidRequest,
    OwnFault,
    SecretUnreadable,
    StorageBusy,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamQuota,
)
from adapter.openai_api.wire.chat import ChatUsage
from adapter.openai_api.wire.models import ModelObject
from adapter.openai_api.write import chat
from adapter.openai_api.write.errors import error_body, error_headers
from adapter.openai_api.write.images import Heading, images_response, in_pieces
from adapter.openai_api.write.models import model_list
from tests.fakes import made_image, video_job
from tests.support import catalogue

ANSWER = chat.ChatHeading(id="chatcmpl-1", created=7, model="veo-3.1-fast")


def plain(body: msgspec.Struct) -> object:
    """Return what a client would parse."""
    return msgspec.json.decode(msgspec.json.encode(body))


def test_pictures_as_base64_carry_no_url_key() -> None:
    """Absent keys are left out: the specification does not allow null here."""
    image = made_image(20, 10)
    body = plain(images_response([image, image], None, Heading(created=7)))

    picture = msgspec.json.decode(image.base64)
    assert body == {
        "created": 7,
        "data": [{"b64_json": picture}, {"b64_json": picture}],
        "size": "20x10",
        "quality": "low",
        "output_format": "png",
        "background": "opaque",
    }


def test_pictures_in_pieces_are_the_same_answer_and_not_copied() -> None:
    """Joined they are what the encoder would have written."""
    images = [made_image(20, 10), made_image(20, 10)]
    heading = Heading(created=7, safety_identifier='picture" \0')
    pieces = in_pieces(images, heading)

    assert b"".join(pieces) == msgspec.json.encode(images_response(images, None, heading))
    assert [bytes(piece) for piece in pieces if isinstance(piece, memoryview)] == [
        bytes(image.base64) for image in images
    ]


def test_pictures_as_links_carry_no_base64() -> None:
    """Never both."""
    body = images_response([made_image()], ["http://here/media/a.png"], Heading(created=7))

    assert msgspec.to_builtins(body)["data"] == [{"url": "http://here/media/a.png"}]


def test_the_chunks_of_a_stream_share_one_id_and_have_one_choice_each() -> None:
    """Front-ends fail on a second id or an empty choice list (`frontends.md` R4)."""
    chunks = [
        chat.role_chunk(ANSWER),
        chat.progress_chunk(ANSWER, "working"),
        chat.content_chunk(ANSWER, "done"),
        *chat.last_chunks(ANSWER, ChatUsage()),
    ]
    bodies = [msgspec.to_builtins(chunk) for chunk in chunks]

    assert {(body["id"], body["created"], body["model"]) for body in bodies} == {("chatcmpl-1", 7, "veo-3.1-fast")}
    assert [body["choices"][0]["delta"] for body in bodies] == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "working\n"},
        {"content": "done"},
        {},
    ]
    assert [body["choices"][0]["finish_reason"] for body in bodies] == [None, None, None, "stop"]
    assert not any("usage" in body for body in bodies)


def test_usage_comes_only_when_it_was_asked_for() -> None:
    """Null in every chunk, then one chunk with numbers and without choices."""
    asked = msgspec.structs.replace(ANSWER, usage=True)
    end = [msgspec.to_builtins(chunk) for chunk in chat.last_chunks(asked, ChatUsage())]

    assert msgspec.to_builtins(chat.role_chunk(asked))["usage"] is None
    assert (end[0]["usage"], end[1]["choices"], end[1]["usage"]["total_tokens"]) == (None, (), 0)


def test_a_whole_answer_says_the_same_as_a_stream() -> None:
    """The keys that the specification requires are there, null where nothing is to be said."""
    body = msgspec.to_builtins(chat.completion(ANSWER, chat.ChatContent(content="done")))

    assert body["choices"] == (
        {
            "message": {"content": "done", "role": "assistant", "refusal": None},
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
        },
    )


def job_at(progress: int) -> VideoJob:
    """Return a job that was submitted at second 1000."""
    job = advance(advance(video_job(), Intended("first")), Submitted(Operation("op", "mark"), at=1000.0))
    return advance(job, Progressed(progress))


def test_progress_tells_the_percentage_the_time_and_what_is_left() -> None:
    """One short line that reads well."""
    assert chat.progress_line(job_at(36), 1040.4) == "Making the video: 36 %, 40 s so far, about 59 s left."
    assert chat.progress_line(job_at(93), 1125.0) == "Making the video: 93 %, 2 min 05 s so far, any moment now."


VIDEO = StoredVideo(video="a.mp4", poster="a.jpg", size=1, sha256="00")


def test_a_video_is_shown_as_a_poster_that_opens_it_and_a_link_that_saves_it() -> None:
    """Exactly one address ends in .mp4: NextChat makes a player of each such link."""
    shown = chat.video_shown(VIDEO, MediaLinks(public_url="https://here"), Markup.MARKDOWN)

    assert shown == (
        "[![Video preview](https://here/media/a.jpg)](https://here/media/a.mp4)\n\n"
        "[Download video](https://here/media/a.mp4?download=1)"
    )
    assert shown.count(".mp4)") == 1
    without = msgspec.structs.replace(VIDEO, poster=None)
    assert chat.video_shown(without, MediaLinks(public_url="https://here"), Markup.MARKDOWN) == (
        "[Open video](https://here/media/a.mp4)\n\n[Download video](https://here/media/a.mp4?download=1)"
    )


def test_a_video_is_shown_as_a_player_and_link() -> None:
    """The two-line block and the block inside of another, to the letter: each program reads it with a pattern."""
    assert chat.video_shown(VIDEO, MediaLinks(public_url="https://here"), Markup.HTML) == (
        '<video src="https://here/media/a.mp4" controls="controls" width="100%">\nhttps://here/media/a.mp4\n</video>\n\n'
        "[Download video](https://here/media/a.mp4?download=1)"
    )
    assert chat.video_shown(VIDEO, MediaLinks(public_url="https://here"), Markup.DIV) == (
        '<div><video src="https://here/media/a.mp4" controls="controls" width="100%"></video></div>\n\n'
        "[Download video](https://here/media/a.mp4?download=1)"
    )


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (JobState.ACCEPTED, "Sending the prompt to the video model: 1 min 10 s so far."),
        (JobState.SUBMITTING, "Sending the prompt to the video model: 1 min 10 s so far."),
        (JobState.READY, "The video is made; fetching it, 1 min 10 s so far."),
        (JobState.FAILED, "The video could not be made."),
    ],
)
def test_every_state_has_a_line_that_tells_how_long_it_takes(state: JobState, line: str) -> None:
    """Where it can take long."""
    job = msgspec.structs.replace(video_job(), state=state)

    assert chat.progress_line(job, 1070.0) == line


def test_an_error_has_all_four_keys() -> None:
    """Both SDKs read them from the inner object."""
    assert plain(error_body(InvalidRequest("no", param="size"))) == {
        "error": {"message": "no", "type": "invalid_request_error", "param": "size", "code": "invalid_value"}
    }


def test_what_somebody_sent_is_not_repeated_at_any_length() -> None:
    """Of a megabyte that is no model the client gets the beginning, and the end, which says what is allowed."""
    fault = InvalidRequest(f"The model '{'x' * 1_000_000}' does not exist here. Available: a, b.", param="y" * 9000)

    assert fault.message.startswith("The model 'xxx")
    assert fault.message.endswith("xxx' does not exist here. Available: a, b.")
    assert (len(fault.message), len(str(fault)), len(fault.param or "")) == (1503, 1503, 128)


@pytest.mark.parametrize(
    ("fault", "headers"),
    [
        (InvalidRequest("no"), {"x-should-retry": "false"}),
        (UpstreamBroken("?"), {"x-should-retry": "false"}),
        (UpstreamBusy("wait", retry_after=34.4), {"x-should-retry": "true", "retry-after": "35"}),
        (StorageBusy("wait", retry_after=2.5), {"x-should-retry": "true", "retry-after": "3"}),
        (UpstreamBusy("wait", retry_after=3600), {"x-should-retry": "true", "retry-after": "60"}),
        (UpstreamBusy("wait"), {"x-should-retry": "true", "retry-after": "10"}),
        (UpstreamQuota("empty"), {"x-should-retry": "false"}),
        (OwnFault("a mistake, perhaps in the conversion"), {"x-should-retry": "false"}),
        (SecretUnreadable("nothing was sent"), {"x-should-retry": "true"}),
        (AdapterError("?"), {}),
    ],
)
def test_the_headers_steer_the_sdk(fault: AdapterError, headers: dict[str, str]) -> None:
    """Free retries are invited, paid ones forbidden, and no wait is longer than both SDKs obey."""
    assert error_headers(fault) == headers


def test_the_model_list_says_what_comes_out_of_each_model() -> None:
    """Front-ends tell pictures from videos by it."""
    listed: dict[str, ModelObject] = {model.id: model for model in model_list(catalogue().models, 1000.0).data}

    assert listed["flow-gem-pix"].architecture.input_modalities == ("text", "image")
    assert listed["flow-gem-pix"].architecture.output_modalities == ("image",)
    assert listed["veo-3.1-fast-portrait"].architecture.output_modalities == ("video",)
    assert listed["gemini-2.5-flash-image"].created == 1759363200


def test_the_model_list_says_what_may_be_asked_for() -> None:
    """Shapes, resolutions and lengths, for each kind of input of a video; nothing of a text model."""
    listed = {model.id: msgspec.to_builtins(model) for model in model_list(catalogue().models, 1000.0).data}
    picture, omni = listed["gemini-nano-banana-2.1"]["options"], listed["gemini-omni-1.2-flash"]["options"]
    frames = next(mode for mode in omni["modes"] if mode["input"] == "frames")

    assert (picture["resolutions"], picture["resolution"], picture["images"]) == (("1K", "2K", "4K"), "1K", 14)
    assert picture["thinking"] == ("minimal", "medium", "high")
    assert listed["flow-gem-pix"]["options"]["aspect_ratios"] == ("16:9", "9:16", "1:1")
    assert (omni["resolution"], omni["seconds"], omni["images"], omni["upscales"]) == ("720p", 8, 6, ())
    assert (frames["aspect_ratios"], frames["seconds"]) == (("16:9", "9:16"), tuple(range(3, 11)))
    assert listed["veo-3.1-fast"]["options"]["upscales"] == ("1080p", "4k")
    assert listed["veo-3.1-lite"]["options"]["images"] == 2


def test_the_model_list_has_the_prices_of_the_day() -> None:
    """Where they are known: an absent key is an unknown price."""
    today = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
    told = {model.id: msgspec.to_builtins(model) for model in model_list(catalogue().models, today).data}

    assert told["gemini-nano-banana-2.1"]["prices"] == (
        {"per": "picture", "of": "1K", "amount": 0.0336, "currency": "USD"},
        {"per": "search", "amount": 0.014, "currency": "USD"},
    )
    assert told["veo-3.1-fast-portrait"]["prices"] == (
        {"per": "clip", "amount": 20.0, "currency": "credits"},
        {"per": "upscale", "of": "1080p", "amount": 0.0, "currency": "credits"},
        {"per": "upscale", "of": "4k", "amount": 50.0, "currency": "credits"},
    )
    assert "prices" not in told["flow-gem-pix"]
