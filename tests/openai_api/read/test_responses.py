"""Requests of the Responses API into orders."""

import msgspec
import pybase64
import pytest

from adapter.domain.media import MediaFormat, Ratio, Resolution
from adapter.domain.orders import (
    FileIdSource,
    ImageOrder,
    InlineSource,
    LinkSource,
    Source,
    StoredSource,
    VideoDraft,
    VideoInput,
)
from adapter.errors import ClientFault, InvalidRequest, UnknownModel
from adapter.openai_api.read.conversation import WAY_OUT
from adapter.openai_api.read.media import read_media_json
from adapter.openai_api.read.response_items import given_items
from adapter.openai_api.read.responses import ResponsePlan, read_response
from adapter.openai_api.wire.responses import ResponsesRequest
from adapter.settings import Chat, load_phrasebook
from tests.fakes import png
from tests.support import context

TERMS = msgspec.structs.replace(context(), phrasebook=load_phrasebook(Chat()))
BASE64 = pybase64.b64encode(png()).decode()
DATA_URL = f"data:image/png;base64,{BASE64}"
TOOL = {"type": "image_generation"}
OURS = "http://here:8000/media/a.png"


def body(**fields: object) -> ResponsesRequest:
    """Return a request for a picture with changes."""
    sent = {"model": "gpt-5.2", "input": "a fox", "tools": [TOOL], **fields}
    return read_media_json(msgspec.json.encode(sent), ResponsesRequest)


def asked(*sight: str, **fields: object) -> ResponsePlan:
    """Read it."""
    return read_response(body(**fields), TERMS, sight)


def picture(*sight: str, **fields: object) -> ImageOrder:
    """Read an order for a picture."""
    order = asked(*sight, **fields).order
    assert isinstance(order, ImageOrder)
    return order


def refused(*sight: str, **fields: object) -> ClientFault:
    """Return why a request is refused."""
    with pytest.raises((InvalidRequest, UnknownModel)) as caught:
        asked(*sight, **fields)
    return caught.value


def user(*parts: object) -> dict[str, object]:
    """Return a turn of the user's."""
    return {"role": "user", "content": list(parts)}


def text(said: str) -> dict[str, object]:
    """Return a part of words."""
    return {"type": "input_text", "text": said}


def image(**where: object) -> dict[str, object]:
    """Return a part with a picture."""
    return {"type": "input_image", "detail": "auto", **where}


@pytest.mark.parametrize(
    ("fields", "upstream", "named"),
    [
        ({"model": "gpt-5.2"}, "gemini-nano-banana-2.1", "gpt-5.2"),
        ({"model": "o3"}, "gemini-nano-banana-2.1", "o3"),
        ({"model": "chatgpt-4o-latest"}, "gemini-nano-banana-2.1", "chatgpt-4o-latest"),
        ({"model": None}, "gemini-nano-banana-2.1", "gpt-image-1"),
        ({"model": "gpt-4.1", "tools": [{**TOOL, "model": "flow-gem-pix"}]}, "GEM_PIX", "gpt-4.1"),
        ({"model": "gemini-3-pro-image"}, "gemini-3-pro-image", "gemini-3-pro-image"),
        ({"model": "gemini-3-pro-image", "tools": None}, "gemini-3-pro-image", "gemini-3-pro-image"),
        ({"model": "gpt-image-1.5", "tools": []}, "gemini-nano-banana-2.1", "gpt-image-1.5"),
        (
            {"model": "gemini-3-pro-image", "tools": [{**TOOL, "model": "flow-gem-pix"}]},
            "GEM_PIX",
            "gemini-3-pro-image",
        ),
        (
            {"tools": [{"type": "web_search"}, {"type": "function", "name": "f"}, TOOL]},
            "gemini-nano-banana-2.1",
            "gpt-5.2",
        ),
    ],
)
def test_who_draws_is_said_by_the_tool_then_by_the_request(
    fields: dict[str, object], upstream: str, named: str
) -> None:
    """A chat model's name is said again and means the default; a picture model needs no tool."""
    read = asked(**fields)
    assert isinstance(read.order, ImageOrder)

    assert (read.order.upstream, read.model) == (upstream, named)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": None}, "model"),
        ({"tools": [{"type": "web_search"}]}, "model"),
        ({"model": None, "tools": None}, "model"),
        ({"model": "gemini-3-pro-imgae"}, "model"),
        ({"model": "claude"}, "model"),
        ({"model": "gpt-" + "5" * 200}, "model"),
        ({"tools": [TOOL | {"model": "nothing"}]}, "tools[0].model"),
        ({"tools": [TOOL | {"model": "veo-3.1-fast"}]}, "tools[0].model"),
        ({"model": "veo-3.1-fast"}, "tools"),
    ],
)
def test_a_model_that_is_not_here_is_refused(fields: dict[str, object], param: str) -> None:
    """A misspelt name does not become another model, and a chat model without the tool has nothing to do here."""
    assert refused(**fields).param == param


def test_every_option_of_the_tool_counts() -> None:
    """As in the Images API."""
    tool = {
        **TOOL,
        "model": "gemini-3.1-flash-image",
        "size": "1536x1024",
        "quality": "high",
        "output_format": "jpeg",
        "output_compression": 70,
        "background": "opaque",
        "moderation": "low",
        "partial_images": 3,
        "input_fidelity": "high",
        "action": "auto",
        "seed": 7,
        "n": 1,
    }
    order = picture(tools=[tool])

    assert (order.frame.ratio, order.frame.resolution) == (Ratio.R3_2, Resolution.ONE)
    assert (order.format, order.compression, order.lenient, order.seed, order.n) == (MediaFormat.JPEG, 70, True, 7, 1)
    assert order.prompt == "a fox"


@pytest.mark.parametrize(
    ("option", "allowed"),
    [
        ({"size": "7x7"}, "Allowed: 'auto', WIDTHxHEIGHT"),
        ({"quality": "best"}, "Allowed: auto, standard"),
        ({"output_format": "gif"}, "Allowed: png, jpeg, webp"),
        ({"output_compression": 101}, "0 to 100"),
        ({"background": "transparent"}, "Allowed: auto, opaque"),
        ({"moderation": "none"}, "Allowed: auto, low"),
        ({"partial_images": 4}, "0 to 3"),
        ({"input_fidelity": "some"}, "Allowed: low, high"),
        ({"input_image_mask": {"image_url": DATA_URL}}, "do not take a 'tools[1].input_image_mask'"),
        ({"action": "paint"}, "Allowed: auto, generate, edit"),
        ({"n": 2}, "has to be 1"),
        ({"complexity": "max"}, "Allowed: low, medium, high"),
        ({"thinking_level": "low"}, "Allowed: minimal, medium, high"),
        ({"frame_count": 9}, "means nothing"),
        ({"svg": {"model": "x"}}, "means nothing"),
        ({"size": 7}, "has to be text"),
    ],
)
def test_an_option_that_is_not_offered_is_refused_by_its_place(option: dict[str, object], allowed: str) -> None:
    """With what is allowed."""
    fault = refused(tools=[{"type": "function", "name": "f"}, TOOL | option])

    assert allowed in fault.message
    assert fault.param == f"tools[1].{next(iter(option))}"


def test_what_stands_beside_the_tool_counts_as_well() -> None:
    """Where both say something they have to agree; the error names both."""
    assert picture(size="16:9", tools=[TOOL]).frame.ratio is Ratio.LANDSCAPE
    assert picture(size="16:9", tools=[TOOL | {"aspectRatio": "16:9", "size": "16:9"}]).frame.ratio is Ratio.LANDSCAPE
    assert picture(tools=[TOOL | {"seed": 0}]).seed == 0
    assert picture(seed=0, tools=[TOOL]).seed == 0
    fault = refused(size="16:9", tools=[TOOL | {"size": "1:1"}])

    assert fault.param == "size"
    assert "'tools[0].size' and 'size' contradict each other" in fault.message


@pytest.mark.parametrize(
    ("choice", "is_taken"),
    [
        (None, True),
        ("auto", True),
        ("required", True),
        (TOOL, True),
        ({"type": "allowed_tools", "mode": "auto", "tools": [TOOL]}, True),
        ("none", False),
        ({"type": "function", "name": "f"}, False),
    ],
)
def test_a_choice_that_leaves_the_tool_out_leaves_nothing(choice: object, *, is_taken: bool) -> None:
    """Drawing all the same would cost money that was not to be spent."""
    if is_taken:
        assert picture(tool_choice=choice).prompt == "a fox"
    else:
        assert refused(tool_choice=choice).param == "tool_choice"


@pytest.mark.parametrize(
    ("given", "prompt", "sources"),
    [
        ("a fox", "a fox", ()),
        ([{"role": "user", "content": "a fox"}], "a fox", ()),
        ([{"type": "message", "role": "user", "content": [text("a"), text("fox")]}], "a\nfox", ()),
        ([user(text("blue"), image(image_url=DATA_URL))], "blue", (InlineSource(png(), "input"),)),
        ([user(text("blue"), image(image_url="https://a/b"))], "blue", (LinkSource("https://a/b", "input"),)),
        ([user(text("blue"), image(image_url=OURS))], "blue", (StoredSource("a.png", "input"),)),
        ([user(text("blue"), image(file_id="file-1"))], "blue", (FileIdSource("file-1", "input"),)),
        ([user(text("blue"), {"type": "input_file", "file_id": "file-1"})], "blue", (FileIdSource("file-1", "input"),)),
        (
            [user(text("blue"), {"type": "input_file", "file_url": "https://a"})],
            "blue",
            (LinkSource("https://a", "input"),),
        ),
        ([user(text("blue"), {"type": "input_file", "file_data": DATA_URL})], "blue", (InlineSource(png(), "input"),)),
        (
            [user(text("a fox")), {"type": "image_generation_call", "id": "ig_1"}, user(text("blue"))],
            "blue",
            (FileIdSource("ig_1", "input", advice=WAY_OUT),),
        ),
        (
            [
                user(text("a fox")),
                {"type": "image_generation_call", "id": "ig_1", "result": BASE64},
                user(text("blue")),
            ],
            "blue",
            (InlineSource(png(), "input", advice=WAY_OUT),),
        ),
        (
            [user(text("a fox")), {"type": "item_reference", "id": "ig_1"}, user(text("blue"))],
            "blue",
            (FileIdSource("ig_1", "input", advice=WAY_OUT),),
        ),
        (
            [
                {"role": "system", "content": "You are helpful."},
                user(text("a fox"), image(image_url="https://a")),
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {"type": "item_reference", "id": "msg_1"},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": None},
                {"role": "assistant", "content": [{"type": "output_text", "text": "There.", "annotations": []}]},
                user(text("blue")),
            ],
            "blue",
            (FileIdSource("ig_1", "input", advice=WAY_OUT),),
        ),
        (
            [{"type": "image_generation_call", "id": "ig_1"}, user(text("blue"), image(file_id="file-1"))],
            "blue",
            (FileIdSource("file-1", "input"),),
        ),
    ],
)
def test_the_last_words_are_drawn_from_the_pictures_in_sight(
    given: object, prompt: str, sources: tuple[Source, ...]
) -> None:
    """Those that came with them, else those that were drawn or given last."""
    order = picture(input=given)

    assert (order.prompt, order.sources) == (prompt, sources)


def test_what_an_earlier_response_has_in_sight_is_in_sight() -> None:
    """By id or by address, unless this one shows something newer."""
    drawn, link, ours = (
        FileIdSource("ig_1", "input", advice=WAY_OUT),
        LinkSource("https://a", "input", advice=WAY_OUT),
        StoredSource("a.png", "input", advice=WAY_OUT),
    )
    assert picture("ig_1", input="blue").sources == (drawn,)
    assert picture("https://a", OURS, input="blue").sources == (link, ours)
    assert picture("ig_1", input=[user(text("blue"), image(file_id="file-1"))]).sources == (
        FileIdSource("file-1", "input"),
    )


KEY = "0123456789abcdef0123456789abcdef"
FOX = user(text("a fox"))
CALL = {"type": "image_generation_call", "id": f"ig_{KEY}", "status": "completed", "result": BASE64}
SAID = {
    "type": "message",
    "id": f"msg_{KEY}",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "", "annotations": []}],
}
HANDED_OVER: list[dict[str, object]] = [
    {"type": "function_call", "call_id": "c", "name": "transfer_to_artist", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": '{"assistant": "artist"}'},
]


@pytest.mark.parametrize(
    ("given", "sight"),
    [
        ([FOX, CALL], (f"ig_{KEY}",)),
        ([FOX, CALL, SAID], (f"ig_{KEY}",)),
        ([CALL], (f"ig_{KEY}",)),
        ([FOX, {"type": "image_generation_call", "id": "ig_1"}], ("ig_1",)),
        ([FOX, {**CALL, "id": "ig_1", "result": None}], ("ig_1",)),
        ([FOX, {**CALL, "id": None}], ()),
        ([FOX, {"type": "item_reference", "id": f"ig_{KEY}"}], (f"ig_{KEY}",)),
        ([FOX, CALL, SAID, *HANDED_OVER], (f"ig_{KEY}",)),
        ([FOX, CALL, {"role": "developer", "content": "Be brief."}], (f"ig_{KEY}",)),
        ([FOX, {"role": "assistant", "content": [image(image_url=DATA_URL), text("")]}], ()),
        # A client that keeps the message and leaves the picture out; a video has a message alone.
        ([FOX, SAID], ()),
        ([FOX, {"type": "reasoning", "id": f"rs_{KEY}", "summary": []}], ()),
        ([FOX, {"type": "item_reference", "id": f"rs_{KEY}"}], ()),
    ],
)
@pytest.mark.parametrize("model", ["gpt-5.2", "gemini-3-pro-image", "veo-3.1-fast"])
def test_an_input_that_ends_in_an_answer_asks_for_nothing(given: object, sight: tuple[str, ...], model: str) -> None:
    """Agents send it when they take the answer for a step on the way; another picture would be paid for."""
    read = asked(input=given, model=model, tools=None if model == "veo-3.1-fast" else [TOOL])

    assert (read.order, read.prompt, read.edits, read.sight) == (None, "", False, sight)


@pytest.mark.parametrize(
    "given",
    [
        [FOX, *HANDED_OVER],
        [FOX, {"role": "assistant", "content": "The artist will do it."}, *HANDED_OVER],
        [FOX, {**SAID, "id": "msg_68f0c1d2e3a4819588b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5"}],
        [FOX, {"type": "reasoning", "id": "rs_68f0c1d2e3a4819588b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5", "summary": []}],
        [FOX, {"type": "item_reference", "id": f"msg_{KEY}"}],
        [FOX, {"role": "developer", "content": "Draw well."}],
        [FOX, {**CALL, "status": "failed", "result": None}],
        [user(text("a cat")), CALL, SAID, FOX],
        [CALL, FOX, *HANDED_OVER],
    ],
)
def test_what_is_no_answer_of_ours_takes_nothing_away(given: object) -> None:
    """An agent that hands its work over, words of another model, a picture of an earlier turn."""
    read = asked(input=given)

    assert read.order is not None
    assert read.prompt == "a fox"


@pytest.mark.parametrize("given", [None, "", [], HANDED_OVER, [{"role": "assistant", "content": "hi"}]])
def test_an_input_without_a_user_message_adds_nothing_to_the_answer_before_it(given: object) -> None:
    """After a response that shows something it asks for nothing; after one that does not it is refused."""
    read = read_response(body(input=given), TERMS, (f"ig_{KEY}",), is_answered=True)

    assert (read.order, read.sight) == (None, (f"ig_{KEY}",))
    assert refused(f"ig_{KEY}", input=given).param == "input"


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("system", "Please return text."),
        ("developer", "Please return text or include your response in a tool call."),
        ("system", "Please include your response in a tool call or return an image."),
        ("system", "Please return text or call a tool or return an image."),
        (
            "user",
            "Your previous response failed the application's validation (this is automated feedback, …):\n<pyai:…>",
        ),
        ("user", "Validation feedback:\nPlease return text.\n\nFix the errors and try again."),
        ("user", "2 validation errors:\n```json\n[]\n```\n\nFix the errors and try again."),
    ],
)
def test_what_an_agent_asks_by_itself_draws_nothing(role: str, words: str) -> None:
    """Pydantic AI asks so where a picture has no text; it leaves the picture out with most names of models."""
    for content in (words, [text(words)]):
        assert asked(input=[FOX, {"role": role, "content": content}]).order is None
        assert asked(input=[FOX, CALL, {"role": role, "content": content}]).order is None


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("user", "Please return text in white letters."),
        ("user", "a sign that says: Fix the errors and try again."),
        ("user", "Validation feedback: a sign above a desk"),
        ("system", "Please return text. Use few colours."),
        ("system", "Draw well."),
    ],
)
def test_words_that_only_look_so_are_drawn(role: str, words: str) -> None:
    """A prompt may hold any of them."""
    assert asked(input=[FOX, {"role": role, "content": words}]).order is not None


def test_an_operator_who_knows_no_side_calls_has_such_words_drawn() -> None:
    """As in a chat; an answer that is there to be seen still counts."""
    given = [FOX, {"role": "system", "content": "Please return text."}]

    assert read_response(body(input=given), context(), ()).order is not None
    assert read_response(body(input=[FOX, CALL, given[1]]), context(), ()).order is None


def test_a_misspelt_model_is_refused_even_where_nothing_is_made() -> None:
    """It would be refused the next time."""
    assert refused(input=[FOX, CALL], model="gemini-3-pro-imgae").param == "model"


def test_an_action_says_whether_there_is_a_picture_to_work_from() -> None:
    """`generate` looks back at none, `edit` needs one."""
    drawn = FileIdSource("ig_1", "input", advice=WAY_OUT)
    draw, edit = [TOOL | {"action": "generate"}], [TOOL | {"action": "edit"}]

    assert picture("ig_1", input="blue", tools=draw).sources == ()
    assert picture("ig_1", input="blue", tools=edit).sources == (drawn,)
    assert refused(input="blue", tools=edit).param == "input"


def test_what_is_in_sight_next_time_is_what_a_client_could_name() -> None:
    """Pictures that came as data are not kept; if nothing was shown the sight stays."""
    given = [user(text("blue"), image(image_url=DATA_URL), image(image_url=OURS), image(file_id="file-1"))]

    assert asked("ig_1", input=given).sight == (OURS, "file-1")
    assert asked("ig_1", input="blue").sight == ("ig_1",)
    assert asked("ig_1", input="red", tools=[TOOL | {"action": "generate"}]).sight == ("ig_1",)
    assert asked(input="a fox").sight == ()


def test_a_video_is_made_of_the_last_turn_alone() -> None:
    """As in a chat."""
    fields: dict[str, object] = {"model": "veo-3.1-fast", "tools": None, "size": "9:16", "seed": 7}
    plain = asked("ig_1", input="waves", **fields)
    framed = asked(input=[user(text("waves"), image(file_id="file-1"))], **fields)
    assert isinstance(plain.order, VideoDraft)
    assert isinstance(framed.order, VideoDraft)

    assert (plain.order.order.upstream, plain.order.order.seed) == ("veo_3_1_t2v_fast_portrait", 7)
    assert (plain.order.sources, plain.prompt, plain.model) == ((), "waves", "veo-3.1-fast")
    assert framed.order.order.input is VideoInput.FRAME
    assert framed.order.sources == (FileIdSource("file-1", "input"),)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [{"role": "assistant", "content": "hi"}]}, "input"),
        ({"input": [user({"type": "input_audio"})]}, "input"),
        ({"input": [user(text("a"), image())]}, "input"),
        ({"input": [user(text("a"), image(image_url="data:image/png;base64,@"))]}, "input"),
        ({"input": "x" * 32_001}, "input"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"background": True, "store": False}, "store"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(fields: dict[str, object], param: str) -> None:
    """Nothing is dropped in silence that changes the picture."""
    assert refused(**fields).param == param


def test_what_is_said_again_is_as_it_came() -> None:
    """And what the document demands is there in any case."""
    said = asked(
        instructions="Be brief.",
        metadata={"a": "b"},
        temperature=0.5,
        tool_choice="required",
        parallel_tool_calls=False,
        previous_response_id="resp_1",
        background=True,
        user="ada",
        truncation="auto",
        reasoning={"effort": "low"},
    ).echoed
    plain = msgspec.to_builtins(asked().echoed)

    assert (said.instructions, said.metadata, said.temperature, said.tools) == ("Be brief.", {"a": "b"}, 0.5, (TOOL,))
    assert (said.tool_choice, said.parallel_tool_calls, said.background, said.user) == ("required", False, True, "ada")
    assert {"instructions", "metadata", "temperature", "top_p", "tool_choice", "parallel_tool_calls"} <= plain.keys()
    assert "user" not in plain


def test_the_input_is_shown_again_without_the_bytes_of_its_pictures() -> None:
    """Each entry with an id of its own."""
    given = [
        {"role": "system", "content": "Draw."},
        user(text("blue"), image(image_url=DATA_URL), image(image_url="https://a", detail="high"), image(file_id="f")),
        {"role": "assistant", "id": "msg_own", "content": [{"type": "output_text", "text": "There."}]},
        {"type": "image_generation_call", "id": "ig_1", "result": BASE64},
        {"type": "reasoning", "summary": []},
    ]
    shown = msgspec.json.decode(msgspec.json.encode(given_items(body(input=given).input, "a" * 32)))

    empty = {"type": "input_image", "detail": "auto", "image_url": None, "file_id": None}
    assert [item["type"] for item in shown] == ["message", "message", "message", "image_generation_call"]
    assert [item["id"] for item in shown] == [f"msg_{'a' * 24}00000000", f"msg_{'a' * 24}00000001", "msg_own", "ig_1"]
    assert shown[0]["content"] == [{"type": "input_text", "text": "Draw."}]
    assert shown[1]["content"] == [
        {"type": "input_text", "text": "blue"},
        empty,
        {**empty, "detail": "high", "image_url": "https://a"},
        {**empty, "file_id": "f"},
    ]
    assert shown[2]["content"] == [{"type": "output_text", "text": "There.", "annotations": [], "logprobs": []}]
    assert shown[3]["result"] is None


@pytest.mark.parametrize("sent", [{}, {"input": None}, {"input": ""}, {"input": []}, {"messages": [{"role": "user"}]}])
def test_a_response_needs_an_input(sent: dict[str, object]) -> None:
    """A body of the Chat API has `messages`: the word that is missing here helps more than the one that is not read."""
    body = read_media_json(msgspec.json.encode({"model": "gemini-3.1-flash-image", **sent}), ResponsesRequest)

    with pytest.raises(InvalidRequest, match="'input' is required") as caught:
        read_response(body, context(), ())
    assert caught.value.param == "input"


@pytest.mark.parametrize(
    ("said", "fields", "says"),
    [
        ("waves --ar", {"model": "veo-3.1-fast", "tools": None}, "'--ar' needs a value"),
        ("waves --ref 2", {"model": "veo-3.1-fast", "tools": None}, "A flag names picture 2"),
        (7, {}, "has to be text or a list of parts"),
        ([{"type": "input_audio"}], {}, "A part of type 'input_audio'"),
        ([{"type": "input_image", "image_url": "ftp://a"}], {}, "is not a picture"),
    ],
)
def test_what_is_wrong_in_a_turn_is_wrong_in_the_input(said: object, fields: dict[str, object], says: str) -> None:
    """A chat's `messages` do not stand in such a request."""
    fault = refused(input=[{"role": "user", "content": said}], **fields)

    assert (fault.param, says in fault.message, "'messages'" in fault.message) == ("input", True, False)


@pytest.mark.parametrize("fields", [{}, {"model": "veo-3.1-fast", "tools": None}])
def test_pictures_of_the_input_and_beside_it_are_refused_by_both_names(fields: dict[str, object]) -> None:
    """The request's own names."""
    fault = refused(
        input=[user(text("blue"), image(image_url="https://a.example/1.png"))],
        image_urls=["https://a.example/2.png"],
        **fields,
    )

    assert fault.param == "image_urls"
    assert fault.message.startswith("'input' and 'image_urls' bring different pictures")
