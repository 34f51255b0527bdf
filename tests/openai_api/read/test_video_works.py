"""Edits and extensions: of one of our videos, or of a file. Remixes: `test_videos.py`."""

from decimal import Decimal

import msgspec
import pytest

from adapter.domain.catalogue import Catalogue, CatalogueFile
from adapter.domain.job import Failed, Failure, JobState, Operation, VideoJob, advance
from adapter.domain.media import Clip, Pixels, Ratio, RemoteVideo
from adapter.domain.orders import InlineSource, StoredInput, VideoDraft, VideoInput, VideoOrder, VideoSource
from adapter.errors import ContentRefused, InvalidRequest, UnknownModel
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.given_videos import given_video, read_work_form, read_work_json
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.read.video_works import GivenClip, draft_from_file, draft_from_job, remix_draft
from adapter.openai_api.read.videos import read_video_json
from adapter.openai_api.wire.media import MediaRequest
from adapter.openai_api.wire.videos import VideoWorkRequest
from tests.fakes import rendered_job, video_job
from tests.support import ROOT, context

TERMS = context(longest_prompt=100)
MODEL = "gemini-omni-1.2-flash"
EDIT, EXTEND = VideoInput.EDIT, VideoInput.EXTEND
FILE = b"\x00\x00\x00\x18ftypisom"


def finished(**changes: object) -> VideoJob:
    """Return a finished upright video of 8 seconds of a model that edits and extends."""
    body = msgspec.json.encode({"prompt": "waves", "model": MODEL, "size": "1080x1920", "seconds": 8})
    order = msgspec.structs.replace(read_video_json(body, TERMS).order, **changes)
    job = msgspec.structs.replace(video_job(order=order), state=JobState.COMPLETED, account="ada")
    return msgspec.structs.replace(job, operation=Operation("v1_a", "mark"))


def asked(**fields: object) -> MediaRequest:
    """Return what a request says."""
    return read_tree({"prompt": "at night", **fields}, VideoWorkRequest).media


def from_job(kind: VideoInput, source: VideoJob, **fields: object) -> VideoOrder:
    """Return the order of work on one of our videos."""
    draft = draft_from_job(kind, asked(**fields), source, TERMS)
    assert not draft.has_files
    return draft.order


def from_file(kind: VideoInput, seconds: float = 7.7, size: str = "1920x1080", **fields: object) -> VideoDraft:
    """Return the draft of work on a file."""
    pixels = Pixels.parse(size)
    assert pixels is not None
    file = GivenClip(InlineSource(FILE, "video"), Clip(pixels, seconds))
    return draft_from_file(kind, asked(**fields), file, TERMS)


@pytest.mark.parametrize("video", [{"id": "video_1"}, "video_1"])
def test_json_names_a_video_by_its_id(video: object) -> None:
    """As OpenAI's document has it, or plainly."""
    body = read_work_json(msgspec.json.encode({"prompt": "at night", "video": video}))

    assert (given_video(body), body.media.prompt) == ("video_1", "at night")


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("video[id]", b"video_1", "video_1"),
        ("video", b"video_1", "video_1"),
        ("video", FILE, InlineSource(FILE, "video")),
    ],
)
def test_a_form_names_a_video_or_brings_it(name: str, data: bytes, found: object) -> None:
    """OpenAI's clients send a form for both."""
    body = read_work_form([Part("prompt", b"at night"), Part(name, data), Part("seconds", b"4")])

    assert given_video(body) == found
    assert (body.media.prompt, body.media.seconds) == ("at night", 4)


@pytest.mark.parametrize("video", [None, {}, {"id": 3}, {"url": "https://a/b.mp4"}, 7, [], "v" * 200])
def test_a_request_without_a_video_is_told_how_to_name_one(video: object) -> None:
    """By its field."""
    with pytest.raises(InvalidRequest, match="the file of a form") as caught:
        given_video(read_work_json(msgspec.json.encode({"prompt": "at night", "video": video})))

    assert caught.value.param == "video"


def test_an_edit_changes_the_video_with_the_key_that_made_it() -> None:
    """Its form and its seed stay."""
    source = finished()
    order = from_job(EDIT, source)

    assert order == msgspec.structs.replace(
        source.order,
        prompt="at night",
        seed=source.seed,
        input=EDIT,
        remix_of=source.id,
        source=VideoSource("v1_a", "ada"),
    )


@pytest.mark.parametrize("kind", [EDIT, EXTEND])
def test_work_on_a_video_that_was_made_from_a_file_needs_the_file_no_more(kind: VideoInput) -> None:
    """Google has the newer video."""
    order = from_job(kind, finished(input=EDIT, video=StoredInput("a_source.mp4", "00")))

    assert (order.video, order.source) == (None, VideoSource("v1_a", "ada"))


def test_a_video_that_is_worked_on_has_a_price() -> None:
    """An edit that of its length, an extension that of the new seconds, a remix that of an edit."""
    extended = draft_from_job(EXTEND, asked(seconds="4"), finished(), TERMS)
    edited = draft_from_job(EDIT, asked(), finished(), TERMS)
    again = remix_draft(MediaRequest(prompt="at night"), finished(), TERMS)

    assert [draft.quotes[0].amount for draft in (extended, edited, again)] == [
        Decimal("0.42"),
        Decimal("0.84"),
        Decimal("0.84"),
    ]


def test_an_extension_is_as_long_as_it_says_and_the_video_is_longer() -> None:
    """What is made is paid for; the video has both."""
    order = from_job(EXTEND, finished(), seconds="4")

    assert (order.input, order.seconds, order.whole_seconds) == (EXTEND, 4, 12)
    assert (order.source, order.spending("ada", None).units) == (VideoSource("v1_a", "ada"), 4)


@pytest.mark.parametrize(
    ("before", "fields", "seconds"),
    [
        (8, {}, 8),
        (35, {}, 5),
        (30, {"seconds": 10}, 10),
    ],
)
def test_an_extension_ends_at_forty_seconds(before: int, fields: dict[str, object], seconds: int) -> None:
    """Where the request does not say, it is as long as usual, or as is left."""
    assert from_job(EXTEND, finished(seconds=before), **fields).seconds == seconds


@pytest.mark.parametrize(
    ("before", "seconds", "param", "words"),
    [
        (8, 12, "seconds", "by 3 to 10 seconds, to 40 in all"),
        (8, 2, "seconds", "by 3 to 10 seconds"),
        (36, 8, "seconds", "which has 36, by 3 or 4 seconds"),
        (38, 4, "video", "to 40 in all; this one has 38 already"),
    ],
)
def test_an_extension_that_cannot_be_had_is_refused_with_what_can(
    before: int, seconds: int, param: str, words: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidRequest, match=words) as caught:
        from_job(EXTEND, finished(seconds=before), seconds=seconds)

    assert caught.value.param == param


def test_a_length_of_openais_clients_becomes_the_nearest() -> None:
    """They know 4, 8, 12, 16 and 20 seconds. Who says our own name means the very length."""
    source = finished()
    file = msgspec.toml.decode((ROOT / "config" / "models.toml").read_bytes(), type=CatalogueFile)
    aliased = msgspec.structs.replace(file, aliases={"sora-2": (MODEL,)})
    terms = msgspec.structs.replace(TERMS, catalogue=Catalogue(aliased))
    foreign = msgspec.structs.replace(source, order=msgspec.structs.replace(source.order, model="sora-2"))

    assert draft_from_job(EXTEND, asked(seconds="12"), foreign, terms).order.seconds == 10
    with pytest.raises(InvalidRequest):
        draft_from_job(EXTEND, asked(seconds="12"), source, terms)


def test_an_extended_video_goes_on_and_is_edited_as_a_whole() -> None:
    """The lengths add up."""
    source = finished(seconds=4, seconds_before=8, input=EXTEND)

    assert (further := from_job(EXTEND, source, seconds=10)).seconds_before == 12
    assert further.whole_seconds == 22
    assert (edited := from_job(EDIT, source)).seconds == 12
    assert edited.seconds_before == 0
    with pytest.raises(InvalidRequest, match="edits videos of up to 15 seconds; this one has 22"):
        from_job(EDIT, finished(seconds=10, seconds_before=12))


@pytest.mark.parametrize(("kind", "done"), [(EDIT, "edited"), (EXTEND, "extended")])
def test_only_a_finished_video_is_worked_on(kind: VideoInput, done: str) -> None:
    """Neither one that is being made nor one that failed."""
    failed = advance(video_job(), Failed(Failure.of(ContentRefused("unsafe")), 1001.0))
    for source, phase in ((video_job(), "queued"), (failed, "failed")):
        with pytest.raises(InvalidRequest, match=f"can be {done}; this one is {phase}") as caught:
            from_job(kind, source)
        assert (caught.value.param, caught.value.code) == ("video", "video_not_completed")


@pytest.mark.parametrize(("kind", "verb"), [(EDIT, "edit"), (EXTEND, "extend")])
def test_a_model_that_does_not_do_it_names_those_that_do(kind: VideoInput, verb: str) -> None:
    """Of its own videos, and of files."""
    order = msgspec.structs.replace(rendered_job().order, model="gone")
    by_another = msgspec.structs.replace(rendered_job(), state=JobState.COMPLETED, order=order)
    for refused in (lambda: from_job(kind, by_another), lambda: from_file(kind, model="veo-3.1-fast-short")):
        with pytest.raises(InvalidRequest, match=rf"does not {verb} videos\. These do: .*{MODEL}") as caught:
            refused()
        assert caught.value.code == "unsupported"
    with pytest.raises(UnknownModel):
        from_file(kind, model="veo-9")


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (EDIT, "seconds", "4"),
        (EDIT, "size", "1280x720"),
        (EXTEND, "aspect_ratio", "16:9"),
        (EXTEND, "model", "sora-2"),
        (EDIT, "image", "https://a/b"),
        (EXTEND, "n", 2),
    ],
)
def test_what_a_video_keeps_cannot_be_asked_for(kind: VideoInput, field: str, value: object) -> None:
    """It would be paid for, and not be granted."""
    with pytest.raises(InvalidRequest, match=f"leave '{field}' out") as caught:
        from_job(kind, finished(), **{field: value})

    assert caught.value.param == field


def test_a_file_has_the_nearest_form_of_the_model() -> None:
    """Its shape, its resolution and its length."""
    draft = from_file(EDIT, seconds=7.7, size="1080x1900", seed=5)
    order = draft.order

    assert (order.model, order.provider, order.upstream) == (MODEL, "omni", MODEL)
    assert (order.ratio, order.resolution, str(order.size)) == (Ratio.PORTRAIT, "1080p", "1080x1920")
    assert (order.seconds, order.seconds_before, order.seed, order.source) == (8, 0, 5, None)
    assert (draft.video, draft.has_files) == (InlineSource(FILE, "video"), True)


def test_a_file_is_extended_from_its_own_length() -> None:
    """The new part is paid for."""
    file = GivenClip(InlineSource(FILE, "video"), Clip(Pixels(1280, 720), 20.2))
    order = draft_from_file(EXTEND, asked(seconds=5), file, TERMS).order

    assert (order.seconds, order.whole_seconds) == (5, 25)


@pytest.mark.parametrize(
    ("seconds", "size", "words"),
    [(16.0, "1280x720", "of up to 15 seconds; this one has 16"), (8.0, "720x720", "has no shape '720x720'")],
)
def test_a_file_that_the_model_cannot_work_on_is_refused(seconds: float, size: str, words: str) -> None:
    """By its field."""
    with pytest.raises(InvalidRequest, match=words) as caught:
        from_file(EDIT, seconds, size)

    assert caught.value.param == "video"


def by_flow(workflow: str = "w1", name: str = "m1", **changes: object) -> VideoJob:
    """Return a finished video of Flow."""
    job = rendered_job()
    order = msgspec.structs.replace(job.order, provider="flow", **changes)
    operation = Operation("m1", "mark", dialect="media", workflow=workflow)
    remote = RemoteVideo("", name=name)
    return msgspec.structs.replace(job, state=JobState.COMPLETED, order=order, operation=operation, remote=remote)


def test_a_video_of_flow_goes_on_in_a_clip_of_its_own() -> None:
    """By its medium and its workflow, at the account that made it. It has the length of the clip alone."""
    source = by_flow()
    draft = draft_from_job(EXTEND, asked(), source, TERMS)

    assert draft.order == msgspec.structs.replace(
        source.order,
        prompt="at night",
        upstream="veo_3_1_extend_landscape",
        input=EXTEND,
        seed=source.seed,
        remix_of=source.id,
        source=VideoSource("m1", "first", "w1"),
    )
    assert (draft.order.seconds, draft.order.whole_seconds) == (8, 8)
    assert [quote.amount for quote in draft.quotes] == [None]


def test_the_clip_after_a_clip_is_had_in_the_same_way() -> None:
    """There is no longest one."""
    source = by_flow(input=EXTEND, source=VideoSource("m0", "first", "w1"), remix_of="video_0")

    assert from_job(EXTEND, source).source == VideoSource("m1", "first", "w1")


@pytest.mark.parametrize(
    ("source", "fields", "param", "words"),
    [
        (by_flow(workflow=""), {}, "video", "Google's names of this video are not known, so it cannot be extended"),
        (by_flow(name=""), {}, "video", "Google's names of this video are not known"),
        (by_flow(), {"seconds": "4"}, "seconds", "makes videos of 8 seconds only"),
        (by_flow(input=VideoInput.UPSCALE, remix_of="video_1"), {}, "video", "finer; extend the video 'video_1'"),
        (by_flow(model="veo-3.1-fast-short"), {}, "video", "does not extend videos. These do: veo-3.1-fast, veo-3.1-q"),
    ],
)
def test_a_video_of_flow_that_cannot_go_on_is_refused(
    source: VideoJob, fields: dict[str, object], param: str, words: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidRequest, match=words) as caught:
        from_job(EXTEND, source, **fields)

    assert caught.value.param == param


def test_a_file_is_not_extended_by_flow() -> None:
    """It goes to a model that takes files; who names one of Flow's hears of those."""
    assert from_file(EXTEND).order.model == MODEL
    with pytest.raises(InvalidRequest, match=f"does not extend a video that comes as a file. These do: {MODEL}."):
        from_file(EXTEND, model="veo-3.1-fast")


def test_an_extension_of_flow_is_not_remixed() -> None:
    """The prompt alone would make another video."""
    source = by_flow(input=EXTEND, source=VideoSource("m0", "first", "w1"), remix_of="video_0")
    with pytest.raises(InvalidRequest, match=r"made of another one, and its model .* edits no videos"):
        remix_draft(asked(), source, TERMS)


def test_an_order_of_an_earlier_version_is_read() -> None:
    """It has none of the new fields."""
    order = finished().order
    document = msgspec.json.decode(msgspec.json.encode(order))
    del document["seconds_before"], document["video"]

    assert msgspec.convert(document, VideoOrder) == order
