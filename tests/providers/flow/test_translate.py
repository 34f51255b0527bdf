"""Orders into Flow's JSON and its answers into our words, against the seeds' own exchanges."""

from collections.abc import Callable

import msgspec
import pybase64
import pytest

from adapter.credentials import FixedSecret
from adapter.domain.job import Operation
from adapter.domain.media import Frame, Image, Pixels, Ratio, RemoteVideo, image_from_bytes
from adapter.domain.orders import MAX_SEED, ImageOrder, VideoInput
from adapter.domain.ports import Empty, Finished, Refused, Working
from adapter.errors import (
    AccountRefused,
    AdapterError,
    ContentRefused,
    InvalidRequest,
    NoMedia,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamForgot,
    UpstreamQuota,
)
from adapter.providers.flow import translate, videos
from adapter.providers.flow.accounts import Account
from adapter.providers.reply import Reply
from tests.fakes import jpeg, png, video_job, video_order
from tests.support import GOLDEN

OPERATION = "f1c22d03926da6fde596fbf0859404b7"
SCENE = "b35919a4-3a87-4d9e-8843-f292b7df4723"
ACCOUNT = Account(name="main", token=FixedSecret("t"), project_id="02ac868b", tier="PAYGATE_TIER_ONE")


def seed_body(name: str) -> bytes:
    """Return a body of the seeds."""
    return (GOLDEN / "seeds" / f"{name}.json").read_bytes()


def as_json(body: msgspec.Struct) -> object:
    """Return what goes over the wire."""
    return msgspec.json.decode(msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("name", "ratio", "key", "prompt"),
    [
        ("flow.video.text.portrait.request", Ratio.PORTRAIT, "veo_3_1_t2v_fast_portrait", "一个美女跳舞"),
        ("flow.video.text.landscape.request", Ratio.LANDSCAPE, "veo_3_1_t2v_fast", "一个美女在吃饭"),
    ],
)
def test_a_video_order_is_the_seeds_request(name: str, ratio: Ratio, key: str, prompt: str) -> None:
    """Field for field what seed 002 section 3.1 shows."""
    golden = msgspec.json.decode(seed_body(name))
    asked = golden["requests"][0]
    order = msgspec.structs.replace(video_order(prompt), ratio=ratio, upstream=key)
    job = msgspec.structs.replace(video_job(order=order), mark=asked["metadata"]["sceneId"], seed=asked["seed"])
    context = golden["clientContext"]
    account = Account(
        name="main", token=FixedSecret("t"), project_id=context["projectId"], tier=context["userPaygateTier"]
    )

    assert as_json(videos.video_request(job, (), account, context["sessionId"])) == golden


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("flow.video.start_end.request", VideoInput.FRAMES, "StartAndEndImage"),
        ("flow.video.references.request", VideoInput.REFERENCES, "ReferenceImages"),
    ],
)
def test_a_video_from_pictures_is_the_seeds_request(name: str, kind: VideoInput, path: str) -> None:
    """Seed 002 section 3.3 and seed 004, field for field and at their addresses."""
    golden = msgspec.json.decode(seed_body(name))
    asked, context = golden["requests"][0], golden["clientContext"]
    frames = [asked[end]["mediaId"] for end in ("startImage", "endImage") if end in asked]
    pictures = frames or [given["mediaId"] for given in asked["referenceImages"]]
    order = msgspec.structs.replace(
        video_order(asked["textInput"]["prompt"]),
        ratio=Ratio.PORTRAIT if "PORTRAIT" in asked["aspectRatio"] else Ratio.LANDSCAPE,
        upstream=asked["videoModelKey"],
        input=kind,
    )
    job = msgspec.structs.replace(video_job(order=order), mark=asked["metadata"]["sceneId"], seed=asked["seed"])
    account = Account(
        name="main", token=FixedSecret("t"), project_id=context["projectId"], tier=context["userPaygateTier"]
    )

    assert as_json(videos.video_request(job, pictures, account, context["sessionId"])) == golden
    assert videos.video_path(job) == f"/v1/video:batchAsyncGenerateVideo{path}"


def test_a_video_from_its_first_frame_has_no_last_one() -> None:
    """`flow.md` section 2: an address of its own, and the one picture."""
    order = msgspec.structs.replace(video_order(), input=VideoInput.FRAME)
    account = Account(name="main", token=FixedSecret("t"), project_id="p", tier="t")
    body = as_json(videos.video_request(video_job(order=order), ["one"], account, ";1"))
    [asked] = body["requests"]  # type: ignore[index]

    assert asked["startImage"] == {"mediaId": "one"}
    assert not {"endImage", "referenceImages"} & asked.keys()
    assert videos.video_path(video_job(order=order)).endswith("VideoStartImage")


def test_a_picture_order_is_the_seeds_request() -> None:
    """Seed 002 section 2.1, with its empty `imageInputs`."""
    order = ImageOrder(
        model="flow-gem-pix", provider="flow", upstream="GEM_PIX", prompt="一个美女", n=1, frame=Frame(Ratio.LANDSCAPE)
    )

    assert as_json(
        translate.images_request(order, Ratio.LANDSCAPE, (), [620172], ";1762958374159")
    ) == msgspec.json.decode(seed_body("flow.images.text.request"))


def test_an_order_with_pictures_is_the_seeds_request() -> None:
    """Seed 002 section 2.2: each picture of the batch works from all of them."""
    golden = msgspec.json.decode(seed_body("flow.images.reference.request"))
    [one] = golden["requests"]
    names = [given["name"] for given in one["imageInputs"]]
    order = ImageOrder(
        model="flow-gem-pix", provider="flow", upstream="GEM_PIX", prompt=one["prompt"], n=1, frame=Frame()
    )
    session = one["clientContext"]["sessionId"]

    assert as_json(translate.images_request(order, Ratio.LANDSCAPE, names, [one["seed"]], session)) == golden


def test_an_upload_is_the_seeds_request() -> None:
    """Seed 002 section 1: the type that the bytes have, and the nearest of Flow's shapes."""
    golden = msgspec.json.decode(seed_body("flow.upload.request"))
    picture = image_from_bytes(jpeg(768, 1364))
    assert picture is not None
    golden["imageInput"]["rawImageBytes"] = pybase64.b64encode(jpeg(768, 1364)).decode()

    assert as_json(translate.upload_request(picture, golden["clientContext"]["sessionId"])) == golden


def test_an_uploads_name_is_read() -> None:
    """The long one that later requests repeat."""
    body = seed_body("flow.upload.response")

    assert translate.uploaded(Reply(200, body)) == msgspec.json.decode(body)["mediaGenerationId"]["mediaGenerationId"]


def test_a_status_question_is_the_seeds_request() -> None:
    """Seed 002 section 3.2: name, scene and status of each operation."""
    assert as_json(videos.status_request([Operation(OPERATION, SCENE)], ACCOUNT)) == msgspec.json.decode(
        seed_body("flow.status.request")
    )


def test_a_session_is_named_as_flows_pages_do() -> None:
    """A semicolon and milliseconds."""
    assert translate.session_id(1762958374.159) == ";1762958374159"


def test_each_picture_has_a_seed_of_its_own() -> None:
    """Distinct, counting up, and around at the end of the field."""
    assert translate.seeds(MAX_SEED - 1, 4) == [MAX_SEED - 1, MAX_SEED, 0, 1]


def test_pictures_are_read_from_the_bare_list_and_from_the_object() -> None:
    """The seed shows a list; `flow.md` reports an object around it. The base64 stays as it came."""
    data = pybase64.b64encode(png(30, 20))
    item = b'{"name": "n", "image": {"generatedImage": {"encodedImage": "' + data + b'", "seed": 7}}}'

    for body in (b"[" + item + b"," + item + b"]", b'{"media": [' + item + b"," + item + b"]}"):
        images = translate.images(Reply(200, body), 2)
        assert all(isinstance(image, Image) and image.pixels == Pixels(30, 20) for image in images)
        assert isinstance(images[0], Image)
        assert bytes(images[0].base64) == b'"' + data + b'"'


def test_a_picture_that_is_not_whole_is_broken_unless_there_is_a_link() -> None:
    """The link may lead to the whole one."""
    made: dict[str, str] = {"encodedImage": pybase64.b64encode(png(30, 20)[:-1]).decode()}
    with pytest.raises(UpstreamBroken, match="cut or broken"):
        translate.images(Reply(200, msgspec.json.encode([{"image": {"generatedImage": made}}])), 1)
    made["fifeUrl"] = "https://storage.example/a"
    linked = translate.images(Reply(200, msgspec.json.encode([{"image": {"generatedImage": made}}])), 1)

    assert linked == ["https://storage.example/a"]


def test_a_picture_that_comes_only_as_a_link_is_a_link() -> None:
    """The newer form has no base64 that could be relied on."""
    body = b'{"media": [{"image": {"generatedImage": {"fifeUrl": "https://storage.example/a"}}}]}'

    assert translate.images(Reply(200, body), 1) == ["https://storage.example/a"]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"image": {"generatedImage": {}}}]',
        b'[{"image": {"generatedImage": {"encodedImage": "aGVsbG8="}}}]',
        b'[{"image": null}]',
        b'{"media": [], "\xff": 1}',
        b"{}",
        b'{"error": {"code": 503}}',
        b"[",
        b"<html>",
        b"",
    ],
)
def test_anything_but_the_pictures_that_were_ordered_is_broken(body: bytes) -> None:
    """Empty, text instead of a picture, rubbish."""
    with pytest.raises(UpstreamBroken):
        translate.images(Reply(200, body), 1)


def test_no_pictures_at_all_are_the_models_failure() -> None:
    """It may be asked once more."""
    for body in (b"[]", b'{"media": []}'):
        with pytest.raises(NoMedia):
            translate.images(Reply(200, body), 1)


def test_a_submission_is_named_by_its_operation() -> None:
    """Seed 002 section 3.1, the answer."""
    reply = Reply(200, seed_body("flow.video.submit.response"))

    assert videos.submitted(reply, SCENE) == Operation(OPERATION, SCENE)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"operations": []}', b'{"operations": [{"operation": {"name": ""}}]}', b"ok"]
)
def test_an_acceptance_without_one_name_is_ambiguous(body: bytes) -> None:
    """The money may be gone, so it is called broken and never refused."""
    with pytest.raises(UpstreamBroken):
        videos.submitted(Reply(200, body), SCENE)


def test_a_running_job_is_read_from_the_bare_list() -> None:
    """Seed 002 section 3.2, "生成中"."""
    assert videos.reports(Reply(200, seed_body("flow.status.running.response"))) == {OPERATION: Working()}


def finished(flatten: Callable[[dict[str, object]], None]) -> Reply:
    """Return the seed's finished answer, changed."""
    golden = msgspec.json.decode(seed_body("flow.status.finished.response"))
    flatten(golden["operations"][0])
    return Reply(200, msgspec.json.encode(golden))


def test_a_finished_job_is_read_with_metadata_nested_or_flat() -> None:
    """The seed's own warning: `metadata` stands under `operation` or beside it."""

    def flat(state: dict[str, object]) -> None:
        operation = state["operation"]
        assert isinstance(operation, dict)
        state["metadata"] = operation.pop("metadata")

    nested = videos.reports(finished(lambda _: None))

    assert videos.reports(finished(flat)) == nested
    assert nested == {
        OPERATION: Finished(
            RemoteVideo(
                "https://storage.googleapis.com/ai-sandbox-videofx/video/e998b1f2-fd49-4dbf-be26-ab243c042398?GoogleAccessId=...",
                "https://storage.googleapis.com/ai-sandbox-videofx/image/e998b1f2-fd49-4dbf-be26-ab243c042398?GoogleAccessId=...",
                msgspec.json.decode(seed_body("flow.status.finished.response"))["operations"][0]["mediaGenerationId"],
            )
        )
    }


@pytest.mark.parametrize("name", [None, 7, "", "with spaces", {}])
def test_an_odd_name_hides_no_finished_video(name: object) -> None:
    """It is needed for an upscale only."""

    def rename(state: dict[str, object]) -> None:
        operation = state["operation"]
        assert isinstance(operation, dict)
        operation["metadata"]["video"]["mediaGenerationId"] = name

    found = videos.reports(finished(rename))[OPERATION]
    assert isinstance(found, Finished)
    assert (found.video.name, found.video.url[:8]) == ("", "https://")


@pytest.mark.parametrize("metadata", [b"", b', "metadata": {"video": {}}', b', "metadata": {}'])
def test_a_success_without_a_link_is_told_as_such(metadata: bytes) -> None:
    """The link may come later; a job that never gets one must not be asked about for an hour."""
    state = b'[{"operation": {"name": "op"' + metadata + b'}, "status": "MEDIA_GENERATION_STATUS_SUCCESSFUL"}]'
    assert videos.reports(Reply(200, state)) == {"op": Empty()}


@pytest.mark.parametrize(
    ("body", "worth"),
    [
        (b'{"credits": 680, "userPaygateTier": "PAYGATE_TIER_ONE"}', (680, "PAYGATE_TIER_ONE")),
        (b'{"credits": 680, "userPaygateTier": 7}', (680, "")),
        (b'{"credits": 0}', (0, "")),
        (b'{"credits": "660"}', (660, "")),
    ],
)
def test_credits_are_read(body: bytes, worth: tuple[int, str]) -> None:
    """As the web page gets them (`flow.md` section 2). An odd tier beside them changes nothing."""
    assert translate.worth(Reply(200, body)) == worth


@pytest.mark.parametrize("body", [b"{}", b"[]", b"", b"<html>", b'{"credits": null}', b'{"credits": "many"}', b"\xff"])
def test_credits_that_cannot_be_read_are_no_number(body: bytes) -> None:
    """Nothing is proved by a guess."""
    with pytest.raises(UpstreamBroken):
        translate.worth(Reply(200, body))


@pytest.mark.parametrize(
    "state",
    [
        b'{"operation": {"name": "op"}, "status": "MEDIA_GENERATION_STATUS_DREAMING"}',
        b'{"operation": {"name": "op"}}',
    ],
)
def test_what_is_unknown_or_incomplete_is_left_out(state: bytes) -> None:
    """A paid job is neither failed nor finished by a word that we do not know; it is asked about again."""
    assert videos.reports(Reply(200, b"[" + state + b"]")) == {}


@pytest.mark.parametrize(
    ("word", "code", "status"),
    [
        ("PUBLIC_ERROR_UNSAFE_GENERATION", "moderation_blocked", 400),
        ("PUBLIC_ERROR_AUDIO_FILTERED", "moderation_blocked", 400),
        ("PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT", "video_generation_failed", 502),
    ],
)
def test_a_failed_job_says_why(word: str, code: str, status: int) -> None:
    """A judgement of the content is told from a failure of the machine."""
    state = {
        "operation": {"name": "op", "error": {"code": 3, "message": word}},
        "status": "MEDIA_GENERATION_STATUS_FAILED",
    }
    report = videos.reports(Reply(200, msgspec.json.encode([state])))["op"]

    assert isinstance(report, Refused)
    assert (report.failure.code, report.failure.status) == (code, status)
    assert word in report.failure.message


@pytest.mark.parametrize(
    ("status", "reason", "message", "fault"),
    [
        (400, "PUBLIC_ERROR_UNSAFE_GENERATION", "unsafe", ContentRefused),
        (400, "PUBLIC_ERROR_PROMINENT_PEOPLE_FILTER_FAILED", "people", ContentRefused),
        (400, "PUBLIC_ERROR_MINOR", "minor", ContentRefused),
        (400, "", "Invalid aspect ratio", InvalidRequest),
        (401, "", "expired", UpstreamCredential),
        (403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED", "The caller does not have permission", AccountRefused),
        (403, "", "reCAPTCHA evaluation failed", AccountRefused),
        (403, "", "forbidden", UpstreamCredential),
        (404, "", "Requested entity was not found.", UpstreamForgot),
        (429, "PUBLIC_ERROR_USER_REQUESTS_THROTTLED", "slow", UpstreamBusy),
        (429, "PUBLIC_ERROR_USER_QUOTA_REACHED", "empty", UpstreamQuota),
        (429, "PUBLIC_ERROR_PER_MODEL_DAILY_QUOTA_REACHED_UPGRADEABLE", "empty", UpstreamQuota),
        (429, "", "slow", UpstreamBusy),
        (500, "", "Internal error encountered.", UpstreamBroken),
        (500, "PUBLIC_ERROR_UNSAFE_GENERATION", "who knows", UpstreamBroken),
    ],
)
def test_a_refusal_is_read_by_its_reason_first(
    status: int, reason: str, message: str, fault: type[AdapterError]
) -> None:
    """The table of `flow.md` section 2; a 5xx leaves open whether it was executed, whatever it says."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    body = {"error": {"code": status, "message": message, "status": "X", "details": details}}

    assert type(translate.fault(Reply(status, msgspec.json.encode(body)))) is fault
