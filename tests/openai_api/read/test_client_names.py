"""The error of a field names the field as its client wrote it: every field, every spelling, every route."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import msgspec
import pytest

from adapter.domain.job import Stored, StoredVideo, VideoJob, advance
from adapter.errors import InvalidRequest, UnknownModel
from adapter.openai_api.read.chat import chat_image_order, chat_video_draft
from adapter.openai_api.read.delivery import asked_delivery
from adapter.openai_api.read.edits import as_edit, as_variation, edit_order, variation_order
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.images import generation_order
from adapter.openai_api.read.markup import asked_markup
from adapter.openai_api.read.media import read_media_form, read_media_json
from adapter.openai_api.read.names import FIELDS, PICTURES, REFUSED, spellings
from adapter.openai_api.read.responses import read_response
from adapter.openai_api.read.video_works import remix_draft
from adapter.openai_api.read.videos import read_video_form, read_video_json
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest
from adapter.openai_api.wire.responses import ImageTool, ResponsesRequest
from adapter.openai_api.wire.videos import RemixRequest, VideosRequest
from tests.fakes import rendered_job
from tests.support import context

TERMS = context(longest_prompt=1000)
PICTURE = "https://a.example/fox.png"
Body = Mapping[str, object]

#: What no picture can be, and no video, for each field; an empty text where nothing is refused.
REFUSED_VALUES: Mapping[str, tuple[object, object]] = {
    "model": ("no-such-model", "no-such-model"),
    "prompt": ("x" * 1001, "x" * 1001),
    "n": (11, 2),
    "size": ("banana", "banana"),
    "aspect_ratio": ("wide", "wide"),
    "resolution": ("3K", "3K"),
    "quality": ("superb", "superb"),
    "output_format": ("svg", "png"),
    "output_compression": (101, 50),
    "seconds": (8, 5),
    "seed": ("lucky", "lucky"),
    "roles": ("", "first_frame"),
    "background": ("transparent", ""),
    "moderation": ("none", ""),
    "style": ("cubist", ""),
    "partial_images": (9, ""),
    "input_fidelity": ("best", ""),
    "size_policy": ("wide", ""),
    "thinking_level": ("low", "high"),
    "complexity": ("huge", "huge"),
    "reasoning_effort": ("huge", "huge"),
    "search": (7, 7),
    "frame_count": (9, ""),
    "frame_duration_ms": (200, ""),
    "svg": ({"a": 1}, ""),
    "characters": ("", ["ada"]),
    "pictures": (7, 7),
}
#: Of these a remix takes no notice: they make no other video.
NOT_OF_A_REMIX = {"output_format", "output_compression"}


class Route(NamedTuple):
    """A way in."""

    name: str
    #: The fields that it knows beside those of every route.
    known: frozenset[str]
    read: Callable[[Body], object]
    #: What stands before a field's name.
    inside: str = ""


def images(read: Callable[[ImagesRequest], object], sent: Body) -> object:
    """Read a request of the Images API."""
    whole = {"model": "gemini-3.1-flash-image", "prompt": "a fox", **sent}
    return read(read_media_json(msgspec.json.encode(whole), ImagesRequest))


def parts(sent: Body) -> list[Part]:
    """Write fields as a form."""
    return [Part(name, str(value).encode()) for name, value in sent.items()]


def images_form(sent: Body) -> object:
    """Read a generation as a form."""
    whole = {"model": "gemini-3.1-flash-image", "prompt": "a fox", **sent}
    return generation_order(read_media_form(parts(whole), ImagesRequest).media, TERMS)


def chat(model: str, read: Callable[[ChatRequest], object], sent: Body) -> object:
    """Read a chat."""
    whole = {"model": model, "messages": [{"role": "user", "content": "a fox"}], **sent}
    return read(read_media_json(msgspec.json.encode(whole), ChatRequest))


def response(model: str, sent: Body) -> object:
    """Read a response."""
    whole = {"model": model, "input": "a fox", **sent}
    return read_response(read_media_json(msgspec.json.encode(whole), ResponsesRequest), TERMS, ())


def tool(sent: Body) -> object:
    """Read a response whose tool has the fields."""
    return response("gpt-5.2", {"tools": [{"type": "image_generation", **sent}]})


def finished() -> VideoJob:
    """Return a job whose video is there."""
    file = StoredVideo(video="fox.mp4", poster=None, size=1, sha256="00")
    return advance(rendered_job(), Stored(file, 1010.0))


def remix(sent: Body) -> object:
    """Read a remix."""
    body = read_media_json(msgspec.json.encode({"prompt": "a fox", **sent}), RemixRequest)
    return remix_draft(body.media, finished(), TERMS)


def with_picture(sent: Body) -> Body:
    """Return a body that has a picture to work from."""
    return sent if any(name in PICTURES for name in sent) else {"image": PICTURE, **sent}


PICTURE_ROUTES = [
    Route("generation", ImagesRequest.KNOWN, partial(images, lambda body: generation_order(body.media, TERMS))),
    Route(
        "edit",
        ImagesRequest.KNOWN,
        lambda sent: images(lambda body: edit_order(as_edit(body).media, TERMS), with_picture(sent)),
    ),
    Route(
        "variation",
        ImagesRequest.KNOWN - {"prompt"},
        lambda sent: images(lambda body: variation_order(as_variation(body).media, TERMS), with_picture(sent)),
    ),
    Route("form", ImagesRequest.KNOWN, images_form),
    Route(
        "chat",
        ChatRequest.KNOWN,
        partial(chat, "gemini-3.1-flash-image", lambda body: chat_image_order(body, TERMS)),
    ),
    Route("response", frozenset(), partial(response, "gemini-3.1-flash-image")),
    Route(
        "beside the tool",
        frozenset(),
        lambda sent: response("gpt-5.2", {"tools": [{"type": "image_generation"}], **sent}),
    ),
    Route("tool", ImageTool.KNOWN, tool, inside="tools[0]."),
]
VIDEO_ROUTES = [
    Route(
        "video",
        VideosRequest.KNOWN,
        lambda sent: read_video_json(msgspec.json.encode({"model": "veo-3.1-fast", "prompt": "a fox", **sent}), TERMS),
    ),
    Route(
        "video form",
        VideosRequest.KNOWN - {"characters"},
        lambda sent: read_video_form(parts({"model": "veo-3.1-fast", "prompt": "a fox", **sent}), TERMS),
    ),
    Route("chat with a video", frozenset(), partial(chat, "veo-3.1-fast", lambda body: chat_video_draft(body, TERMS))),
    Route("response with a video", frozenset(), partial(response, "veo-3.1-fast")),
    Route("remix", RemixRequest.KNOWN, remix),
]


def names_of(field: str) -> Iterator[str]:
    """Yield what clients call a field."""
    if field == "pictures":
        yield from PICTURES
    elif field in FIELDS.values():
        yield from (name for name, known in FIELDS.items() if known == field)
    else:
        yield from spellings(field)


def table() -> Iterator[tuple[Route, str, object]]:
    """Yield each field with a value that a route refuses."""
    for routes, at in ((PICTURE_ROUTES, 0), (VIDEO_ROUTES, 1)):
        for route in routes:
            for field, values in REFUSED_VALUES.items():
                everywhere = field in {"model", "pictures", *FIELDS.values()}
                if values[at] == "" or not (everywhere or field in route.known):
                    continue
                if field in NOT_OF_A_REMIX and route.name == "remix":
                    continue
                if route.name.endswith("form") and field == "pictures":
                    continue  # there a text is the picture's file
                yield route, field, values[at]


def told(route: Route, name: str, value: object) -> str | None:
    """Return the parameter that the error of a field names."""
    with pytest.raises((InvalidRequest, UnknownModel)) as caught:
        route.read({name: value})
    return caught.value.param


def test_the_table_has_every_field() -> None:
    """A new field of a request gets a row."""
    assert {*REFUSED_VALUES} == {*MediaRequest.__struct_fields__} - {"names"}


@pytest.mark.parametrize(
    ("route", "field", "value"), [*table()], ids=lambda one: one.name if isinstance(one, Route) else str(one)[:20]
)
def test_an_error_names_the_field_as_it_was_sent(route: Route, field: str, value: object) -> None:
    """In each of its spellings."""
    found = {name: told(route, name, value) for name in names_of(field)}

    assert found == {name: f"{route.inside}{name}" for name in names_of(field)}


def delivery(sent: Body) -> object:
    """Read how a generation is handed over."""
    return images(asked_delivery, sent)


def markup(sent: Body) -> object:
    """Read how a video of a chat is shown."""
    return chat("veo-3.1-fast", lambda body: asked_markup(body, TERMS.catalogue), sent)


@pytest.mark.parametrize(
    ("read", "field", "value"),
    [
        (delivery, "response_format", "gif"),
        (delivery, "response_format", 7),
        (delivery, "safety_identifier", 7),
        (markup, "video_markup", "bbcode"),
        (markup, "stream_options", 7),
        (partial(response, "veo-3.1-fast"), "conversation", "conv_1"),
        (partial(response, "veo-3.1-fast"), "previous_response_id", 7),
        (lambda sent: response("gpt-5.2", {"tools": [{"type": "image_generation"}], **sent}), "tool_choice", "web"),
        (lambda sent: response("veo-3.1-fast", {"background": True, **sent}), "store", False),
        (tool, "action", "blur"),
    ],
)
def test_a_field_of_one_route_is_named_as_it_was_sent(
    read: Callable[[Body], object], field: str, value: object
) -> None:
    """In both of its spellings."""
    inside = "tools[0]." if read is tool else ""
    found = {name: told(Route("", frozenset(), read), name, value) for name in spellings(field)}

    assert found == {name: f"{inside}{name}" for name in spellings(field)}


@pytest.mark.parametrize("route", [*PICTURE_ROUTES, *VIDEO_ROUTES], ids=lambda route: route.name)
def test_a_wish_that_no_model_grants_is_refused_by_its_own_name(route: Route) -> None:
    """The same for all of them, whatever the route."""
    found = {name: told(route, name, "something") for name in REFUSED}

    assert found == {name: f"{route.inside}{name}" for name in REFUSED}


@pytest.mark.parametrize("route", [*PICTURE_ROUTES, *VIDEO_ROUTES], ids=lambda route: route.name)
def test_a_field_in_a_container_is_named_with_the_way_to_it(route: Route) -> None:
    """`generationConfig.seed`; a form has brackets."""
    name = "generationConfig[seed]" if route.name.endswith("form") else "generationConfig.seed"
    sent = {name: "lucky"} if route.name.endswith("form") else {"generationConfig": {"seed": "lucky"}}
    with pytest.raises(InvalidRequest) as caught:
        route.read(sent)

    assert caught.value.param == f"{route.inside}{name}"
