"""Pictures into OpenAI's words, struct in and JSON out."""

import json
from decimal import Decimal
from io import BytesIO

import msgspec
import pybase64
import pytest
from PIL import Image as Pillow

from adapter.domain.grounding import Grounding, WebSource
from adapter.domain.media import Image, Pixels, image_from_bytes
from adapter.domain.orders import InlineSource, StoredSource
from adapter.domain.usage import Cost, Currency, Usage
from adapter.openai_api.read.conversation import WAY_OUT, Conversation, read_wish
from adapter.openai_api.wire.chat import ChatChunk, ChatCompletion
from adapter.openai_api.wire.images import ImageCompleted, ImagesResponse
from adapter.openai_api.write import chat
from adapter.openai_api.write.images import Heading, Made, image_completed, images_response, in_pieces, quality, total
from tests.fakes import made_image, png
from tests.support import LINKS

HERE = "http://here:8000"
BLUE = {"role": "user", "content": "blue"}
ANSWER = chat.ChatHeading(id="chatcmpl-1", created=7, model="gemini-3-pro-image")
SPENT = Usage(input_text=10, input_image=200, output_text=3, output_image=1000)
NOTHING = {
    "input_tokens": 0,
    "output_tokens": 0,
    "total_tokens": 0,
    "input_tokens_details": {"text_tokens": 0, "image_tokens": 0},
    "output_tokens_details": {"text_tokens": 0, "image_tokens": 0},
}


def counted(usage: Usage | None, width: int = 16) -> Image:
    """Return a picture that cost so much."""
    return msgspec.structs.replace(made_image(width), usage=usage)


def response(*images: Image, safety_identifier: str | None = None) -> ImagesResponse:
    """Answer with pictures as base64."""
    return images_response(images, None, Heading(created=7, safety_identifier=safety_identifier))


def event(image: Image, made: Made = "image_edit.completed", safety_identifier: str | None = None) -> ImageCompleted:
    """Answer with a picture in a stream."""
    return image_completed(image, made, Heading(created=7, safety_identifier=safety_identifier))


def plain(body: ImagesResponse | ImageCompleted | ChatCompletion | ChatChunk) -> dict[str, object]:
    """Return what a client would parse, by a parser that is not ours."""
    parsed: dict[str, object] = json.loads(msgspec.json.encode(body))
    return parsed


def test_what_pictures_cost_is_summed() -> None:
    """Over all of them, each kind for itself; the totals are what the kinds add up to."""
    body = plain(response(counted(SPENT), counted(SPENT), counted(Usage(input_text=1, output_image=2))))

    assert body["usage"] == {
        "input_tokens": 421,
        "output_tokens": 2008,
        "total_tokens": 2429,
        "input_tokens_details": {"text_tokens": 21, "image_tokens": 400},
        "output_tokens_details": {"text_tokens": 6, "image_tokens": 2002},
    }


COST = Cost(Decimal("0.0336"), Currency.USD)


def test_the_cost_of_pictures_is_summed_exactly() -> None:
    """In dollars, beside the tokens. OpenAI's clients keep keys that they do not know."""
    images = [msgspec.structs.replace(counted(SPENT), cost=COST) for _ in range(3)]

    assert b'"cost":0.1008}' in msgspec.json.encode(response(*images))
    assert event(images[0]).usage.cost == 0.0336
    assert chat.enclosed(images).usage.cost == 0.1008


def test_an_unknown_cost_is_left_out() -> None:
    """Of one picture is enough: the rest is not what all of them cost."""
    known = msgspec.structs.replace(counted(SPENT), cost=COST)

    assert b"cost" not in msgspec.json.encode(response(known, counted(SPENT)))
    assert b"cost" not in msgspec.json.encode(chat.completion(ANSWER, chat.enclosed([counted(None), known])))


def test_where_nobody_counts_an_answer_has_no_usage() -> None:
    """Flow does not. The key is absent: zeros would be a lie, and null is not allowed."""
    assert "usage" not in plain(response(counted(None), counted(None)))
    assert total([counted(None)]) is None


def test_pictures_that_nobody_counted_do_not_hide_those_that_were() -> None:
    """The sum is of what is known; counted zeros are known."""
    assert total([counted(None), counted(SPENT)]) == SPENT
    assert total([counted(Usage())]) == Usage()
    assert plain(response(counted(Usage())))["usage"] == NOTHING


@pytest.mark.parametrize("made", ["image_generation.completed", "image_edit.completed"])
def test_an_event_has_every_mandatory_field(made: Made) -> None:
    """Node's and Python's types require them; where nobody counts, the tokens are zero (`openai.md` section 4)."""
    image = counted(None)

    assert plain(event(image, made)) == {
        "type": made,
        "b64_json": json.loads(bytes(image.base64)),
        "created_at": 7,
        "size": "16x9",
        "quality": "low",
        "output_format": "png",
        "background": "opaque",
        "usage": NOTHING,
    }


def test_each_event_tells_what_its_own_picture_cost() -> None:
    """Not the sum."""
    assert event(counted(SPENT)).usage.total_tokens == 1213


def test_an_answer_describes_its_first_picture() -> None:
    """There is one `size` for all of them."""
    body = plain(response(counted(SPENT, 1200), counted(SPENT, 16)))

    assert body["size"] == "1200x9"


@pytest.mark.parametrize("who", [None, "user-7"])
def test_a_safety_identifier_is_echoed(who: str | None) -> None:
    """Where one was sent; else the key is absent."""
    echoed = {} if who is None else {"safety_identifier": who}

    for body in (response(counted(None), safety_identifier=who), event(counted(None), safety_identifier=who)):
        assert {key: value for key, value in plain(body).items() if key == "safety_identifier"} == echoed


@pytest.mark.parametrize(
    ("size", "word"),
    [
        # What Gemini draws at 512, at its extremes (`gemini.md` section 1.2).
        ("512x512", "low"),
        ("192x1536", "low"),
        ("792x336", "low"),
        # At 1K; the third is the 2.5 model's smallest. Flow's are of about that size.
        ("1024x1024", "medium"),
        ("384x3072", "medium"),
        ("1344x768", "medium"),
        ("1408x768", "medium"),
        # At 2K and 4K.
        ("2048x2048", "high"),
        ("768x6144", "high"),
        ("1536x2752", "high"),
        ("4096x4096", "high"),
        ("12288x1536", "high"),
        # The borders: half way from one to the next.
        ("767x767", "low"),
        ("768x768", "medium"),
        ("1535x1535", "medium"),
        ("1536x1536", "high"),
    ],
)
def test_the_quality_of_a_picture_is_its_resolution(size: str, word: str) -> None:
    """Whatever was asked for: the answer says what there is."""
    pixels = Pixels.parse(size)

    assert pixels is not None
    assert quality(pixels) == word


def test_a_data_url_holds_the_very_bytes_of_the_picture() -> None:
    """In a whole answer and in a chunk, as any JSON parser reads it."""
    told = chat.enclosed([made_image(20), made_image(30)])
    message = plain(chat.completion(ANSWER, told))["choices"][0]["message"]  # type: ignore[index]
    delta = plain(chat.whole_chunk(ANSWER, told))["choices"][0]["delta"]  # type: ignore[index]

    assert message["images"] == delta["images"]
    urls = [picture["image_url"]["url"] for picture in message["images"]]
    assert [pybase64.b64decode(url.removeprefix("data:image/png;base64,"), validate=True) for url in urls] == [
        png(20, 9),
        png(30, 9),
    ]


def test_a_data_url_names_the_type_that_the_picture_has() -> None:
    """By its bytes."""
    file = BytesIO()
    Pillow.new("RGB", (16, 9)).save(file, "JPEG")
    jpeg = image_from_bytes(file.getvalue())
    assert jpeg is not None

    assert bytes(chat.enclosed([jpeg]).images[0].image_url.url).startswith(b'"data:image/jpeg;base64,/9j/')


def test_pictures_beside_the_text_come_in_one_chunk_with_numbers_of_their_own() -> None:
    """Python's helper joins what has the same number, Node's overwrites what comes later (`openai.md` section 6)."""
    told = chat.enclosed([made_image(), made_image(), made_image()])
    delta = plain(chat.whole_chunk(ANSWER, told))["choices"][0]["delta"]  # type: ignore[index]

    assert set(delta) == {"images"}
    assert [picture["index"] for picture in delta["images"]] == [0, 1, 2]
    assert {picture["type"] for picture in delta["images"]} == {"image_url"}


def test_a_whole_answer_with_pictures_beside_it_still_has_a_text() -> None:
    """An empty one: the key is required, and null breaks front-ends."""
    [choice] = chat.completion(ANSWER, chat.enclosed([made_image()])).choices

    assert choice.message.content == ""


def test_linked_pictures_are_markdown_of_their_own_paragraphs() -> None:
    """And nothing stands beside the text."""
    links = ["http://here/media/a.png", "http://here/media/b.png"]
    told = chat.linked([made_image(), made_image()], links)
    delta = plain(chat.whole_chunk(ANSWER, told))["choices"][0]["delta"]  # type: ignore[index]

    assert delta == {"content": "![image](http://here/media/a.png)\n\n![image](http://here/media/b.png)"}
    assert "images" not in plain(chat.completion(ANSWER, told))["choices"][0]["message"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("spent", "usage"), [(SPENT, (420, 2006, 2426)), (None, (0, 0, 0))], ids=["counted", "nobody counted"]
)
def test_a_chat_tells_what_its_pictures_cost(spent: Usage | None, usage: tuple[int, int, int]) -> None:
    """In a chat the keys are required, so they are zero where nobody counts."""
    images = [counted(spent), counted(spent)]

    for told in (chat.linked(images, ["a", "b"]), chat.enclosed(images)):
        body = plain(chat.completion(ANSWER, told))
        prompt, completion, both = usage
        assert body["usage"] == {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": both}


def test_a_line_of_progress_says_how_long_it_has_been() -> None:
    """And no percentage: nobody tells how far a picture is."""
    assert chat.picture_line(0) == "Making the picture."
    assert chat.picture_line(12.9) == "Making the picture: 12 s so far."
    assert chat.picture_line(65) == "Making the picture: 1 min 05 s so far."


def test_what_is_shown_is_what_the_next_turn_means() -> None:
    """The answer's own JSON, sent back as history, leads to the same picture: the two halves know each other."""
    for told in (chat.linked([made_image()], ["http://here:8000/media/a.png"]), chat.enclosed([made_image()])):
        [choice] = chat.completion(ANSWER, told).choices
        history = msgspec.json.encode([{"role": "user", "content": "a fox"}, choice.message, BLUE])
        [source] = read_wish(Conversation(msgspec.json.decode(history), "messages", LINKS), look_back=True).pictures
        assert source in {
            StoredSource("a.png", "messages", advice=WAY_OUT),
            InlineSource(png(), "messages", advice=WAY_OUT),
        }


def grounded() -> Image:
    """Return a picture for which the model searched the web."""
    found = Grounding(queries=("fox",), sources=(WebSource("https://a.example/", "A fox"),), suggestions="<div></div>")
    return msgspec.structs.replace(made_image(), grounding=found)


def test_the_images_api_has_what_was_searched_beside_each_picture() -> None:
    """As base64, as a link, in pieces and in a stream; a picture without a search has no such field."""
    image = grounded()
    found = {"queries": ["fox"], "sources": [{"url": "https://a.example/", "title": "A fox"}]}
    heading = Heading(created=7)
    whole = json.loads(b"".join(in_pieces([image, made_image()], heading)))

    assert plain(response(image))["data"][0]["grounding"] == found  # type: ignore[index]
    assert plain(images_response([image], ["https://here/a.png"], heading))["data"] == [
        {"url": "https://here/a.png", "grounding": found}
    ]
    assert [one.get("grounding") for one in whole["data"]] == [found, None]
    assert plain(event(image))["grounding"] == found


def test_a_chat_has_the_pages_below_its_pictures() -> None:
    """Also where the pictures are no part of the text."""
    listed = "Sources:\n- [A fox](https://a.example/)"

    assert chat.linked([grounded()], ["https://here/a.png"]).content == f"![image](https://here/a.png)\n\n{listed}"
    assert chat.enclosed([grounded()]).content == listed
