"""Requests for videos into wishes, as JSON and as a form; the table is `tests/golden/openai/videos.txt`."""

import re
from collections.abc import Callable

import msgspec
import pybase64
import pytest

from adapter.domain.catalogue import LengthPolicy
from adapter.domain.job import Failed, Failure, JobState, Operation, Stored, StoredVideo, Variant, VideoJob, advance
from adapter.domain.media import Pixels, Ratio, image_from_bytes
from adapter.domain.orders import (
    FileIdSource,
    InlineSource,
    LinkSource,
    Source,
    StoredInput,
    StoredSource,
    VideoDraft,
    VideoInput,
    VideoOrder,
    VideoSource,
)
from adapter.errors import ContentRefused, InvalidRequest, RequestTooLarge, UnknownModel
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.read.video_works import remix_draft
from adapter.openai_api.read.videos import read_place, read_variant, read_video_form, read_video_json
from adapter.openai_api.wire.media import MediaRequest
from adapter.openai_api.wire.videos import RemixRequest
from tests.fakes import png, rendered_job, video_job
from tests.support import GOLDEN, context

TERMS = context(longest_prompt=100)
PICTURES = {"L": png(160, 90), "P": png(90, 160)}
DATA_URL = f"data:image/png;base64,{pybase64.b64encode(png()).decode()}"
OURS = "http://here:8000/media/fox.png?x=1"


def table() -> list[list[str]]:
    """Read the golden table."""
    lines = (GOLDEN / "openai" / "videos.txt").read_text().splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def in_json(**fields: object) -> VideoDraft:
    """Read a JSON body."""
    return read_video_json(msgspec.json.encode({"prompt": "waves", **fields}), TERMS)


def in_form(*parts: tuple[str, bytes]) -> VideoDraft:
    """Read a form."""
    return read_video_form([Part("prompt", b"waves"), *(Part(name, data) for name, data in parts)], TERMS)


def settled(wish: VideoDraft) -> VideoOrder:
    """Return the order once its pictures were brought."""
    if not wish.sources:
        return wish.order
    assert isinstance(wish.sources[0], InlineSource)
    first = image_from_bytes(wish.sources[0].data)
    assert first is not None
    return wish.with_pictures([StoredInput(str(number), "") for number, _ in enumerate(wish.sources)], first.pixels)


@pytest.mark.parametrize(("size", "ratio", "pictures", "upstream", "clip"), table())
def test_every_shape_becomes_what_the_model_has(size: str, ratio: str, pictures: str, upstream: str, clip: str) -> None:
    """The same as JSON and as a form."""
    words = {"size": size, "aspect_ratio": ratio}
    fields: dict[str, object] = {name: word for name, word in words.items() if word != "-"}
    files = [PICTURES[letter] for letter in pictures if letter in PICTURES]
    urls = [f"data:image/png;base64,{pybase64.b64encode(file).decode()}" for file in files]
    named = [(name, str(word).encode()) for name, word in fields.items()]
    readers: tuple[Callable[[], VideoDraft], ...] = (
        lambda: in_json(**fields, input_reference=urls or None),
        lambda: in_form(*named, *(("input_reference[]", file) for file in files)),
    )
    for read in readers:
        if upstream.startswith("refused:"):
            with pytest.raises(InvalidRequest) as caught:
                read()
            assert caught.value.param == upstream.removeprefix("refused:")
        else:
            order = settled(read())
            assert (order.upstream, str(order.size), order.seconds) == (upstream, clip, 8)


def bare(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return sources as if all came in one field."""
    return tuple(msgspec.structs.replace(source, param="input_reference") for source in sources)


UPLOAD, LINK, KEPT = (
    InlineSource(png(), "input_reference"),
    LinkSource("https://a/b", "input_reference"),
    StoredSource("fox.png", "input_reference"),
)


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        (None, ()),
        ([], ()),
        (DATA_URL, (UPLOAD,)),
        ("https://a/b", (LINK,)),
        (OURS, (KEPT,)),
        ({"image_url": DATA_URL}, (UPLOAD,)),
        ({"image_url": "https://a/b", "file_id": None, "detail": "high"}, (LINK,)),
        ({"file_id": "file-1"}, (FileIdSource("file-1", "input_reference"),)),
        ([{"image_url": "https://a/b"}, OURS], (LINK, KEPT)),
    ],
)
def test_json_names_pictures_in_every_form(reference: object, found: tuple[Source, ...]) -> None:
    """An object, a bare address as gateways send it, and lists of both."""
    assert bare(in_json(input_reference=reference).sources) == found


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([], ()),
        ([("input_reference", png())], (UPLOAD,)),
        ([("input_reference[]", png()), ("input_reference[]", png())], (UPLOAD, UPLOAD)),
        ([("input_reference[0]", png()), ("input_reference[1]", b"https://a/b")], (UPLOAD, LINK)),
        ([("input_reference", OURS.encode())], (KEPT,)),
        ([("input_reference[image_url]", DATA_URL.encode())], (UPLOAD,)),
        ([("input_reference[][image_url]", b"https://a/b")] * 2, (LINK, LINK)),
    ],
)
def test_forms_bring_pictures_in_every_form(parts: list[tuple[str, bytes]], found: tuple[Source, ...]) -> None:
    """As files, or as fields with an address."""
    assert bare(in_form(*parts).sources) == found


def test_an_address_in_a_form_may_be_as_long_as_a_picture() -> None:
    """Other texts may not."""
    file = png() + bytes(1_500_000)
    data_url = b"data:image/png;base64," + pybase64.b64encode(file)

    assert in_form(("input_reference[image_url]", data_url)).sources == (InlineSource(file, "input_reference"),)
    with pytest.raises(RequestTooLarge, match="'model' is longer than"):
        in_form(("model", data_url))


def test_a_picture_is_named_by_its_place() -> None:
    """As the client spells it: one bad picture of several is told apart."""
    json = in_json(input_reference=["https://a/b", {"image_url": "https://a/c"}])
    form = in_form(("input_reference[]", png()), ("input_reference[]", b"https://a/b"))
    inner = in_form(("input_reference[0][image_url]", b"https://a/b"), ("input_reference[1][file_id]", b"file-1"))

    assert [source.param for source in json.sources] == ["input_reference[0]", "input_reference[1]"]
    assert [source.param for source in form.sources] == ["input_reference[]", "input_reference[]"]
    assert [source.param for source in inner.sources] == ["input_reference[0]", "input_reference[1]"]


@pytest.mark.parametrize("seconds", [8, 8.0, "8", "8.0", "8s", "", None])
def test_the_length_may_be_a_number_or_text(seconds: object) -> None:
    """As OpenAI's clients send it; forms have text anyway."""
    assert in_json(seconds=seconds).order.seconds == 8


def test_a_form_says_the_same_as_json() -> None:
    """Its numbers and lists are text."""
    form = in_form(
        ("model", b"sora-2-pro"),
        ("seconds", b"8"),
        ("seed", b"7"),
        ("input_reference[image_url]", b"https://a/b"),
        ("roles[]", b"reference_image"),
    )
    json = in_json(
        model="sora-2-pro", seconds=8, seed=7, input_reference={"image_url": "https://a/b", "role": "reference_image"}
    )

    assert (form.order, bare(form.sources)) == (json.order, bare(json.sources))
    assert (form.order.model, form.order.seed, form.order.input) == ("sora-2-pro", 7, VideoInput.REFERENCES)


@pytest.mark.parametrize(
    ("model", "policy", "asked", "made"),
    [
        ("sora-2", None, "4", 8),
        ("sora-2-pro", None, 12, 8),
        (None, None, "4", 8),
        ("veo-3.1-fast", None, "4", None),
        ("veo_3_1_t2v_fast", None, "4", None),
        ("veo-3.1-fast", LengthPolicy.NEAREST, "4", 8),
        ("sora-2", LengthPolicy.EXACT, "4", None),
        ("sora-2", LengthPolicy.EXACT, "8", 8),
    ],
)
def test_a_length_that_the_model_does_not_make_is_the_nearest_or_refused(
    model: str | None, policy: LengthPolicy | None, asked: object, made: int | None
) -> None:
    """Clients of other vendors' models send the default of their library; who names ours knows what it makes."""
    body = msgspec.json.encode({"prompt": "waves", "model": model, "seconds": asked})
    identity = msgspec.structs.replace(TERMS, length_policy=policy)
    if made is None:
        with pytest.raises(InvalidRequest, match="8 seconds only"):
            read_video_json(body, identity)
    else:
        assert read_video_json(body, identity).order.seconds == made


def test_the_model_of_an_open_shape_is_that_of_the_length() -> None:
    """The first picture decides the shape later, among the names that the length has."""
    draft = in_json(model="veo-3.1-quality", seconds="4", input_reference=DATA_URL)
    whole = in_json(model="veo-3.1-quality", input_reference=DATA_URL)

    assert (draft.order.seconds, {*draft.shapes.values()}) == (4, {"veo_3_1_i2v_s_quality_4s"})
    assert {*whole.shapes.values()} == {"veo_3_1_i2v_s", "veo_3_1_i2v_s_portrait"}


def test_a_form_names_lists_by_numbers() -> None:
    """As some libraries write them; the numbers have no say in the order."""
    wish = in_form(
        ("input_reference[0][image_url]", b"https://a/1"),
        ("roles[0]", b"last_frame"),
        ("input_reference[1][image_url]", b"https://a/2"),
        ("roles[1]", b"first_frame"),
    )

    assert bare(wish.sources) == (
        LinkSource("https://a/2", "input_reference"),
        LinkSource("https://a/1", "input_reference"),
    )
    assert wish.order.input is VideoInput.FRAMES


@pytest.mark.parametrize(
    "name", ["input_reference", "input_reference[]", "image", "mask", "seconds", "n", "size", "seed"]
)
def test_an_empty_part_is_absent(name: str) -> None:
    """Browsers send a file field that was left empty."""
    assert in_form((name, b"")) == in_json()


def test_what_openai_assumes_is_assumed() -> None:
    """Its model, by the name that the client would have used."""
    order = in_json().order

    assert (order.model, order.upstream, order.seed) == ("sora-2", "veo_3_1_t2v_fast", None)


@pytest.mark.parametrize(
    ("fields", "sources", "kind"),
    [
        ({"roles": ["last_frame", "first_frame"]}, (KEPT, LINK), VideoInput.FRAMES),
        ({"roles": ["reference_image", "reference_image"]}, (LINK, KEPT), VideoInput.REFERENCES),
        ({}, (LINK, KEPT), VideoInput.FRAMES),
    ],
)
def test_roles_say_what_pictures_are(fields: dict[str, object], sources: tuple[Source, ...], kind: VideoInput) -> None:
    """As in chats."""
    wish = in_json(input_reference=["https://a/b", OURS], **fields)

    assert (bare(wish.sources), wish.order.input) == (sources, kind)


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"prompt": None}, "prompt", "required"),
        ({"prompt": "  "}, "prompt", "empty"),
        ({"prompt": "x" * 101}, "prompt", "at most 100"),
        ({"prompt": 7}, "prompt", "has to be text"),
        ({"model": "gpt-image-1"}, "model", r"Models that make videos: veo-3\.1-fast"),
        ({"model": "veo-3.1-fast", "seconds": 4}, "seconds", "8 seconds only"),
        ({"seconds": "long"}, "seconds", "a number of seconds"),
        ({"seconds": 0}, "seconds", "8 seconds only"),
        ({"seconds": -8}, "seconds", "8 seconds only"),
        ({"seconds": [8]}, "seconds", "a number or text, not a list"),
        ({"resolution": "1080p"}, "resolution", "one resolution"),
        ({"seed": 1.5}, "seed", "whole number"),
        ({"seed": "x"}, "seed", "whole number"),
        ({"characters": [{"id": "char_1"}]}, "characters", "reference pictures"),
        ({"input_reference": {"file_id": None}}, "input_reference", "needs an 'image_url'"),
        ({"input_reference": {}}, "input_reference", "needs an 'image_url'"),
        ({"input_reference": "fox"}, "input_reference", "data: URL"),
        ({"input_reference": DATA_URL, "roles": ["hero"]}, "roles", "'hero'"),
        ({"roles": "first_frame"}, "roles", "1 pictures and 0 came"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(fields: dict[str, object], param: str, words: str) -> None:
    """With what is allowed."""
    with pytest.raises(InvalidRequest) as caught:
        in_json(**fields)

    assert caught.value.param == param
    assert re.search(words, caught.value.message)


def test_an_unknown_model_is_one() -> None:
    """With the names that there are."""
    with pytest.raises(UnknownModel, match=r"veo-3\.1-fast"):
        in_json(model="veo-9")


def test_unknown_fields_are_ignored_and_null_is_absent() -> None:
    """Every SDK and gateway adds its own."""
    assert in_json(task_id="x", metadata={}, seconds=None, size=None, characters=None, roles=None) == in_json()


def test_a_variant_is_the_video_unless_it_is_named() -> None:
    """Unknown ones are refused with the known ones."""
    assert [read_variant(name) for name in (None, "video", "spritesheet")] == [
        Variant.VIDEO,
        Variant.VIDEO,
        Variant.SPRITESHEET,
    ]
    with pytest.raises(InvalidRequest, match="Allowed: video, thumbnail, spritesheet"):
        read_variant("gif")


def finished() -> VideoJob:
    """Return a job with five changes and a picture that it was made from."""
    job = rendered_job()
    order = msgspec.structs.replace(job.order, input=VideoInput.FRAME, pictures=(StoredInput("a_0.png", "00"),))
    media = StoredVideo(video="a.mp4", poster=None, size=1, sha256="00")
    return advance(msgspec.structs.replace(job, order=order), Stored(media, 1010.0))


@pytest.mark.parametrize(
    ("header", "query", "place"),
    [(None, None, 0), ("", "", 0), ("2", None, 2), (None, "2", 2), ("2", "1", 2), ("0", None, 0)],
)
def test_a_reader_says_what_it_knows(header: str | None, query: str | None, place: int) -> None:
    """The header is newer than the address, which a browser repeats as it was."""
    assert read_place(header, query, finished()) == place


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "99", "9999999", "²"])
def test_a_place_outside_of_the_history_is_refused(number: str) -> None:
    """By whatever way it came."""
    for header, query, param in ((number, None, "Last-Event-ID"), (None, number, "starting_after")):
        with pytest.raises(InvalidRequest) as caught:
            read_place(header, query, finished())
        assert caught.value.param == param


def test_a_remix_is_the_source_with_other_words() -> None:
    """Its pictures are copied like any picture of ours, and its seed is the one that was drawn."""
    source = finished()
    wish = remix_draft(MediaRequest(prompt=" at night "), source, TERMS)

    assert wish.sources == (StoredSource("a_0.png", "video_id"),)
    assert wish.shapes == {}
    assert wish.order == msgspec.structs.replace(
        source.order, prompt="at night", seed=source.seed, remix_of=source.id, pictures=()
    )


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"aspectRatio": "9:16"}, "aspectRatio"),
        ({"size": "720x1280"}, "size"),
        ({"seconds": "4"}, "seconds"),
        ({"seed": 5}, "seed"),
        ({"seed": 0}, "seed"),
        ({"model": "sora-2-pro"}, "model"),
        ({"n": 2}, "n"),
        ({"image": "https://a/b"}, "image"),
        ({"images": [{"url": "https://a/b"}]}, "images"),
        ({"resolution": "1080p"}, "resolution"),
    ],
)
def test_a_remix_that_shall_be_otherwise_is_refused(fields: dict[str, object], param: str) -> None:
    """It would be paid for, and be as the source is."""
    with pytest.raises(InvalidRequest, match=f"leave '{param}' out") as caught:
        remix_draft(read_tree({"prompt": "at night", **fields}, RemixRequest).media, finished(), TERMS)
    assert caught.value.param == param


def test_a_remix_may_say_what_stays_the_same() -> None:
    """Some clients repeat it all."""
    source = finished()
    same = {"model": source.order.model, "seconds": "8", "size": "16:9", "n": 1, "seed": source.seed}

    plain = remix_draft(MediaRequest(prompt="at night"), source, TERMS)
    assert remix_draft(read_tree({"prompt": "at night", **same}, RemixRequest).media, source, TERMS) == plain


def test_only_a_finished_video_is_remixed() -> None:
    """Neither one that is being made nor one that failed."""
    failed = advance(video_job(), Failed(Failure.of(ContentRefused("unsafe")), 1001.0))
    for source, phase in ((video_job(), "queued"), (failed, "failed")):
        with pytest.raises(InvalidRequest, match=f"this one is {phase}") as caught:
            remix_draft(MediaRequest(prompt="at night"), source, TERMS)
        assert (caught.value.param, caught.value.code) == ("video_id", "video_not_completed")
    with pytest.raises(InvalidRequest, match="'prompt' is required"):
        remix_draft(MediaRequest(), finished(), TERMS)


def test_a_size_is_kept_with_the_order_and_may_be_missing_in_old_ones() -> None:
    """A job of an earlier version is still read."""
    order = in_json(size="9:16").order
    document = msgspec.json.decode(msgspec.json.encode(order))
    del document["size"], document["remix_of"]

    assert (order.ratio, order.size) == (Ratio.PORTRAIT, Pixels(720, 1280))
    assert msgspec.convert(document, VideoOrder) == msgspec.structs.replace(order, size=None)


OMNI = {"model": "gemini-omni-1.2-flash"}


@pytest.mark.parametrize(
    ("fields", "resolution", "size"),
    [
        ({}, "720p", "1280x720"),
        ({"resolution": "4K"}, "4k", "3840x2160"),
        ({"size": "1080p", "aspect_ratio": "9:16"}, "1080p", "1080x1920"),
        ({"size": "1024x1792"}, "1080p", "1080x1920"),
        ({"size": "640x360"}, "360p", "640x360"),
        ({"size": "1280x720", "resolution": "720p"}, "720p", "1280x720"),
        ({"size": "9:16", "quality": "360p"}, "360p", "360x640"),
    ],
)
def test_a_model_with_resolutions_is_asked_for_one(fields: dict[str, object], resolution: str, size: str) -> None:
    """By its name, or by a size in pixels. The answer tells the size of it."""
    order = in_json(**OMNI, **fields).order

    assert (order.resolution, str(order.size)) == (resolution, size)


def test_a_shape_that_a_picture_decides_has_the_size_of_the_resolution() -> None:
    """The first picture stands upright."""
    picture = "data:image/png;base64," + pybase64.b64encode(PICTURES["P"]).decode()
    order = settled(in_json(**OMNI, resolution="1080p", input_reference={"image_url": picture}))

    assert (order.resolution, str(order.size)) == ("1080p", "1080x1920")


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"resolution": "480p"}, "resolution", "has the resolutions 360p, 720p, 1080p, 4k; '480p' cannot be had"),
        ({"size": "1280x720", "resolution": "1080p"}, "resolution", "'size' asks for 720p"),
        ({"resolution": "720p", "quality": "4k"}, "resolution", "'quality' asks for 4k"),
        ({"seconds": 16}, "seconds", "of 3 to 15 seconds only"),
    ],
)
def test_a_resolution_that_cannot_be_had_is_refused(fields: dict[str, object], param: str, words: str) -> None:
    """And two that contradict each other."""
    with pytest.raises(InvalidRequest, match=words) as caught:
        in_json(**OMNI, **fields)

    assert caught.value.param == param


def finished_by_omni() -> VideoJob:
    """Return a finished video of a model that edits."""
    picture = "data:image/png;base64," + pybase64.b64encode(PICTURES["L"]).decode()
    order = settled(in_json(**OMNI, input_reference={"image_url": picture}))
    job = msgspec.structs.replace(video_job(order=order), state=JobState.COMPLETED, account="ada")
    return msgspec.structs.replace(job, operation=Operation("v1_a", "mark"))


def test_a_remix_of_a_model_that_edits_is_an_edit_of_that_video() -> None:
    """With the account that has it. The pictures are in the video already."""
    source = finished_by_omni()
    draft = remix_draft(MediaRequest(prompt="at night"), source, TERMS)

    assert (draft.sources, draft.order.pictures, draft.order.remix_of) == ((), (), source.id)
    assert draft.order.input is VideoInput.EDIT
    assert draft.order.source == VideoSource("v1_a", "ada")


def test_an_edit_of_a_model_that_edits_no_more_is_refused() -> None:
    """It has nothing from which it could be made once more."""
    edit = msgspec.structs.replace(
        finished(), order=msgspec.structs.replace(finished().order, input=VideoInput.EDIT, pictures=())
    )

    with pytest.raises(InvalidRequest, match="edits no videos"):
        remix_draft(MediaRequest(prompt="at night"), edit, TERMS)
