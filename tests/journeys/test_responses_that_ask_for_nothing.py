"""Inputs that have their answer already: agents send them, and another picture would be paid for."""

from collections.abc import Sequence

import openai
import pytest
from openai.types.responses import Response

from tests.journeys.server import Server
from tests.journeys.test_responses import CHAT_MODEL, given
from tests.journeys.test_responses_in_the_background import over

TOOL = {"type": "image_generation"}
VIDEO_MODEL = "veo-3.1-fast"
TEXT = (
    "What was asked for is in the answer before this one. "
    "Nothing new was made, because no message of the user came after it."
)
ORDER = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


def asked(client: openai.OpenAI, turns: object, **fields: object) -> Response:
    """Ask for a picture, with an input that the client's types need not know."""
    body = {"input": turns, "tools": [TOOL], **fields}
    return client.responses.create(model=CHAT_MODEL, input="", extra_body=body)


def said_again(response: Response, prompt: str) -> Sequence[object]:
    """Return a turn and its answer, as agents send them back."""
    return [{"role": "user", "content": prompt}, *(item.model_dump(exclude_none=True) for item in response.output)]


def test_a_picture_without_a_message_after_it_is_answered_with_words(
    client: openai.OpenAI, server: Server, prompt: str
) -> None:
    """It costs nothing, it is kept as any response is, and it is written down."""
    first = asked(client, prompt)
    turns = said_again(first, prompt)
    again = asked(client, turns)
    [item] = again.output

    assert (again.status, item.type, again.output_text) == ("completed", "message", TEXT)
    assert again.usage is not None
    assert again.usage.total_tokens == 0
    assert client.responses.retrieve(again.id) == again
    assert [each.type for each in client.responses.input_items.list(again.id, order="asc")] == [
        "message",
        "image_generation_call",
        "message",
    ]
    assert server.executed(prompt) == 1
    server.wait_for_line("responses.nothing_made")


def test_it_is_streamed_as_any_message_and_told_again(client: openai.OpenAI, server: Server, prompt: str) -> None:
    """From its beginning, or from any event on."""
    turns = said_again(asked(client, prompt), prompt)
    body = {"input": turns, "tools": [TOOL]}
    with client.responses.stream(model=CHAT_MODEL, input="", extra_body=body) as stream:
        events = list(stream)
        final = stream.get_final_response()
    again = list(client.responses.retrieve(final.id, stream=True))
    rest = list(client.responses.retrieve(final.id, stream=True, starting_after=4))

    assert [event.type for event in events] == ORDER
    assert [event.type for event in again] == ORDER
    assert rest == again[5:]
    assert final.output_text == TEXT
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_it_is_there_at_once_in_the_background(
    client: openai.OpenAI, server: Server, prompt: str, *, stream: bool
) -> None:
    """Nothing has to be waited for, and nothing can be called off."""
    turns = said_again(asked(client, prompt), prompt)
    body = {"input": turns, "tools": [TOOL]}
    if stream:
        events = list(
            client.responses.create(model=CHAT_MODEL, input="", extra_body=body, background=True, stream=True)
        )
        assert [event.type for event in events] == [ORDER[0], "response.queued", *ORDER[1:]]
        assert events[-1].type == "response.completed"
        answered = events[-1].response
    else:
        answered = client.responses.create(model=CHAT_MODEL, input="", extra_body=body, background=True)

    assert (answered.status, answered.output_text) == ("completed", TEXT)
    assert client.responses.cancel(answered.id) == answered
    assert server.executed(prompt) == 1


def test_what_is_not_stored_is_not_found(client: openai.OpenAI, prompt: str) -> None:
    """As with a picture."""
    answered = asked(client, said_again(asked(client, prompt), prompt), store=False)
    assert answered.output_text == TEXT

    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answered.id)


def test_a_turn_without_a_message_behind_a_response_draws_nothing(
    client: openai.OpenAI, server: Server, prompt: str
) -> None:
    """However often an agent asks; then "make it blue" still means the picture."""
    first = asked(client, prompt)
    executed = server.executions()
    second = asked(client, [], previous_response_id=first.id)
    call = {"type": "function_call_output", "call_id": "c", "output": "done"}
    third = asked(client, [call], previous_response_id=second.id)
    sent_back = asked(client, said_again(first, prompt))

    assert [each.output_text for each in (second, third, sent_back)] == [TEXT] * 3
    assert server.executions() == executed
    assert given(asked(client, "make it blue", previous_response_id=third.id)) == 1
    assert given(asked(client, "make it blue", previous_response_id=sent_back.id)) == 1


def test_a_response_that_shows_nothing_has_no_answer(client: openai.OpenAI, server: Server) -> None:
    """What failed is not taken for a picture, nor drawn again without a word of the user."""
    failed = over(
        client,
        client.responses.create(model=CHAT_MODEL, input="[blocked]", extra_body={"tools": [TOOL]}, background=True),
    )
    executed = server.executions()
    with pytest.raises(openai.BadRequestError, match="no message of role 'user'") as caught:
        asked(client, [], previous_response_id=failed.id)

    assert caught.value.param == "input"
    assert server.executions() == executed


def test_a_video_without_a_message_after_it_is_not_filmed_again(
    client: openai.OpenAI, server: Server, prompt: str
) -> None:
    """By its items, by its id, and with the message alone."""
    first = client.responses.create(model=VIDEO_MODEL, input=prompt)
    turns = said_again(first, prompt)
    for fields in (
        {"input": turns},
        {"input": [turns[0], turns[-1]]},
        {"input": [turns[0], {"type": "item_reference", "id": first.output[0].id}]},
        {"input": [], "previous_response_id": first.id},
    ):
        assert client.responses.create(model=VIDEO_MODEL, input="", extra_body=fields).output_text == TEXT

    assert server.executed(prompt) == 1


def test_an_agent_that_hands_its_work_over_gets_its_picture(client: openai.OpenAI, server: Server, prompt: str) -> None:
    """The input then ends in the result of another tool, and the picture is yet to be drawn; once."""
    turns = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": "The artist will do it."},
        {"type": "function_call", "call_id": "c", "name": "transfer_to_artist", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": '{"assistant": "artist"}'},
    ]
    drawn = asked(client, turns)
    again = asked(client, [*turns, *(item.model_dump(exclude_none=True) for item in drawn.output)])

    assert [item.type for item in drawn.output] == ["image_generation_call", "message"]
    assert again.output_text == TEXT
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("shown", [True, False])
def test_an_agent_that_wants_a_text_does_not_pay_twice(
    client: openai.OpenAI, server: Server, prompt: str, *, shown: bool
) -> None:
    """Pydantic AI asks for one in its own words; it sends the picture back with some names of models only."""
    turns = said_again(asked(client, prompt), prompt)
    answered = asked(client, [*(turns if shown else turns[:1]), {"role": "system", "content": "Please return text."}])

    assert answered.output_text == TEXT
    assert server.executed(prompt) == 1
