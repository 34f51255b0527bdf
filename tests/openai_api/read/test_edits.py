"""Edits and variations into orders, as JSON and as a form."""

import msgspec
import pybase64
import pytest

from adapter.domain.delivery import Delivery
from adapter.domain.orders import FileIdSource, ImageOrder, InlineSource, LinkSource, Source, StoredSource
from adapter.errors import InvalidRequest, UnknownModel
from adapter.openai_api.read.delivery import asked_delivery, choose_delivery
from adapter.openai_api.read.edits import (
    VARIATION,
    as_edit,
    as_variation,
    edit_order,
    variation_order,
)
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.media import read_media_form, read_media_json, read_tree
from adapter.openai_api.read.pictures import sources_of
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest
from tests.fakes import png
from tests.support import LINKS, context

HERE = "http://here:8000"
TERMS = context(longest_prompt=100)
PLAIN: dict[str, object] = {"model": "gemini-3.1-flash-image", "prompt": "make it blue"}
LINK = LinkSource("https://a/b.png", "image")
DATA_URL = f"data:image/png;base64,{pybase64.b64encode(png()).decode()}"


def order(*given: object, **changes: object) -> ImageOrder:
    """Read the plain edit of these pictures, else of one, with changes."""
    sent = {**PLAIN, "images": given or LINK.url, **changes}
    return edit_order(as_edit(read_media_json(msgspec.json.encode(sent), ImagesRequest)).media, TERMS)


def in_json(**fields: object) -> tuple[Source, ...]:
    """Return the pictures of a JSON body."""
    return sources_of(read_media_json(msgspec.json.encode(fields), ImagesRequest).media.pictures, LINKS)


def in_form(*parts: tuple[str, bytes]) -> tuple[Source, ...]:
    """Return the pictures of a form."""
    body = read_media_form([Part(name, data) for name, data in parts], ImagesRequest)
    return sources_of(body.media.pictures, LINKS)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, ()),
        ({"images": None, "image": None}, ()),
        ({"images": []}, ()),
        ({"images": [{"image_url": "https://a"}]}, (LinkSource("https://a", "images[0]"),)),
        ({"images": [{"image_url": DATA_URL}]}, (InlineSource(png(), "images[0]"),)),
        (
            {"images": ["https://a", {"image_url": f"{HERE}/media/b.png?x=1", "file_id": None}]},
            (LinkSource("https://a", "images[0]"), StoredSource("b.png", "images[1]")),
        ),
        ({"image": "https://a"}, (LinkSource("https://a", "image"),)),
        ({"image": DATA_URL}, (InlineSource(png(), "image"),)),
        ({"image": {"image_url": "https://a"}}, (LinkSource("https://a", "image"),)),
        (
            {"image": ["https://a", {"image_url": "https://b", "detail": "high"}]},
            (LinkSource("https://a", "image[0]"), LinkSource("https://b", "image[1]")),
        ),
        ({"images": ["https://a"], "image": "https://a"}, (LinkSource("https://a", "images[0]"),)),
        ({"image": ""}, ()),
        ({"images": "https://a"}, (LinkSource("https://a", "images"),)),
        ({"image": {"image_url": {"url": "https://a"}}}, (LinkSource("https://a", "image"),)),
        ({"images": [{"file_id": "file-1"}]}, (FileIdSource("file-1", "images[0]"),)),
        ({"image": {"file_id": "file-1"}}, (FileIdSource("file-1", "image"),)),
    ],
)
def test_pictures_of_a_json_body_are_read(fields: dict[str, object], found: tuple[Source, ...]) -> None:
    """OpenAI's `images` of objects, and everything that gateways make of it; each knows where it stood."""
    assert in_json(**fields) == found


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"images": [{"image_url": "https://a"}, {"file_id": None}]}, "images[1]"),
        ({"images": [{}]}, "images[0]"),
        ({"images": ["https://a", "fox.png"]}, "images[1]"),
        ({"image": "data:image/png;base64,@"}, "image"),
        ({"images": [7]}, "images[0]"),
        ({"images": ["https://a"], "image": "https://b"}, "image"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_place(fields: dict[str, object], param: str) -> None:
    """One bad picture of several is told apart."""
    with pytest.raises(InvalidRequest) as caught:
        in_json(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize("name", ["image", "image[]", "image[0]", "image[12]", "images", "images[]", "images[3]"])
def test_a_file_of_a_form_goes_by_many_names(name: str) -> None:
    """What the official clients, the Vercel SDK and people with curl call it."""
    assert in_form((name, png())) == (InlineSource(png(), name),)


@pytest.mark.parametrize("name", ["Image", "imagery", "my_image", "picture"])
def test_other_names_are_no_files(name: str) -> None:
    """Like every unknown field they mean nothing."""
    assert in_form((name, b"words")) == ()


@pytest.mark.parametrize("name", ["image[x]", "image[-1]"])
def test_a_name_that_is_nearly_a_files_is_refused(name: str) -> None:
    """Its picture would be missing in what is paid for."""
    with pytest.raises(InvalidRequest):
        in_form((name, b"https://a"), ("image", png()))


def test_files_of_a_form_keep_their_order() -> None:
    """The prompt counts them; names and numbers have no say, and words stand between them."""
    found = in_form(("image[1]", png(1)), ("prompt", b"a"), ("image", png(2)), ("image", png(3)), ("images[]", png(4)))

    assert [source.data for source in found if isinstance(source, InlineSource)] == [
        png(width) for width in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (b"https://a/b.png", LinkSource("https://a/b.png", "image[]")),
        (b"HTTPS://a/b.png", LinkSource("HTTPS://a/b.png", "image[]")),
        (b"http://a/b.png\n", LinkSource("http://a/b.png", "image[]")),
        (b"http://here:8000/media/b.png", StoredSource("b.png", "image[]")),
        (DATA_URL.encode(), InlineSource(png(), "image[]")),
        (DATA_URL.encode().replace(b"data:", b"DATA:"), InlineSource(png(), "image[]")),
        (b"datum", InlineSource(b"datum", "image[]")),
    ],
)
def test_a_part_of_a_form_may_name_a_picture(text: bytes, source: Source) -> None:
    """An address or a data: URL; everything else is a file."""
    assert in_form(("image[]", text)) == (source,)


def test_a_part_that_begins_like_an_address_and_is_noise_is_refused_or_left_to_the_fetcher() -> None:
    """Bytes that are no text do not get through as text."""
    assert in_form(("image", b"https://a/\xff")) == (LinkSource("https://a/\ufffd", "image"),)
    with pytest.raises(InvalidRequest, match="base64"):
        in_form(("image", b"data:\xff\xfe"))


def test_a_picture_in_brackets_is_found_as_well() -> None:
    """As forms write JSON's objects."""
    assert in_form(("image[image_url]", b"https://a")) == (LinkSource("https://a", "image"),)
    assert in_form(("image[]", png()), ("images[][image_url]", b"https://a")) == (
        InlineSource(png(), "image[]"),
        LinkSource("https://a", "images[]"),
    )
    assert in_form(("image[file_id]", b"file-1")) == (FileIdSource("file-1", "image"),)


def test_the_words_of_a_form_are_its_fields() -> None:
    """The same request as in JSON."""
    form = read_media_form(
        [
            Part("prompt", b"a"),
            Part("n", b"2"),
            Part("stream", b"false"),
            Part("input_fidelity", b"high"),
            Part("image_config[aspect_ratio]", b"1:1"),
        ],
        ImagesRequest,
    )
    json = read_tree(
        {"prompt": "a", "n": 2, "stream": False, "input_fidelity": "high", "image_config": {"aspect_ratio": "1:1"}},
        ImagesRequest,
    )

    plain = [msgspec.structs.replace(body.media, names={}) for body in (form, json)]
    assert (plain[0], form.stream) == (plain[1], json.stream)
    assert (form.media.called("aspect_ratio"), json.media.called("aspect_ratio")) == (
        "image_config[aspect_ratio]",
        "image_config.aspect_ratio",
    )


@pytest.mark.parametrize("name", ["mask", "markup", "mask_url", "mask_image", "mask_base64", "maskUrl"])
@pytest.mark.parametrize("value", [{"image_url": DATA_URL}, {"file_id": "file-1"}, "https://a", {}])
def test_what_lies_over_a_picture_is_refused(name: str, value: object) -> None:
    """Left out in silence it would change what must not change; the error says what to do instead."""
    with pytest.raises(InvalidRequest, match=f"do not take a '{name}': say in the prompt") as caught:
        order(**{name: value})

    assert caught.value.param == name


@pytest.mark.parametrize(
    "part",
    [
        ("tools", b'[{"google_search": {}}]'),
        ("tools[0][google_search]", b"{}"),
        ("tools[][googleSearch]", b"{}"),
        ("tools[0][type]", b"web_search"),
        ("generationConfig", b'{"thinkingConfig": {"thinkingLevel": "HIGH"}}'),
        ("generationConfig[thinkingConfig][thinkingLevel]", b"HIGH"),
    ],
)
def test_a_form_says_with_brackets_or_as_json_what_is_not_done(part: tuple[str, bytes]) -> None:
    """Both are seen, so neither is paid for in vain."""
    parts = [("image", png()), ("prompt", b"blue"), ("model", b"gemini-2.5-flash-image"), part]
    sent = read_media_form([Part(name, data) for name, data in parts], ImagesRequest)

    with pytest.raises(InvalidRequest, match=r"leave 'tools|leave 'generationConfig") as caught:
        edit_order(sent.media, context())
    assert caught.value.param is not None


@pytest.mark.parametrize("name", ["mask", "markup", "mask_image"])
def test_a_file_that_lies_over_a_picture_is_refused_as_such(name: str) -> None:
    """And not because its bytes are no text, or too long for one."""
    with pytest.raises(InvalidRequest, match=f"do not take a '{name}'"):
        in_form(("image", png()), (name, b"\x89" * 3_000_000), ("prompt", b"a"))


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": "x" * 101}, "prompt"),
        ({"input_fidelity": "medium"}, "input_fidelity"),
        ({"n": 11}, "n"),
        ({"size": "7:3"}, "size"),
        ({"background": "transparent"}, "background"),
        ({"svg": {"model": "x"}}, "svg"),
        ({"model": "veo-3.1-fast"}, "model"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(wish: dict[str, object], param: str) -> None:
    """Edits refuse what generations refuse."""
    with pytest.raises(InvalidRequest) as caught:
        order(**wish)

    assert caught.value.param == param


def test_an_edit_of_no_picture_is_refused() -> None:
    """It is the one thing an edit needs, and is asked for before the words."""
    for read in (edit_order, variation_order):
        with pytest.raises(InvalidRequest, match="'image' is required") as caught:
            read(MediaRequest(), TERMS)
        assert (caught.value.param, caught.value.code) == ("image", "missing_required_parameter")


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("gemini-2.5-flash-image", 3),
        ("gemini-3-pro-image", 14),
        ("gemini-3.1-flash-image", 14),
        ("gemini-3.1-flash-lite-image", 14),
        ("flow-gem-pix", 3),
        ("flow-gem-pix-2", 3),
    ],
)
def test_a_model_takes_so_many_pictures(model: str, most: int) -> None:
    """All of them or none; the error names the first that is too many."""
    given = [DATA_URL] * (most + 1)

    taken = tuple(InlineSource(png(), f"images[{at}]") for at in range(most))
    assert order(*given[:most], model=model).sources == taken
    with pytest.raises(InvalidRequest, match=f"takes at most {most} pictures; {most + 1} were given") as caught:
        order(*given, model=model)
    assert caught.value.param == f"images[{most}]"


@pytest.mark.parametrize("fidelity", [None, "low", "high"])
def test_fidelity_is_accepted_and_changes_nothing(fidelity: str | None) -> None:
    """These models look closely anyway."""
    assert order(input_fidelity=fidelity) == order()


def delivered(body: ImagesRequest) -> Delivery:
    """Return how pictures are handed over where nothing is configured."""
    return choose_delivery([asked_delivery(body)], body.media.model, "OpenAI/Python 3.57.0")


def test_an_edit_without_a_model_is_made_and_handed_over_as_openais_default_would() -> None:
    """`gpt-image-1.5`, which answers with base64; DALL-E 2 is the default of generations."""
    made = order(model=None)

    assert (made.model, made.upstream) == ("gpt-image-1.5", "gemini-nano-banana-2.1")
    assert delivered(as_edit(ImagesRequest())) is Delivery.BASE64
    assert delivered(as_edit(ImagesRequest(media=MediaRequest(model="dall-e-2")))) is Delivery.LINK
    assert delivered(as_edit(ImagesRequest(response_format="url"))) is Delivery.LINK


@pytest.mark.parametrize(
    ("wish", "form"),
    [
        ({}, Delivery.LINK),
        ({"model": "gemini-3-pro-image"}, Delivery.LINK),
        ({"response_format": "b64_json"}, Delivery.BASE64),
        ({"response_format": "url"}, Delivery.LINK),
        ({"stream": True}, Delivery.BASE64),
    ],
)
def test_a_variation_is_handed_over_by_link_where_nothing_is_said(wish: dict[str, object], form: Delivery) -> None:
    """That is the default of the route, not of a model; a stream carries base64."""
    body = as_variation(read_tree(wish, ImagesRequest))

    assert delivered(body) is form


def test_a_variation_is_made_without_words() -> None:
    """Those that a client sends along mean nothing in OpenAI's own API; ours ask for another take."""
    sent = {"n": 2, "prompt": "blue", "size": "1024x1024", "image": LINK.url}
    made = variation_order(as_variation(read_tree(sent, ImagesRequest)).media, context())

    assert (made.model, made.upstream, made.n) == ("dall-e-2", "gemini-nano-banana-2.1", 2)
    assert (made.prompt, made.sources) == (VARIATION, (LINK,))


def test_a_variation_is_of_one_picture() -> None:
    """More would be a collage."""
    with pytest.raises(InvalidRequest, match="made of one picture"):
        variation_order(read_tree({"images": ["https://a", "https://b"]}, ImagesRequest).media, TERMS)


def test_an_unknown_model_is_an_error_of_its_own() -> None:
    """As for generations."""
    with pytest.raises(UnknownModel):
        order(model="imagen-4")
