"""Orders into Gemini's JSON and its answers into pictures, against golden exchanges (seed 003)."""

from collections.abc import Callable, Sequence

import msgspec
import pybase64
import pytest

from adapter.domain.grounding import Grounding, WebSource
from adapter.domain.media import Frame, Image, Pixels, Ratio, Resolution, Signatures, image_from_bytes
from adapter.domain.orders import MAX_SEED, EarlierTurn, ImageOrder, TurnPart
from adapter.domain.thinking import ThinkingLevel
from adapter.domain.usage import Usage
from adapter.errors import AdapterError, ContentRefused, InvalidRequest, NoMedia, UpstreamBroken, UpstreamOverloaded
from adapter.providers.gemini import translate, wire
from adapter.providers.gemini.grounding import web_address
from adapter.providers.reply import Reply
from tests.fakes import jpeg, made_image, png
from tests.support import GOLDEN

PLAIN = ImageOrder(
    model="gemini-3.1-flash-image",
    provider="gemini",
    upstream="gemini-3.1-flash-image",
    prompt="HA [style] sticker of a [subject]",
    n=1,
    frame=Frame(),
)


def sent(order: ImageOrder, inputs: Sequence[Image] = (), index: int = 0) -> object:
    """Return the JSON that goes to Gemini."""
    return msgspec.json.decode(msgspec.json.encode(translate.image_request(order, inputs, index)))


def golden(name: str, **pictures: bytes) -> Reply:
    """Return a golden answer with real pictures in its places."""
    text = (GOLDEN / "gemini" / f"{name}.response.json").read_text()
    for place, data in pictures.items():
        text = text.replace("{{" + place + "}}", pybase64.b64encode(data).decode())
    return Reply(200, text.encode())


def test_a_framed_order_is_the_seeds_request() -> None:
    """Text to picture with `imageConfig`, as seed 003 writes it (and with the role, which it leaves out there)."""
    golden_request = msgspec.json.decode((GOLDEN / "seeds" / "gemini.text.request.json").read_bytes())
    [turn] = golden_request["contents"]
    framed = msgspec.structs.replace(
        PLAIN, prompt=turn["parts"][0]["text"], frame=Frame(Ratio.PORTRAIT, Resolution.ONE)
    )

    assert sent(framed) == {**golden_request, "contents": [{"role": "user", **turn}]}


def test_an_order_with_pictures_is_the_seeds_request() -> None:
    """Text first, then each picture with the type that its bytes have."""
    golden_request = msgspec.json.decode((GOLDEN / "seeds" / "gemini.edit.request.json").read_bytes())
    [turn] = golden_request["contents"]
    pictures = [made_image(16, 16), image_from_bytes(jpeg())]
    assert pictures[1] is not None
    order = msgspec.structs.replace(PLAIN, prompt=turn["parts"][0]["text"])

    parts = sent(order, pictures)["contents"][0]["parts"]  # type: ignore[index,arg-type]
    assert parts[0] == turn["parts"][0]
    assert parts[1:] == [
        {"inlineData": {"mimeType": mime, "data": pybase64.b64encode(data).decode()}}
        for mime, data in (("image/png", png(16, 16)), ("image/jpeg", jpeg()))
    ]
    [given] = (part["inline_data"] for part in turn["parts"] if "inline_data" in part)
    assert given.keys() == {"mime_type", "data"}  # the seed's spelling; both are one field (`gemini.md` section 1.3)


def test_tokens_are_counted_by_kind() -> None:
    """Whatever is not a picture's is text's; the details never add up to the total (`gemini.md` section 1.4)."""
    counted = translate.image(golden("picture", draft=png(1, 1), first=png(2, 2), last=png(3, 3))).usage

    assert counted == Usage(input_text=615, output_text=446, output_image=2240)
    assert (counted.input, counted.output, counted.total) == (615, 2686, 3301)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (b"{}", Usage()),
        (
            b'{"promptTokenCount": 615, "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 516}]}',
            Usage(input_text=99, input_image=516),
        ),
        (
            b'{"promptTokenCount": 5, "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}]}',
            Usage(input_text=5, output_image=1290),
        ),
        (b'{"promptTokenCount": 5, "toolUsePromptTokenCount": 2, "totalTokenCount": 7}', Usage(input_text=7)),
    ],
)
def test_counts_that_are_left_out_are_zero(metadata: bytes, expected: Usage) -> None:
    """Nothing becomes negative."""
    assert translate.usage(msgspec.json.decode(metadata, type=wire.UsageMetadata)) == expected


def test_an_answer_without_counts_has_none() -> None:
    """Not zero: nobody counted."""
    data = pybase64.b64encode(png()).decode()
    body = msgspec.json.encode({"candidates": [{"content": {"parts": [{"inlineData": {"data": data}}]}}]})

    assert translate.image(Reply(200, body)).usage is None


def test_low_moderation_switches_the_adjustable_filters_off() -> None:
    """All four of them, and nothing is said otherwise."""
    lenient = sent(msgspec.structs.replace(PLAIN, lenient=True))

    assert [setting["threshold"] for setting in lenient["safetySettings"]] == ["BLOCK_NONE"] * 4  # type: ignore[index]
    assert "safetySettings" not in sent(PLAIN)  # type: ignore[operator]


def test_a_level_of_thinking_and_a_search_are_sent_as_googles_clients_send_them() -> None:
    """Captured of google-genai (`nano-banana-2.1.md` section 3)."""
    order = msgspec.structs.replace(
        PLAIN,
        prompt="fox",
        frame=Frame(Ratio.LANDSCAPE, Resolution.TWO),
        thinking=ThinkingLevel.HIGH,
        grounded=True,
    )

    assert sent(order) == msgspec.json.decode((GOLDEN / "gemini" / "grounded.request.json").read_bytes())


def test_what_a_search_found_comes_with_the_picture() -> None:
    """What any page of the web can write is cleaned, and what is no web address is left out."""
    assert translate.image(golden("grounded", last=png())).grounding == Grounding(
        queries=("fox size", "fox weight"),
        sources=(
            WebSource("https://vertexaisearch.cloud.google.com/grounding-api-redirect/AUZIYQ", "wikipedia.org"),
            WebSource("https://b.example/a%29%20%5Bb%5D?q=%22x%22#c", "Two lines [x](https://evil.example)"),
            WebSource("http://c.example:8080/", ""),
        ),
        suggestions='<div class="container">fox size</div>',
    )


@pytest.mark.parametrize(
    "metadata",
    [b"null", b"[]", b"7", b"{}", b'{"groundingChunks": 7}', b'{"groundingChunks": [{"web": {"uri": "ftp://a"}}]}'],
)
def test_a_picture_is_not_lost_for_an_odd_search(metadata: bytes) -> None:
    """It is paid for."""
    data = pybase64.b64encode(png())
    body = b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": "%s"}}]}, "groundingMetadata": %s}]}'

    image = translate.image(Reply(200, body % (data, metadata)))

    assert (image.decode(), image.grounding) == (png(), None)


def test_sources_that_can_be_read_stay_beside_odd_ones() -> None:
    """Each is read by itself."""
    chunks = b'[7, {"web": {"uri": "https://a.example/", "title": "A"}}, {"web": {"uri": 7}}, {"web": null}]'
    body = b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": "%s"}}]}, "groundingMetadata": %s}]}'
    metadata = b'{"webSearchQueries": [7, "fox"], "groundingChunks": ' + chunks + b"}"

    image = translate.image(Reply(200, body % (pybase64.b64encode(png()), metadata)))

    assert image.grounding == Grounding(queries=("fox",), sources=(WebSource("https://a.example/", "A"),))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://a.example/b", "https://a.example/b"),
        ("HTTPS://A.Example/b", "https://a.example/b"),
        (" https://a.example/b\n", "https://a.example/b"),
        ("https://a.example/b%20c", "https://a.example/b%20c"),
        ("https://a.example/b c", "https://a.example/b%20c"),
        ("https://a.example/(b)", "https://a.example/%28b%29"),
        ("https://a.example/<b>'`\\", "https://a.example/%3Cb%3E%27%60%5C"),
        ("https://a.example/ä", "https://a.example/%C3%A4"),
        ("https://bank.example@evil.example/", None),
        ("https://evil.example\\@bank.example/", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//a.example/b", None),
        ("https://", None),
        ("https://a.example:99999/", None),
        ("https://[::1", None),
        ("https://a\u202eb.example/", None),
        ("", None),
        ("https://a.example/" + "b" * 5000, None),
    ],
)
def test_only_a_plain_web_address_becomes_a_link(text: str, found: str | None) -> None:
    """In a form that ends no link early."""
    assert web_address(text) == found


def test_an_open_frame_is_not_mentioned() -> None:
    """Gemini then chooses; `imageConfig: {}` would be a choice of ours."""
    assert sent(PLAIN)["generationConfig"] == {"responseModalities": ["IMAGE"]}  # type: ignore[index]


@pytest.mark.parametrize(("seed", "index", "expected"), [(7, 0, 7), (7, 3, 10), (MAX_SEED, 1, 0)])
def test_each_picture_of_an_order_has_its_own_seed(seed: int, index: int, expected: int) -> None:
    """Counting up, and around at the end of the field."""
    order = msgspec.structs.replace(PLAIN, seed=seed)

    assert translate.image_request(order, (), index).generation_config.seed == expected


def test_earlier_turns_stand_before_the_prompt() -> None:
    """With their signatures; only the pictures that are left belong to the prompt."""
    turns = (
        EarlierTurn(role="user", parts=(TurnPart(text="a fox"), TurnPart(picture=0))),
        EarlierTurn(
            role="model", parts=(TurnPart(text="So.", signature="dw=="), TurnPart(picture=1, signature="cA=="))
        ),
    )
    order = msgspec.structs.replace(PLAIN, prompt="make it blue", turns=turns)
    pictures = [made_image(width, 1) for width in (1, 2, 3)]
    data = [msgspec.json.decode(picture.base64) for picture in pictures]
    body = msgspec.json.decode(msgspec.json.encode(translate.image_request(order, pictures, 0)))

    first, second, third = ({"inlineData": {"mimeType": "image/png", "data": one}} for one in data)
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "a fox"}, first]},
        {
            "role": "model",
            "parts": [{"text": "So.", "thoughtSignature": "dw=="}, {**second, "thoughtSignature": "cA=="}],
        },
        {"role": "user", "parts": [{"text": "make it blue"}, third]},
    ]


def test_the_last_picture_that_is_no_draft_is_the_one() -> None:
    """Thinking models send drafts before it, with and without the mark (`gemini.md` section 1.4)."""
    image = translate.image(golden("picture", draft=png(10, 10), first=png(20, 20), last=png(30, 20)))

    assert image.pixels == Pixels(30, 20)
    assert image.decode() == png(30, 20)


@pytest.mark.parametrize(
    ("name", "words"),
    [("blocked", "PROHIBITED_CONTENT"), ("image_safety", "violated Google's policy")],
)
def test_a_refusal_inside_a_200_is_a_refusal(name: str, words: str) -> None:
    """Google's own words reach the client as a 400 `moderation_blocked`."""
    with pytest.raises(ContentRefused, match=words) as caught:
        translate.image(golden(name))

    assert (caught.value.status, caught.value.code) == (400, "moderation_blocked")


@pytest.mark.parametrize(
    "reason",
    [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    ],
)
def test_every_judgement_of_the_content_is_a_refusal(reason: str) -> None:
    """Not a failure of the model, which would be asked again for money (`gemini.md` section 3)."""
    body = msgspec.json.encode({"candidates": [{"content": {}, "finishReason": reason}]})

    with pytest.raises(ContentRefused, match=reason):
        translate.image(Reply(200, body))


@pytest.mark.parametrize("reason", ["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "JAILBREAK"])
def test_every_blocked_prompt_is_a_refusal(reason: str) -> None:
    """There are no candidates then."""
    body = msgspec.json.encode({"promptFeedback": {"blockReason": reason}})

    with pytest.raises(ContentRefused, match=reason):
        translate.image(Reply(200, body))


def answer_of(*parts: tuple[bytes, bool]) -> Reply:
    """Return an answer of pictures, each a draft or not."""
    made = [{"inlineData": {"data": pybase64.b64encode(data).decode()}, "thought": draft} for data, draft in parts]
    return Reply(200, msgspec.json.encode({"candidates": [{"content": {"parts": made}, "finishReason": "STOP"}]}))


def test_a_draft_is_never_the_picture() -> None:
    """Not even if it is the last one."""
    assert translate.image(answer_of((png(2, 2), False), (png(1, 1), True))).pixels == Pixels(2, 2)


def test_the_text_beside_a_picture_is_the_models_own() -> None:
    """All of it in its order, without the thoughts, and empty where there is none."""
    drawing = {"inlineData": {"data": pybase64.b64encode(png()).decode()}}
    parts = [
        {"text": "**Composing**", "thought": True},
        {"text": "A fox, "},
        drawing,
        {"text": 'as you like it: "data": "none"\n', "thoughtSignature": "c2ln"},
    ]
    spoken = Reply(200, msgspec.json.encode({"candidates": [{"content": {"parts": parts}}]}))

    assert translate.image(spoken).text == 'A fox, as you like it: "data": "none"'
    assert translate.image(spoken).decode() == png()
    assert translate.image(answer_of((png(2, 2), False))).text == ""


def test_what_the_model_signed_is_the_pictures_own() -> None:
    """The picture, and the first words that have a signature; a thought's is left out."""
    data = pybase64.b64encode(png()).decode()
    parts = [
        {"text": "Hm.", "thought": True, "thoughtSignature": "eA=="},
        {"text": "A fox.", "thoughtSignature": "dw=="},
        {"inlineData": {"data": data}, "thoughtSignature": "cA=="},
    ]
    signed = Reply(200, msgspec.json.encode({"candidates": [{"content": {"parts": parts}}]}))

    assert translate.image(signed).signatures == Signatures(picture="cA==", text="dw==")
    assert translate.image(answer_of((png(2, 2), False))).signatures is None


@pytest.mark.parametrize(
    "break_it", [lambda data: data[:-1], lambda data: data[:50] + b"\0" * 5000], ids=["cut", "head"]
)
def test_a_picture_that_is_not_whole_is_broken(break_it: Callable[[bytes], bytes]) -> None:
    """It was paid for, and nothing that cannot be looked at is called a picture."""
    with pytest.raises(UpstreamBroken, match="cut or broken") as caught:
        translate.image(answer_of((png(1, 1), False), (break_it(png(30, 20)), False)))

    assert (caught.value.should_retry, caught.value.spent) == (False, True)


@pytest.mark.parametrize("wrong", ["!", " ", "=", "\\n", "-"])
def test_base64_that_is_broken_at_its_end_is_broken(wrong: str) -> None:
    """It was passed on."""
    body = answer_of((png(300, 200) + b"abc", False)).body
    assert translate.image(Reply(200, body)).pixels == Pixels(300, 200)
    with pytest.raises(UpstreamBroken):
        translate.image(Reply(200, body.replace(b'YWJj"', b"YW" + wrong.encode() + b'j"')))


def test_what_a_model_writes_has_no_control_characters() -> None:
    """They could not be stored, or would hide words. Line breaks are its own."""
    parts = [{"text": "a\x00b\u202e\n\tc"}, {"inlineData": {"data": pybase64.b64encode(png()).decode()}}]
    spoken = Reply(200, msgspec.json.encode({"candidates": [{"content": {"parts": parts}}]}))

    assert translate.image(spoken).text == "ab\n\tc"


def test_odd_reasons_reach_clients_as_plain_words() -> None:
    """Whatever the finish reason, the block reason or the message holds."""
    odd = "\x1b[31mSID=abc" + "x" * 5000
    bodies = ({"candidates": [{"finishReason": odd}]}, {"promptFeedback": {"blockReason": odd}})
    for body in bodies:
        with pytest.raises(AdapterError) as caught:
            translate.image(Reply(200, msgspec.json.encode(body)))
        assert caught.value.message.isprintable()
        assert "abc" not in caught.value.message
        assert len(caught.value.message) < 1100


def test_drafts_alone_are_no_picture() -> None:
    """The model has not made up its mind."""
    with pytest.raises(NoMedia):
        translate.image(answer_of((png(1, 1), True)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"usageMetadata": {"promptTokenCount": 9}, "modelVersion": "m"}',
        b'{"candidates": []}',
        b'{"candidates": [{"finishReason": "NO_IMAGE"}]}',
        b'{"candidates": [{"content": {}, "finishReason": "STOP"}]}',
        b'{"candidates": [{"content": {"parts": [{"text": "No."}]}, "finishReason": "STOP"}]}',
    ],
)
def test_a_success_without_a_picture_is_not_a_refusal(body: bytes) -> None:
    """Text instead of a picture is a failure of the model; another try may succeed."""
    with pytest.raises(NoMedia):
        translate.image(Reply(200, body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": "aGVsbG8="}}]}}]}',
        b'{"candidates": [{"content": {"parts": [{"inlineData": {"data": 7}}]}}]}',
        b'{"candidates": "\xff"}',
        b'{"candidates": [], "\xff": 1}',
        b'{"candidates": [{"finishReason": "NO_IMAGE", "comment": "\xc3\x28"}]}',
        b"{}",
        b"[]",
        b'{"candidates": null}',
        b'{"data": []}',
        b'{"error": {"code": 503, "message": "busy"}}',
        b'[{"candidates": []}]',
        b'{"candidates": [{"finishReason": "NO_IMAGE"}]',
    ],
)
def test_a_success_that_cannot_be_read_is_broken(body: bytes) -> None:
    """Not text, no JSON, cut off, or of another shape. It was executed, so nobody sends it again."""
    with pytest.raises(UpstreamBroken) as caught:
        translate.image(Reply(200, body))

    assert (caught.value.status, caught.value.should_retry, caught.value.spent) == (502, False, True)


def test_a_picture_in_an_answer_with_an_odd_byte_is_taken() -> None:
    """It is paid for, and what is odd stands where nobody reads."""
    odd = answer_of((png(2, 2), False)).body.replace(b'"STOP"', b'"STOP", "comment": "\xff"')

    assert translate.image(Reply(200, odd)).pixels == Pixels(2, 2)


def test_a_503_with_a_body_is_an_overloaded_model_that_did_not_start() -> None:
    """Retrying it is free."""
    body = b'{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}'
    with pytest.raises(UpstreamOverloaded, match="overloaded") as caught:
        translate.image(Reply(503, body))

    assert (caught.value.status, caught.value.should_retry) == (503, True)


def test_a_bad_argument_is_the_clients_with_googles_words() -> None:
    """400 stays 400."""
    with pytest.raises(InvalidRequest, match="Google: Unknown name"):
        translate.image(
            Reply(400, b'{"error": {"code": 400, "message": "Unknown name", "status": "INVALID_ARGUMENT"}}')
        )
