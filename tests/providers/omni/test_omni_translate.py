"""Orders into interactions and back, against the exchanges of `omni.md`."""

import msgspec
import pytest

from adapter.domain.job import VideoJob
from adapter.domain.media import Pixels, Ratio, RemoteVideo
from adapter.domain.orders import StoredInput, VideoInput, VideoSource
from adapter.domain.ports import Empty, Finished, Refused, Working
from adapter.domain.usage import VideoTokens
from adapter.errors import (
    AdapterError,
    ContentRefused,
    InvalidRequest,
    UnknownModel,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamForgot,
    UpstreamQuota,
    UpstreamRejected,
)
from adapter.providers.omni import translate
from adapter.providers.omni.faults import fault
from adapter.providers.reply import Reply
from tests.fakes import video_job, video_order
from tests.support import GOLDEN

ADDRESS = "https://generativelanguage.googleapis.com/v1beta/files/abc123"
WAVES = "waves roll in, one continuous shot"


def golden(name: str) -> bytes:
    """Return a body of the reference."""
    return (GOLDEN / "omni" / f"{name}.json").read_bytes()


def order_of(kind: VideoInput, pictures: int = 0, prompt: str = WAVES) -> VideoJob:
    """Return a job of the model."""
    order = msgspec.structs.replace(
        video_order(prompt),
        upstream="gemini-omni-1.2-flash",
        ratio=Ratio.LANDSCAPE,
        size=Pixels(1280, 720),
        resolution="720p",
        seconds=8,
        input=kind,
        pictures=tuple(StoredInput(f"{number}.png", "") for number in range(pictures)),
    )
    return video_job(order=order)


def work_on(operation: str, kind: VideoInput) -> VideoJob:
    """Return a job that works on an earlier video, or on a file."""
    job = order_of(kind, prompt="make it night")
    source = VideoSource(operation, "ada") if operation else None
    video = None if operation else StoredInput("0.mp4", "")
    return msgspec.structs.replace(job, order=msgspec.structs.replace(job.order, source=source, video=video))


def sent(job: VideoJob, *, send_seed: bool = False) -> dict[str, object]:
    """Return what goes over the wire for a job."""
    uploads = [ADDRESS] * (len(job.order.pictures) + (job.order.video is not None))
    body = msgspec.json.encode(translate.request(job, uploads, send_seed=send_seed))
    return msgspec.json.decode(body, type=dict[str, object])


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("text.request", order_of(VideoInput.TEXT)),
        ("first_frame.request", order_of(VideoInput.FRAME, 1)),
        ("two_frames.request", order_of(VideoInput.FRAMES, 2)),
        ("six_references.request", order_of(VideoInput.REFERENCES, 6)),
        ("edit.request", work_on("v1_ChdO", VideoInput.EDIT)),
        ("edit_of_a_file.request", work_on("", VideoInput.EDIT)),
        ("extend.request", work_on("v1_ChdO", VideoInput.EXTEND)),
    ],
)
def test_an_order_is_the_references_request(name: str, job: VideoJob) -> None:
    """Field for field; a seed is sent only where the operator says so."""
    assert sent(job) == msgspec.json.decode(golden(name))
    assert sent(job, send_seed=True)["generation_config"] != sent(job)["generation_config"]


@pytest.mark.parametrize("kind", [VideoInput.EDIT, VideoInput.EXTEND])
def test_work_on_a_video_names_the_work_that_made_it(kind: VideoInput) -> None:
    """Its prompt is sent as it is."""
    job = order_of(kind, prompt="at night")
    order = msgspec.structs.replace(job.order, source=VideoSource("v1_before", "ada"))
    body = sent(msgspec.structs.replace(job, order=order))

    assert body["previous_interaction_id"] == "v1_before"
    assert body["generation_config"] == {"video_config": {"task": kind}}
    assert body["input"] == [{"type": "text", "text": "at night"}]


@pytest.mark.parametrize(
    ("kind", "pictures", "prompt", "words"),
    [
        (VideoInput.FRAMES, 2, "waves", "<FIRST_FRAME> <LAST_FRAME> waves"),
        (VideoInput.REFERENCES, 2, "waves", "[# References <IMAGE_REF_0>@Image1 <IMAGE_REF_1>@Image2] waves"),
        (VideoInput.REFERENCES, 1, "a cat as in <IMAGE_REF_0>", "a cat as in <IMAGE_REF_0>"),
        (VideoInput.FRAME, 1, "from <FIRST_FRAME> on", "from <FIRST_FRAME> on"),
    ],
)
def test_a_prompt_says_what_the_pictures_are(kind: VideoInput, pictures: int, prompt: str, words: str) -> None:
    """Unless its writer has said so."""
    assert translate.prompt(prompt, kind, pictures) == words


def test_a_submission_is_known_by_its_id() -> None:
    """`steps` may be missing."""
    assert translate.submitted(Reply(200, golden("submit.response")), "mark").name == "v1_ChdO"
    with pytest.raises(UpstreamBroken):
        translate.submitted(Reply(200, b'{"status": "in_progress"}'), "mark")


def test_the_video_of_the_last_output_counts() -> None:
    """An earlier step holds an input; the file is named by its id, whatever the address says."""
    assert translate.report(Reply(200, golden("completed.response"))) == Finished(
        RemoteVideo(name="abc123"), None, VideoTokens(12, 46_336, 46_336)
    )


@pytest.mark.parametrize(
    ("body", "report"),
    [
        (golden("submit.response"), Working),
        (b'{"status": "queued"}', Working),
        (b'{"status": "completed", "steps": []}', Empty),
        (b'{"status": "completed", "steps": "odd", "usage": 3}', Empty),
        (b'{"status": "a word that comes next year"}', type(None)),
        (b'{"status": "cancelled"}', Refused),
        (b'{"status": "budget_exceeded"}', Refused),
    ],
)
def test_a_job_stands_as_its_status_says(body: bytes, report: type) -> None:
    """An unknown word tells nothing."""
    assert isinstance(translate.report(Reply(200, body)), report)


@pytest.mark.parametrize(("data", "film"), [(b"AP/+", b"\0\xff\xfe"), (b"AP\\/+", b"\0\xff\xfe")])
def test_a_small_video_may_come_inline(data: bytes, film: bytes) -> None:
    """Though it was not asked for so. JSON may escape a slash."""
    body = b'{"status": "completed", "steps": [{"type": "model_output", "content": [{"type": "video", "data": "%s"}]}]}'

    assert translate.report(Reply(200, body % data)) == Finished(RemoteVideo(), film)


@pytest.mark.parametrize("data", [b"3", b"null", b'"A"', b'"A*=="', b'"\xff"', b"{}", b'""'])
def test_what_is_no_video_is_none(data: bytes) -> None:
    """The job is asked about again."""
    body = b'{"status": "completed", "steps": [{"type": "model_output", "content": [{"type": "video", "data": %s}]}]}'

    assert translate.report(Reply(200, body % data)) == Empty()


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (b'{"total_output_tokens": 7}', VideoTokens(0, 7, 0)),
        (
            b'{"total_output_tokens": 7, "output_tokens_by_modality": [{"modality": "VIDEO", "tokens": 5}, 3]}',
            VideoTokens(0, 7, 5),
        ),
        (b'{"total_output_tokens": "many"}', None),
        (b'{"total_output_tokens": -1}', None),
        (b"[]", None),
    ],
)
def test_odd_counts_of_tokens_hide_no_video(usage: bytes, tokens: VideoTokens | None) -> None:
    """They are left out."""
    steps = b'[{"type": "model_output", "content": [{"type": "video", "uri": "x/files/f1"}]}]'
    body = b'{"status": "completed", "steps": %s, "usage": %s}' % (steps, usage)

    assert translate.report(Reply(200, body)) == Finished(RemoteVideo(name="f1"), None, tokens)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"status": "failed", "errors": [{"code": "safety", "message": "No."}]}', "moderation_blocked"),
        (b'{"status": "failed", "errors": [{"code": "no_image", "message": "No."}]}', "video_generation_failed"),
        (b'{"status": "failed"}', "video_generation_failed"),
        (
            b'{"status": "completed", "steps": [{"type": "model_output", "error": {"code": "image_safety"}}]}',
            "moderation_blocked",
        ),
        (golden("empty.response"), "no_media_generated"),
        (golden("blocked.response"), "moderation_blocked"),
    ],
)
def test_a_failed_job_says_why(body: bytes, code: str) -> None:
    """Also where Google calls it completed."""
    report = translate.report(Reply(200, body))

    assert isinstance(report, Refused)
    assert report.failure.code == code


def test_a_completed_job_whose_file_is_not_ready_is_at_work() -> None:
    """Its download would fail."""
    made = Finished(RemoteVideo(name="abc123"))
    file = translate.file(Reply(200, golden("file.response")))

    assert translate.report_of_file(file, made) == Working()
    assert translate.report_of_file(msgspec.structs.replace(file, state="ACTIVE"), made) == made
    assert isinstance(translate.report_of_file(msgspec.structs.replace(file, state="FAILED"), made), Refused)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_request", InvalidRequest),
        (400, "parameter_unknown", InvalidRequest),
        (400, "failed_precondition", InvalidRequest),
        (416, "out_of_range", InvalidRequest),
        (401, "authentication", UpstreamCredential),
        (403, "permission_denied", UpstreamCredential),
        (402, "payment_required", UpstreamQuota),
        (404, "model_not_found", UnknownModel),
        (404, "not_found", UpstreamForgot),
        (409, "aborted", UpstreamBusy),
        (429, "rate_limit_exceeded", UpstreamBusy),
        (429, "quota_exceeded", UpstreamQuota),
        (501, "unimplemented", UpstreamRejected),
        (503, "service_unavailable", UpstreamBusy),
        (400, "safety", ContentRefused),
        (403, "prohibited_content", ContentRefused),
        (400, "a_new_word", InvalidRequest),
        (429, "a_new_word", UpstreamBusy),
        (499, "cancelled", UpstreamBroken),
        (500, "api_error", UpstreamBroken),
        (504, "deadline_exceeded", UpstreamBroken),
        (500, "invalid_request", UpstreamBroken),
    ],
)
def test_a_word_is_one_of_our_errors(status: int, code: str, kind: type[AdapterError]) -> None:
    """A word that says that nothing was executed needs a status that says so, too."""
    body = msgspec.json.encode({"error": {"code": code, "message": "Google's words."}})

    assert type(fault(Reply(status, body))) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}', InvalidRequest),
        (429, b'{"error": {"code": 429, "message": "later", "status": "RESOURCE_EXHAUSTED"}}', UpstreamBusy),
        (
            403,
            b'{"error": {"code": 403, "message": "No permission to access the File x or it may not exist."}}',
            UpstreamForgot,
        ),
        (503, b"<html>503</html>", UpstreamBroken),
        (200, b"<html>", UpstreamBroken),
    ],
)
def test_the_numeric_form_is_read_as_well(status: int, body: bytes, kind: type[AdapterError]) -> None:
    """Google Cloud may answer in it; a page tells nothing."""
    assert type(fault(Reply(status, body))) is kind


class Refusal(msgspec.Struct):
    """A refusal of the reference, and what it is here."""

    status: int
    body: msgspec.Raw
    fault: str


@pytest.mark.parametrize("refusal", msgspec.json.decode(golden("refusals"), type=list[Refusal]))
def test_a_refusal_of_the_reference_is_one_of_our_errors(refusal: Refusal) -> None:
    """In both forms of its body."""
    assert type(fault(Reply(refusal.status, bytes(refusal.body)))).__name__ == refusal.fault
