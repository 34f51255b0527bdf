"""`generateContent` into orders: what clients really send, and what is refused."""

from base64 import b64encode
from collections.abc import Mapping

import msgspec
import pytest

from adapter.domain.media import Frame, MediaFormat, Ratio, Resolution
from adapter.domain.orders import EarlierTurn, ImageOrder, InlineSource, TurnPart
from adapter.errors import InvalidRequest, UnknownModel
from adapter.google_api.read.generate import WAY_OUT, ParsedGenerate, read_generate
from tests.fakes import made_image
from tests.support import context

CONTEXT = context(longest_prompt=100)
FLASH = "gemini-3.1-flash-image"
FOX = made_image(20, 10).decode()
PICTURE = b64encode(FOX).decode()


def read(body: Mapping[str, object], model: str = FLASH) -> ParsedGenerate:
    """Read a request."""
    return read_generate(msgspec.json.encode(body), model, CONTEXT)


def order(said: Mapping[str, object], model: str = FLASH) -> ImageOrder:
    """Read a request for a fox, with more in it."""
    return read({"contents": [{"role": "user", "parts": [{"text": "a fox"}]}], **said}, model).order


def refused(said: Mapping[str, object]) -> InvalidRequest:
    """Return why a request is refused."""
    with pytest.raises(InvalidRequest) as caught:
        order(said)
    return caught.value


def test_open_webuis_request_for_a_picture_is_words_and_nothing_else() -> None:
    """No role and no configuration."""
    parsed = read({"contents": [{"parts": [{"text": "a fox"}]}]})

    assert msgspec.structs.replace(parsed, order=msgspec.structs.replace(parsed.order, quotes=())) == ParsedGenerate(
        ImageOrder(
            model=FLASH,
            provider="gemini",
            upstream=FLASH,
            prompt="a fox",
            n=1,
            frame=Frame(),
            input_formats=(MediaFormat.PNG, MediaFormat.JPEG, MediaFormat.WEBP, MediaFormat.HEIC, MediaFormat.HEIF),
            is_signed=True,
        ),
        with_text=True,
    )


@pytest.mark.parametrize(
    "picture",
    [
        # Open WebUI's edits: always image/png, whatever it is.
        {"inline_data": {"mime_type": "image/png", "data": PICTURE}},
        {"inlineData": {"mimeType": "image/jpeg", "data": PICTURE}},
        {"inlineData": {"mime_type": "image/png", "data": PICTURE.replace("+", "-").replace("/", "_").rstrip("=")}},
    ],
)
def test_a_picture_to_work_from_comes_in_each_spelling_and_alphabet(picture: object) -> None:
    """The bytes are the picture's own."""
    read_one = read({"contents": [{"parts": [{"text": "make it blue"}, picture]}]}).order

    assert read_one.sources == (InlineSource(FOX, "contents"),)


@pytest.mark.parametrize(
    "said",
    [
        # LibreChat's tool and google-genai.
        {
            "generationConfig": {
                "responseModalities": ["TEXT", "IMAGE"],
                "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
            }
        },
        {"generation_config": {"image_config": {"aspect_ratio": "16:9", "image_size": "2K"}}},
        {"generation_config": {"imageConfig": {"aspect_ratio": "16:9", "imageSize": "2K"}}},
        {"generationConfig": {"responseFormat": {"image": {"aspectRatio": "16:9", "imageSize": "2K"}}}},
    ],
)
def test_a_frame_is_read_in_each_spelling(said: Mapping[str, object]) -> None:
    """Also mixed."""
    assert order(said).frame == Frame(Ratio.LANDSCAPE, Resolution.TWO)


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ({"generationConfig": {"seed": 7}}, "seed", 7),
        ({"generationConfig": {"candidateCount": 1, "temperature": 0.5, "topK": 3}}, "n", 1),
        ({"generationConfig": {"imageConfig": {"outputMimeType": "image/jpeg"}}}, "format", MediaFormat.JPEG),
        ({"systemInstruction": {"parts": [{"text": "Draw with ink."}]}}, "prompt", "Draw with ink.\n\na fox"),
        ({"system_instruction": {"parts": {"text": "Draw with ink."}}}, "prompt", "Draw with ink.\n\na fox"),
        ({"labels": {"team": "a"}, "toolConfig": {}, "tools": []}, "prompt", "a fox"),
    ],
)
def test_what_is_said_beside_the_conversation_counts(said: Mapping[str, object], field: str, value: object) -> None:
    """Or changes nothing."""
    assert getattr(order(said), field) == value


def test_a_client_may_leave_lists_of_one_out() -> None:
    """As older examples of Google's do."""
    assert read({"contents": {"parts": {"text": "a fox"}}}).order.prompt == "a fox"


def test_words_are_left_out_where_the_answer_shall_be_a_picture_alone() -> None:
    """By the modalities."""
    body = {"contents": [{"parts": [{"text": "a fox"}]}], "generationConfig": {"responseModalities": ["image"]}}

    assert not read(body).with_text


FILTERS = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")


@pytest.mark.parametrize(
    ("model", "filters", "is_lenient"),
    [(FLASH, FILTERS, True), (FLASH, FILTERS[:3], False), (FLASH, (), False), ("flow-gem-pix", FILTERS, False)],
)
def test_filters_are_off_if_all_of_them_shall_be_and_the_model_can(
    model: str, filters: tuple[str, ...], is_lenient: bool
) -> None:
    """An order knows no single filter."""
    settings = [{"category": f"HARM_CATEGORY_{name}", "threshold": "BLOCK_NONE"} for name in filters]

    assert order({"safetySettings": settings}, model).lenient is is_lenient


def shown(*parts: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return a chat: a wish, an answer, and another wish."""
    return [
        {"role": "user", "parts": [{"text": "a fox"}]},
        {"role": "model", "parts": [*parts]},
        {"role": "user", "parts": [{"text": "make it blue"}]},
    ]


def drawn(signature: str | None) -> Mapping[str, object]:
    """Return a picture of an answer."""
    signed = {} if signature is None else {"thoughtSignature": signature}
    return {"inlineData": {"mimeType": "image/png", "data": PICTURE}, **signed}


def test_a_signed_picture_goes_back_in_its_turn() -> None:
    """With its signature and that of the words; the model's thoughts do not."""
    thought = {"text": "Hm.", "thought": True, "thoughtSignature": "eA=="}
    chat = shown(thought, {"text": "Here it is.", "thoughtSignature": "d29yZHM="}, drawn("c2lnbmVk"))
    found = read({"contents": chat, "systemInstruction": {"parts": [{"text": "Be bold."}]}}).order

    assert found.turns == (
        EarlierTurn(role="user", parts=(TurnPart(text="a fox"),)),
        EarlierTurn(
            role="model",
            parts=(
                TurnPart(text="Here it is.", signature="d29yZHM="),
                TurnPart(picture=0, signature="c2lnbmVk"),
            ),
        ),
    )
    assert (found.prompt, found.sources) == ("Be bold.\n\nmake it blue", (InlineSource(FOX, "contents"),))
    assert found.is_signed


def test_pictures_of_earlier_turns_come_before_those_of_the_last() -> None:
    """In the order of the turns."""
    blue = made_image(2, 2).decode()
    beside = {"inlineData": {"mimeType": "image/png", "data": b64encode(blue).decode()}}
    chat = shown(drawn("c2lnbmVk"))
    chat[2] = {"role": "user", "parts": [{"text": "as here"}, beside]}
    found = read({"contents": chat}).order

    assert [source.data for source in found.sources if isinstance(source, InlineSource)] == [FOX, blue]
    assert [part.picture for turn in found.turns for part in turn.parts] == [None, 0]


@pytest.mark.parametrize(
    ("model", "chat"),
    [
        (FLASH, shown(drawn(None))),
        (FLASH, shown(drawn("c2lnbmVk"), drawn(None))),
        (FLASH, shown(*[drawn("c2lnbmVk")] * 15)),
        ("gemini-2.5-flash-image", shown(drawn("c2lnbmVk"))),
        ("flow-gem-pix", shown(drawn("c2lnbmVk"))),
    ],
    ids=["none is signed", "one is not", "too many", "a model that does not sign", "another provider"],
)
def test_other_pictures_of_an_answer_are_worked_from(model: str, chat: object) -> None:
    """The last one, as in every chat."""
    found = read({"contents": chat}, model).order

    assert (found.turns, found.sources) == ((), (InlineSource(FOX, "contents", WAY_OUT),))


def test_a_chat_goes_on_with_the_last_picture() -> None:
    """A fault of it leaves a way out, and what was thought before it is none."""
    turns = [
        {"role": "user", "parts": [{"text": "a fox"}]},
        {
            "role": "model",
            "parts": [
                {
                    "inlineData": {"mimeType": "image/png", "data": b64encode(made_image(2, 2).decode()).decode()},
                    "thought": True,
                },
                {"text": "Here it is."},
                drawn(None),
            ],
        },
        {"role": "user", "parts": [{"text": "make it blue"}]},
    ]
    found = read({"contents": turns}).order

    assert found.prompt == "make it blue"
    assert found.sources == (InlineSource(FOX, "contents", WAY_OUT),)


@pytest.mark.parametrize(
    ("said", "param", "words"),
    [
        ({"contents": []}, "contents", "contents is not specified"),
        ({"contents": [{"role": "model", "parts": [{"text": "a"}]}]}, "contents", "role 'user'"),
        ({"contents": [{"role": "king", "parts": []}]}, "contents[0].role", "user, model"),
        ({"contents": [{"parts": [{"fileData": {"fileUri": "a"}}]}]}, "contents[0].parts[0].file_data", "inline_data"),
        ({"contents": [{"parts": [{"text": " "}]}]}, "contents", "empty"),
        ({"contents": [{"parts": [{"text": 7}]}]}, "contents[0].parts[0].text", "has to be text"),
        ({"size": "1K"}, "size", 'Unknown name "size": Cannot find field.'),
        (
            {"generationConfig": {"aspectRatio": "16:9"}},
            "generation_config.aspect_ratio",
            "Unknown name \"aspect_ratio\" at 'generation_config': Cannot find field.",
        ),
        ({"generationConfig": {"imageConfig": {"size": "2K"}}}, "generation_config.image_config.size", "Unknown name"),
        ({"generationConfig": {"seed": 1}, "generation_config": {}}, "generation_config", "both of its spellings"),
        ({"generationConfig": {"seed": "some"}}, "generation_config.seed", "a whole number"),
        ({"generationConfig": {"candidateCount": 2}}, "generation_config.candidate_count", "Multiple candidates"),
        ({"generationConfig": {"responseModalities": ["AUDIO"]}}, "generation_config.response_modalities", "AUDIO"),
        ({"generationConfig": {"responseModalities": ["TEXT"]}}, "generation_config.response_modalities", "IMAGE"),
        (
            {"generationConfig": {"responseMimeType": "application/json"}},
            "generation_config.response_mime_type",
            "text",
        ),
        ({"generationConfig": {"responseSchema": {"a": 1}}}, "generation_config.response_schema", "make pictures"),
        ({"generationConfig": {"responseFormat": [{}]}}, "generation_config.response_format", "not a list"),
        (
            {"generationConfig": {"imageConfig": {"imageSize": "8K"}}},
            "generation_config.image_config.image_size",
            "512, 1K, 2K, 4K",
        ),
        ({"tools": [{"codeExecution": {}}]}, "tools[0].code_execution", "one tool here, google_search"),
        ({"tools": [{"googleSearch": {"excludeDomains": ["a.example"]}}]}, "tools[0].google_search", "exclude_domains"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "MEDIUM"}}},
            "generation_config.thinking_config.thinking_level",
            "Allowed: minimal, high",
        ),
        ({"cachedContent": "cachedContents/1"}, "cached_content", "cached"),
        (
            {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}]},
            "safety_settings[0].threshold",
            "BLOCK_NONE, OFF",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(said: Mapping[str, object], param: str, words: str) -> None:
    """In Google's spelling of the field."""
    fault = refused(said)

    assert fault.param == param
    assert words in fault.message


def test_a_model_has_to_make_pictures() -> None:
    """Videos are made elsewhere."""
    with pytest.raises(InvalidRequest, match="/v1/videos"):
        order({}, "veo-3.1-fast")
    with pytest.raises(UnknownModel):
        order({}, "gemini-9")
