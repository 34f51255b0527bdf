"""The image tool of the Responses API through the official client."""

import base64
from collections.abc import Callable, Iterator
from itertools import pairwise

import httpx
import openai
import pytest
from openai.types.responses import Response, ResponseInputMessageItem

from tests.fakes import png
from tests.journeys.server import KEY, Connect, Server
from tests.pictures import opened

HEADERS = {"authorization": f"Bearer {KEY}"}
CHAT_MODEL = "gpt-5.2"
MODELS = ["gemini-2.5-flash-image", "flow-gem-pix"]
ORDER = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.image_generation_call.in_progress",
    "response.image_generation_call.generating",
    "response.image_generation_call.completed",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


@pytest.fixture
def strict() -> bool:
    """In its strict mode the 1.x client knows two models of the tool, which is said again as it came."""
    return not openai.__version__.startswith("1.")


@pytest.fixture
def other(server: Server, connect: Connect) -> Iterator[openai.OpenAI]:
    """Somebody else."""
    with connect(server, api_key="sk-second") as client:
        yield client


def drawn(client: openai.OpenAI, prompt: str = "a red fox", **fields: object) -> Response:
    """Ask a chat model for a picture."""
    body = {"tools": [{"type": "image_generation"}], **fields}
    return client.responses.create(model=CHAT_MODEL, input=prompt, extra_body=body)


def picture(response: Response) -> bytes:
    """Return the file of the only picture."""
    [call] = [item for item in response.output if item.type == "image_generation_call"]
    assert call.status == "completed"
    return base64.b64decode(call.result or "", validate=True)


def given(response: Response) -> int:
    """Return how many input tokens Google counted: 258 a picture, and a few for the words."""
    assert response.usage is not None
    return response.usage.input_tokens // 258


def posted(http: httpx.Client, server: Server, **fields: object) -> httpx.Response:
    """Send a request without a client's help."""
    body = {"model": CHAT_MODEL, "input": "a fox", "tools": [{"type": "image_generation"}], **fields}
    return http.post(f"{server.url}/v1/responses", json=body, headers=HEADERS, timeout=30)


@pytest.mark.parametrize("model", MODELS)
def test_a_picture_is_drawn_and_found_again(client: openai.OpenAI, model: str) -> None:
    """By the tool's model; the same in every byte when it is looked up."""
    made = drawn(client, tools=[{"type": "image_generation", "model": model, "output_format": "webp"}])
    found = client.responses.retrieve(made.id)

    assert opened(picture(made)).format == "WEBP"
    assert (made.status, made.model, made.error, made.output_text) == ("completed", CHAT_MODEL, None, "")
    assert found == made
    # Flow counts nothing, so nothing is made up.
    assert (made.usage is None) is (model == "flow-gem-pix")


def test_a_picture_model_needs_no_tool(client: openai.OpenAI) -> None:
    """It can do nothing else."""
    made = client.responses.create(model="gemini-2.5-flash-image", input="a red fox")

    assert opened(picture(made)).size == (1024, 1024)
    assert made.model == "gemini-2.5-flash-image"


def test_a_stream_tells_everything_in_order(client: openai.OpenAI) -> None:
    """The client's own helper puts the same response together."""
    tool = {"type": "image_generation", "partial_images": 2}
    with client.responses.stream(model=CHAT_MODEL, input="a fox", extra_body={"tools": [tool]}) as stream:
        events = list(stream)
        final = stream.get_final_response()

    assert [event.type for event in events] == ORDER
    assert [event.sequence_number for event in events] == list(range(len(ORDER)))
    assert picture(client.responses.retrieve(final.id)) == picture(final)


def test_make_it_blue_means_the_picture_of_the_response_before(client: openai.OpenAI) -> None:
    """Turn by turn: each works from one picture, the last."""
    first = drawn(client)
    second = drawn(client, "make it blue", previous_response_id=first.id)
    third = drawn(client, "and bigger", previous_response_id=second.id)

    assert [given(each) for each in (first, second, third)] == [0, 1, 1]
    assert len({picture(each) for each in (first, second, third)}) == 3


@pytest.mark.parametrize("how", ["id", "result", "item_reference", "whole"])
def test_an_earlier_picture_is_sent_back_as_clients_do(client: openai.OpenAI, how: str) -> None:
    """By its id alone, with its bytes, as a reference, or everything as it was received."""
    first = drawn(client)
    call, said = first.output
    assert call.type == "image_generation_call"
    items: dict[str, list[object]] = {
        "id": [{"type": call.type, "id": call.id}],
        "result": [{"type": call.type, "id": "ig_of_another_server", "status": "completed", "result": call.result}],
        "item_reference": [{"type": "item_reference", "id": call.id}, {"type": "item_reference", "id": said.id}],
        "whole": [call.model_dump(), said.model_dump()],
    }
    turns = [{"role": "user", "content": "a fox"}, *items[how], {"role": "user", "content": "make it blue"}]

    assert (
        given(
            client.responses.create(
                model=CHAT_MODEL, extra_body={"input": turns, "tools": first.model_dump()["tools"]}, input=""
            )
        )
        == 1
    )


def test_pictures_come_along_in_every_way(client: openai.OpenAI, server: Server) -> None:
    """As data, by the id of an upload, by a link of ours, by the id of an earlier picture."""
    uploaded = client.files.create(file=png(30, 30), purpose="vision").id
    link = client.images.generate(model="dall-e-3", prompt="a fox").data
    assert link is not None
    assert (link[0].url or "").startswith(server.url)
    places: list[dict[str, object]] = [
        {"image_url": f"data:image/png;base64,{base64.b64encode(png()).decode()}"},
        {"file_id": uploaded},
        {"image_url": link[0].url},
        {"file_id": drawn(client).id.replace("resp_", "ig_")},
    ]
    parts = [{"type": "input_image", "detail": "auto", **place} for place in places]
    turn = {"role": "user", "content": [{"type": "input_text", "text": "combine"}, *parts]}
    made = client.responses.create(
        model=CHAT_MODEL,
        input="",
        extra_body={"input": [turn], "tools": [{"type": "image_generation", "model": "gemini-3.1-flash-image"}]},
    )

    assert given(made) == 4


def test_the_input_can_be_looked_up(client: openai.OpenAI) -> None:
    """Page by page, newest first, without the bytes of pictures."""
    data = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    turns = [
        {"role": "system", "content": "Draw well."},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "blue"}, {"type": "input_image", "image_url": data}],
        },
    ]
    made = drawn(client, input=turns)
    newest, oldest = list(client.responses.input_items.list(made.id, limit=1))

    assert isinstance(newest, ResponseInputMessageItem)
    assert isinstance(oldest, ResponseInputMessageItem)
    assert [part.type for part in newest.content] == ["input_text", "input_image"]
    assert [part.text for part in oldest.content if part.type == "input_text"] == ["Draw well."]
    with pytest.raises(openai.BadRequestError):
        client.responses.input_items.list(made.id, after="msg_nothing")


def test_what_is_not_stored_is_not_found(client: openai.OpenAI) -> None:
    """Nor followed up, nor worked from."""
    made = drawn(client, store=False)
    assert len(picture(made)) > 0

    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as caught:
        drawn(client, "blue", previous_response_id=made.id)
    assert (caught.value.param, caught.value.code) == ("previous_response_id", "previous_response_not_found")
    with pytest.raises(openai.BadRequestError, match="There is no picture 'ig_") as caught:
        drawn(
            client, input=[{"type": "image_generation_call", "id": made.output[0].id}, {"role": "user", "content": "b"}]
        )
    assert caught.value.param == "input"


def test_a_response_is_its_owners_alone(client: openai.OpenAI, other: openai.OpenAI) -> None:
    """To others it does not exist."""
    made = drawn(client)
    asks: list[Callable[[str], object]] = [
        other.responses.retrieve,
        other.responses.delete,
        other.responses.cancel,
        other.responses.input_items.list,
    ]
    for ask in asks:
        with pytest.raises(openai.NotFoundError):
            ask(made.id)
    with pytest.raises(openai.BadRequestError):
        drawn(other, "blue", previous_response_id=made.id)
    with pytest.raises(openai.BadRequestError):
        drawn(other, input=[made.output[0].model_dump(include={"type", "id"}), {"role": "user", "content": "blue"}])

    assert client.responses.retrieve(made.id).id == made.id


def test_a_deleted_response_is_gone(client: openai.OpenAI, http: httpx.Client, server: Server) -> None:
    """With its picture."""
    made = drawn(client)
    [file] = [name for name in (server.folder / "media").iterdir() if name.read_bytes() == picture(made)]
    reply = http.delete(f"{server.url}/v1/responses/{made.id}", headers=HEADERS)

    assert reply.json() == {"id": made.id, "object": "response", "deleted": True}
    assert not file.exists()
    with pytest.raises(openai.NotFoundError):
        client.responses.delete(made.id)


def test_a_refusal_is_an_error_before_anything_was_sent(patient: Server, connect: Connect) -> None:
    """Streamed or not, with Google's own words."""
    for stream in (False, True):
        with connect(patient) as client, pytest.raises(openai.BadRequestError) as caught:
            client.responses.create(
                model=CHAT_MODEL, input="[blocked]", tools=[{"type": "image_generation"}], stream=stream
            )
        assert caught.value.code == "moderation_blocked"


def test_a_late_refusal_is_said_inside_the_stream(client: openai.OpenAI, server: Server) -> None:
    """In a word of OpenAI's list; and it can be looked up."""
    server.fault(on="gemini.generate", do="delay", seconds=0.4, prompt="[blocked] late")
    events = list(
        client.responses.create(
            model=CHAT_MODEL, input="[blocked] late", tools=[{"type": "image_generation"}], stream=True
        )
    )

    assert [event.type for event in events] == [*ORDER[:5], "response.failed"]
    assert events[-1].type == "response.failed"
    assert events[-1].response.error is not None
    assert events[-1].response.error.code == "image_content_policy_violation"
    assert client.responses.retrieve(events[-1].response.id).status == "failed"


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"tools": [{"type": "image_generation", "background": "transparent"}]}, 400, "tools[0].background"),
        ({"tools": []}, 404, "model"),
        ({"model": "gemini-3-pro-imgae"}, 404, "model"),
        ({"tool_choice": "none"}, 400, "tool_choice"),
        ({"conversation": "conv_1"}, 400, "conversation"),
        ({"input": 7}, 400, "input"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}]}, 400, "input"),
        ({"background": True, "store": False}, 400, "store"),
        ({"previous_response_id": "resp_1"}, 400, "previous_response_id"),
        ({"previous_response_id": "nothing"}, 400, "previous_response_id"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    http: httpx.Client, server: Server, fields: dict[str, object], status: int, param: str
) -> None:
    """Before anything is paid for."""
    reply = posted(http, server, **fields)

    assert (reply.status_code, reply.json()["error"]["param"]) == (status, param)


def test_what_chat_programs_send_along_is_tolerated(http: httpx.Client, server: Server) -> None:
    """Sampling, reasoning, other tools, null for whatever is not set, fields that nobody knows."""
    reply = posted(
        http,
        server,
        instructions="You are helpful.",
        temperature=0.7,
        top_p=None,
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "low"},
        include=["reasoning.encrypted_content"],
        metadata={"chat": "1"},
        max_output_tokens=4096,
        truncation="auto",
        service_tier="auto",
        parallel_tool_calls=None,
        tool_choice={"type": "image_generation"},
        tools=[{"type": "web_search"}, {"type": "image_generation", "size": None}],
        anything={"else": 1},
    )
    answer = reply.json()

    assert reply.status_code == 200, reply.text
    assert (answer["instructions"], answer["metadata"], answer["temperature"]) == (
        "You are helpful.",
        {"chat": "1"},
        0.7,
    )


@pytest.mark.parametrize("background", [False, True])
def test_a_retry_is_answered_with_what_the_first_attempt_paid_for(
    http: httpx.Client, server: Server, *, background: bool
) -> None:
    """The clients send the same again when an answer is lost."""
    prompt = f"a fox that is asked for twice, {background}"
    body = {
        "model": CHAT_MODEL,
        "input": prompt,
        "tools": [{"type": "image_generation"}],
        "background": background,
    }
    url = f"{server.url}/v1/responses"
    replies = [
        http.post(url, json=body, headers={**HEADERS, "x-stainless-retry-count": str(count)}, timeout=30).json()
        for count in (0, 1)
    ]
    while any(each["status"] in {"queued", "in_progress"} for each in replies):
        replies = [http.get(f"{url}/{each['id']}", headers=HEADERS).json() for each in replies]

    assert replies[0]["output"][0]["result"] == replies[1]["output"][0]["result"]
    assert server.executed(prompt) == 1
    assert background or replies[0]["id"] == replies[1]["id"]


@pytest.mark.parametrize("prefix", ["/v1", "", "/v1/v1"])
def test_responses_answer_below_every_prefix(http: httpx.Client, server: Server, prefix: str) -> None:
    """As everything else does."""
    reply = http.get(f"{server.url}{prefix}/responses/resp_nothing", headers=HEADERS)

    assert reply.status_code == 404


def test_numbers_of_events_grow_by_one(client: openai.OpenAI) -> None:
    """Clients sort by them."""
    stream = client.responses.create(model=CHAT_MODEL, input="a fox", tools=[{"type": "image_generation"}], stream=True)

    assert all(b.sequence_number == a.sequence_number + 1 for a, b in pairwise(stream))
