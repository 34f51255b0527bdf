"""Pictures in the background over the death of their process: made once, or honestly unknown."""

from pathlib import Path

import openai
import pytest

from tests.journeys.server import Connect, Server, wait_until
from tests.journeys.test_on_postgresql import server_of
from tests.journeys.test_responses import CHAT_MODEL, picture
from tests.journeys.test_responses_in_the_background import QUEUED, begun, over
from tests.pictures import opened
from tests.postgres import PASSWORD, PostgresServer

#: Memory for one picture at a time: the second one waits, and is not sent.
NARROW = "[limits]\nmemory_bytes = 8000000\nwait_seconds = 60\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Server:
    """A server that is not started yet, with little memory."""
    if request.param == "sqlite":
        return Server(tmp_path, more=NARROW)
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.new_url().replace(f":{PASSWORD}", "")
    return server_of(tmp_path / "server", url, PASSWORD, more=NARROW)


def hold_the_memory(server: Server, client: openai.OpenAI) -> str:
    """Begin a picture that is paid for and whose answer does not come; return the id of its response."""
    server.fault(on="gemini.generate", do="hang", after=True, prompt="a fox in the way")
    first = begun(client, "a fox in the way")
    wait_until(lambda: server.executed("a fox in the way") == 1, "it was not made")
    return first.id


def test_what_was_not_sent_is_made_after_the_restart_and_what_was_sent_is_unknown(
    connect: Connect, server: Server
) -> None:
    """Each is carried out once."""
    server.start()
    with connect(server) as client:
        sent = hold_the_memory(server, client)
        waiting = begun(client, "a patient fox")
        assert waiting.status == "queued"
    server.kill()
    server.start()
    with connect(server) as client:
        unknown = over(client, client.responses.retrieve(sent))
        made = over(client, client.responses.retrieve(waiting.id))
        executed = server.executed("a fox in the way"), server.executed("a patient fox")
    assert server.stop() == 0

    assert unknown.status == "failed"
    assert unknown.error is not None
    assert "It may have been paid for and is not made again." in unknown.error.message
    assert (made.status, opened(picture(made)).format) == ("completed", "PNG")
    assert executed == (1, 1)


def test_a_stream_is_taken_up_after_the_restart(connect: Connect, server: Server) -> None:
    """Behind the event that its reader has."""
    server.start()
    with connect(server) as client:
        hold_the_memory(server, client)
        with client.responses.create(
            model=CHAT_MODEL,
            input="a fox to come back to",
            tools=[{"type": "image_generation"}],
            background=True,
            stream=True,
        ) as stream:
            first = next(iter(stream))
    assert first.type == "response.created"
    server.kill()
    server.start()
    with connect(server) as client:
        rest = list(client.responses.retrieve(first.response.id, stream=True, starting_after=first.sequence_number))
        assert server.executed("a fox to come back to") == 1
    assert server.stop() == 0

    assert [event.type for event in [first, *rest]] == QUEUED
    assert [event.sequence_number for event in rest] == list(range(1, len(QUEUED)))


def test_what_was_called_off_before_it_was_sent_is_not_sent_after_the_restart(connect: Connect, server: Server) -> None:
    """Nothing is charged for it."""
    server.start()
    with connect(server) as client:
        hold_the_memory(server, client)
        waiting, deleted = begun(client, "a fox that nobody wants"), begun(client, "a fox to forget")
        assert client.responses.cancel(waiting.id).status == "cancelled"
        client.responses.delete(deleted.id)
    server.kill()
    server.start()
    with connect(server) as client:
        over(client, begun(client, "a fox after them"))
        assert client.responses.retrieve(waiting.id).status == "cancelled"
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(deleted.id)
        assert server.executed("a fox that nobody wants") == server.executed("a fox to forget") == 0
    assert server.stop() == 0
