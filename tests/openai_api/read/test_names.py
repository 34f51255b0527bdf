"""Every name of the golden table at every route: honoured, or refused by the name as it was sent."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
import pytest

from adapter.domain.media import MediaFormat
from adapter.domain.orders import ImageOrder, LinkSource, VideoDraft
from adapter.errors import InvalidRequest
from adapter.openai_api.read.chat import chat_image_order, chat_video_draft
from adapter.openai_api.read.edits import as_edit, edit_order
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.images import generation_order
from adapter.openai_api.read.media import read_media_form, read_media_json
from adapter.openai_api.read.names import ATTACHMENTS, CONTAINERS, FIELDS, REFUSED
from adapter.openai_api.read.names import PICTURES as PICTURE_NAMES
from adapter.openai_api.read.responses import read_response
from adapter.openai_api.read.videos import read_video_form, read_video_json
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.responses import ResponsesRequest
from tests.support import GOLDEN, ROOT, context

TERMS = context()
PICTURES, VIDEOS = {"model": "gemini-3.1-flash-image"}, {"model": "veo-3.1-fast"}
#: A picture that an edit needs and nothing of the table brings.
GIVEN = "https://a.example/given.png"
CHAT = {"messages": [{"role": "user", "content": "a fox"}]}
NOTHINGS: list[object] = [None, "", [], [""]]
TOOL = {"type": "image_generation"}

Body = dict[str, object]
Order = ImageOrder | VideoDraft


class Row(NamedTuple):
    """A line of the table."""

    names: list[str]
    values: list[object]
    pictures: str
    videos: str


def rows() -> Iterator[Row]:
    """Read the table."""
    for line in (GOLDEN / "openai" / "names.txt").read_text().splitlines():
        if not line.startswith("#"):
            names, values, pictures, videos = (cell.strip() for cell in line.split(" | "))
            decoded = [msgspec.json.decode(value) for value in values.split(" & ")]
            yield Row(names.split(" & "), decoded, pictures, videos)


ROWS = list(rows())


def body(row: Row) -> Body:
    """Write the row's fields as JSON has them."""
    sent: Body = {}
    for name, value in zip(row.names, row.values, strict=True):
        *containers, last = name.split(".")
        inner = sent
        for container in containers:
            below = inner.setdefault(container, {})
            assert isinstance(below, dict)
            inner = below
        inner[last] = value
    return sent


def form(row: Row, **fields: str) -> list[Part] | None:
    """Write the row's fields as a form has them; None for what forms cannot say."""
    parts = [Part(name, value.encode()) for name, value in fields.items()]
    for name, value in zip(row.names, row.values, strict=True):
        first, *inner = name.split(".")
        spelt = first + "".join(f"[{key}]" for key in inner)
        if value is None or isinstance(value, bool | dict | list):
            return None
        if name in {"image", "image_url"} and value in {"fox", 7}:
            return None  # the bytes of a file, which are looked at later
        parts.append(Part(spelt, str(value).encode()))
    return parts


def made(sent: Body) -> Callable[[type[ImagesRequest]], ImagesRequest]:
    """Return a reader of a JSON body."""
    return lambda kind: read_media_json(msgspec.json.encode(sent), kind)


def of_pictures(row: Row) -> Iterator[tuple[str, Callable[[], Order]]]:
    """Bring a row to every route that makes pictures."""
    sent = {"prompt": "a fox", **PICTURES, **body(row)}
    yield "generation", lambda: generation_order(made(sent)(ImagesRequest).media, TERMS)
    yield "edit", lambda: edit_order(as_edit(made(with_picture(row, sent))(ImagesRequest)).media, TERMS)
    chat = {**CHAT, **PICTURES, **body(row)}
    yield "chat", lambda: chat_image_order(read_media_json(msgspec.json.encode(chat), ChatRequest), TERMS)
    response = {"input": "a fox", **PICTURES, **body(row)}
    if "n=" not in row.pictures:  # a response is one picture
        yield "response", lambda: answered(response)
        if "tools" not in row.names:
            beside: Body = {**response, "tools": [TOOL], "model": "gpt-5.2"}
            within: Body = {"input": "a fox", "model": "gpt-5.2", "tools": [{**TOOL, **body(row)}]}
            yield "response beside the tool", lambda: answered(beside)
            yield "tool", lambda: answered(within)
    if (parts := form(row, prompt="a fox", **PICTURES)) is not None:
        yield "form", lambda: generation_order(read_media_form(parts, ImagesRequest).media, TERMS)


def with_picture(row: Row, sent: Body) -> Body:
    """Return a body with a picture, unless the row brings one."""
    brings = any(
        name in PICTURE_NAMES and value not in NOTHINGS for name, value in zip(row.names, row.values, strict=True)
    )
    return sent if brings or row.names[0] == "parameters.referenceImages" else {**sent, "images": [GIVEN]}


def of_videos(row: Row) -> Iterator[tuple[str, Callable[[], Order]]]:
    """Bring a row to every route that makes videos."""
    sent = {"prompt": "a fox", **VIDEOS, **body(row)}
    yield "video", lambda: read_video_json(msgspec.json.encode(sent), TERMS)
    chat = {**CHAT, **VIDEOS, **body(row)}
    yield "chat", lambda: chat_video_draft(read_media_json(msgspec.json.encode(chat), ChatRequest), TERMS)
    response = {"input": "a fox", **VIDEOS, **body(row)}
    yield "response", lambda: answered(response)
    if (parts := form(row, prompt="a fox", **VIDEOS)) is not None:
        yield "form", lambda: read_video_form(parts, TERMS)


def answered(sent: Body) -> Order:
    """Read a request of the Responses API."""
    order = read_response(read_media_json(msgspec.json.encode(sent), ResponsesRequest), TERMS, ()).order
    assert order is not None
    return order


def told(order: Order) -> str:
    """Say what of an order is another one than of a plain request, in the words of the table."""
    said: list[str] = []
    sources = [source for source in order.sources if not isinstance(source, LinkSource) or source.url != GIVEN]
    if isinstance(order, VideoDraft):
        film = order.order
        said += [f"ratio={film.ratio}"] if film.ratio != "16:9" else []
        said += [f"seconds={film.seconds}"] if film.seconds != 8 else []
        said += [f"seed={film.seed}"] if film.seed is not None else []
        said += [f"pictures={film.input}"] if sources else []
    else:
        said += [f"n={order.n}"] if order.n != 1 else []
        said += [f"ratio={order.frame.ratio}"] if order.frame.ratio else []
        said += [f"tier={order.frame.resolution}"] if order.frame.resolution else []
        said += [f"format={order.format.name}"] if order.format is not MediaFormat.PNG else []
        said += [f"compression={order.compression}"] if order.compression != 100 else []
        said += [f"seed={order.seed}"] if order.seed is not None else []
        said += [f"pictures={''.join(map(number, sources))}"] if sources else []
        said += [f"thinking={order.thinking}"] if order.thinking is not None else []
        said += ["searched"] if order.grounded else []
    return " ".join(said) or "-"


def number(source: object) -> str:
    """Return the number of a picture of the table, which stands in its address."""
    return source.url.removesuffix(".png")[-1] if isinstance(source, LinkSource) else "?"


def refused_by(read: Callable[[], Order]) -> str:
    """Return what a request comes to: as `told`, or 400 with the name."""
    try:
        return told(read())
    except InvalidRequest as fault:
        return f"400 {fault.param}"


def expected(row: Row, outcome: str, route: str) -> str:
    """Return a cell as it reads at a route: `400` alone means the row's only name."""
    if not outcome.startswith("400"):
        return outcome
    name = outcome.removeprefix("400").strip() or row.names[0]
    if route == "form":
        first, *inner = name.split(".")
        name = first + "".join(f"[{key}]" for key in inner)
    if route == "tool":
        name = f"tools[0].{name}"
    return f"400 {name}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{'&'.join(row.names)}={row.values}")
def test_a_name_means_the_same_at_every_route_of_pictures(row: Row) -> None:
    """Honoured, refused as it was sent, or nobody's."""
    found = {route: refused_by(read) for route, read in of_pictures(row)}

    assert found == {route: expected(row, row.pictures, route) for route in found}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{'&'.join(row.names)}={row.values}")
def test_a_name_means_the_same_at_every_route_of_videos(row: Row) -> None:
    """Honoured, refused as it was sent, or nobody's."""
    found = {route: refused_by(read) for route, read in of_videos(row)}

    assert found == {route: expected(row, row.videos, route) for route in found}


def test_the_page_of_names_has_every_name() -> None:
    """What is honoured or refused stands in `docs/names.md`, and in the golden table if it is a main one."""
    page = (ROOT / "docs" / "names.md").read_text()
    names = {*FIELDS, *PICTURE_NAMES, *REFUSED, *CONTAINERS, *ATTACHMENTS}

    assert [
        name for name in sorted(names) if name == name.lower() and f"`{name}`" not in page and f"`{name}:" not in page
    ] == []


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ({"sizePolicy": "exact"}, "size_policy", "exact"),
        ({"responseFormat": "url"}, "response_format", "url"),
        ({"inputFidelity": "high"}, "input_fidelity", "high"),
        ({"partialImages": 2.0}, "partial_images", 2),
        ({"safetyIdentifier": "u1"}, "safety_identifier", "u1"),
        ({"sizePolicy": "exact", "size_policy": "exact"}, "size_policy", "exact"),
        ({"responseFormat": {"image": {"aspectRatio": "9:16"}}}, "aspect_ratio", "9:16"),
    ],
)
def test_a_field_of_one_route_counts_in_both_spellings(said: Body, field: str, value: object) -> None:
    """JavaScript's clients hand options on as they are written there."""
    request = made({"prompt": "a fox", **said})(ImagesRequest)

    assert getattr(request.media, field, None) or getattr(request, field) == value


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"sizePolicy": "wide"}, "sizePolicy"),
        ({"sizePolicy": 7}, "sizePolicy"),
        ({"partialImages": 9}, "partialImages"),
        ({"inputFidelity": "best"}, "inputFidelity"),
        ({"frameCount": 3}, "frameCount"),
        ({"sizePolicy": "exact", "size_policy": "cover"}, "size_policy"),
    ],
)
def test_a_field_in_the_other_spelling_is_refused_as_it_was_sent(said: Body, param: str) -> None:
    """`param` is what the client can look for in its own request."""
    with pytest.raises(InvalidRequest) as caught:
        generation_order(made({"prompt": "a fox", **PICTURES, **said})(ImagesRequest).media, TERMS)
    with pytest.raises(InvalidRequest) as within:
        answered({"input": "a fox", "model": "gpt-5.2", "tools": [{**TOOL, **said}]})

    assert [caught.value.param, within.value.param] == [param, f"tools[0].{param}"]
