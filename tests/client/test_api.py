"""What the client does when a server or the way to it is out of order. Its pauses are recorded, not waited for."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from adapter.client.api import MediaClient
from adapter.client.failures import CommandFailed, ConnectionLost, NotReached, NotUnderstood, RequestRefused
from adapter.client.http import ServerConnection
from adapter.client.wire import ImageCommand, VideoCommand, VideoStatus
from tests.client.scripted import BROKEN, Scripted, ScriptedServer, answers, scripted, streams

PICTURE = {"data": [{"b64_json": "aGk="}], "size": "1024x1024"}
FOX = ImageCommand(prompt="a fox", output_format="png", n=1)
WAVES = VideoCommand(prompt="waves")


class Waits:
    """The pauses that a client wanted, and what it said before them."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.said: list[str] = []


@contextmanager
def client_of(url: str, waits: Waits | None = None, key: str | None = "sk-secret") -> Iterator[MediaClient]:
    """Give a client of a server."""
    kept = waits or Waits()
    with ServerConnection(url, key) as connection:
        yield MediaClient(connection, tell=kept.said.append, sleep=kept.seconds.append)


def refuses(status: int, message: str, **headers: str) -> Scripted:
    """Return an error in OpenAI's form."""
    return answers({"error": {"message": message, "type": "x", "param": None, "code": None}}, status, **headers)


def video(status: str = "queued", progress: int = 0) -> dict[str, object]:
    """Return a video as a server describes it."""
    return {"id": "video_1", "status": status, "progress": progress, "model": "veo", "seconds": "8", "size": "1x1"}


def change(number: int, status: str, progress: int) -> dict[str, object]:
    """Return an event of a video."""
    return {"type": f"video.{status}", "sequence_number": number, "video": video(status, progress)}


def watched(server: ScriptedServer) -> list[tuple[str, int]]:
    """Watch the video of a server to its end, and return what was seen."""
    with client_of(server.url) as client:
        seen = client.watch(VideoStatus(id="video_1", status="queued"))
        return [(each.status, each.progress) for each in seen]


@pytest.mark.parametrize("first", [BROKEN, refuses(503, "Busy.", x_should_retry="true"), Scripted(502, b"<html>")])
def test_a_request_that_broke_is_repeated_as_the_same_request(first: Scripted) -> None:
    """The server knows by the key that it is one wish."""
    with scripted(first, answers(PICTURE)) as server, client_of(server.url) as client:
        made = client.make_images(FOX, "cli-1")

    assert made.size == "1024x1024"
    assert [each.key for each in server.asked] == ["cli-1", "cli-1"]
    assert server.asked[0] == server.asked[1]


def test_the_server_says_how_long_to_wait() -> None:
    """At most a minute."""
    waits = Waits()
    busy = [refuses(429, "Slow down.", retry_after=after, x_should_retry="true") for after in ("7", "3600")]
    with scripted(*busy, answers(video())) as server, client_of(server.url, waits) as client:
        client.order_video(WAVES, "cli-1")

    assert waits.seconds == [7.0, 60.0]
    assert waits.said[0] == "Slow down. The next attempt is in 7 s."


@pytest.mark.parametrize(
    "refusal",
    [
        refuses(400, "Wrong."),
        refuses(429, "Wrong.", x_should_retry="false"),
        refuses(504, "Wrong.", x_should_retry="false"),
    ],
)
def test_a_final_refusal_is_not_repeated(refusal: Scripted) -> None:
    """Its message is the server's."""
    with scripted(refusal) as server, client_of(server.url) as client, pytest.raises(RequestRefused) as caught:
        client.make_images(FOX, "cli-1")

    assert (caught.value.message, len(server.asked)) == ("Wrong.", 1)
    assert not caught.value.is_kept


def test_it_gives_up_after_three_attempts() -> None:
    """The result may be had later, with the same key."""
    with scripted(BROKEN) as server, client_of(server.url) as client, pytest.raises(ConnectionLost) as caught:
        client.make_images(FOX, "cli-1")

    assert (len(server.asked), caught.value.is_kept) == (3, True)


def test_a_server_that_is_not_there_is_named_at_once() -> None:
    """Nothing was sent, and the address may be wrong."""
    with scripted(BROKEN) as server:
        url = server.url
    waits = Waits()
    with client_of(url, waits) as client, pytest.raises(NotReached) as caught:
        client.make_images(FOX, "cli-1")

    assert f"There is no connection to {url}: Connection refused." in caught.value.message
    assert waits.seconds == []


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"data": 1}', b'"\xff"', b""])
def test_an_answer_of_another_program_is_one_sentence(body: bytes) -> None:
    """Not a traceback."""
    with scripted(Scripted(200, body)) as server, client_of(server.url) as client, pytest.raises(NotUnderstood):
        client.make_images(FOX, "cli-1")


def test_the_key_is_sent_and_never_said() -> None:
    """A refusal says where it is given."""
    refusal = refuses(401, "Incorrect API key provided.")
    with scripted(refusal) as server, client_of(server.url) as client, pytest.raises(CommandFailed) as caught:
        client.make_images(FOX, "cli-1")

    assert server.asked[0].authorization == "Bearer sk-secret"
    assert caught.value.message == "Incorrect API key provided. ADAPTER_KEY or --key gives the key."


def test_no_redirect_is_followed() -> None:
    """It would carry the key elsewhere."""
    moved = Scripted(307, headers=(("location", "/v1/elsewhere"),))
    with scripted(moved) as server, client_of(server.url) as client, pytest.raises(RequestRefused):
        client.make_images(FOX, "cli-1")

    assert len(server.asked) == 1


def test_a_stream_that_was_cut_goes_on_where_it_was() -> None:
    """Between the streams the client looks at the video itself."""
    with scripted(
        streams(change(1, "queued", 0), change(2, "in_progress", 10)),
        answers(video("in_progress", 10)),
        streams(change(3, "in_progress", 50), change(4, "completed", 100)),
    ) as server:
        seen = watched(server)

    assert [each.line for each in server.asked] == [
        "GET /v1/videos/video_1/events",
        "GET /v1/videos/video_1",
        "GET /v1/videos/video_1/events?starting_after=2",
    ]
    assert seen == [("queued", 0), ("in_progress", 10), ("in_progress", 10), ("in_progress", 50), ("completed", 100)]


def test_a_server_without_streams_is_polled() -> None:
    """OpenAI's own, or another gateway; it is asked for a stream once."""
    nothing = refuses(404, "No such path.")
    with scripted(nothing, answers(video("in_progress", 20)), answers(video("failed", 20))) as server:
        seen = watched(server)

    assert seen == [("queued", 0), ("in_progress", 20), ("failed", 20)]
    assert sum("/events" in each.line for each in server.asked) == 1


def test_a_watch_outlasts_a_server_that_stumbles() -> None:
    """A look at a video is free."""
    stumbles = [BROKEN, Scripted(502), refuses(503, "Busy.", x_should_retry="true")]
    with scripted(Scripted(404), *stumbles, answers(video("completed", 100))) as server:
        assert watched(server)[-1] == ("completed", 100)


def test_a_stream_that_begins_with_the_past_shows_no_step_back() -> None:
    """The order was answered when the video was under way."""
    past = streams(change(1, "queued", 0), change(2, "in_progress", 0), change(3, "completed", 100))
    with scripted(past) as server, client_of(server.url) as client:
        seen = [each.status for each in client.watch(VideoStatus(id="video_1", status="in_progress"))]

    assert seen == ["in_progress", "completed"]


def test_a_download_that_broke_begins_again() -> None:
    """What came before does not count."""
    kept: list[bytes] = []

    def keep(pieces: Iterable[bytes]) -> None:
        kept.append(b"".join(pieces))

    script = (Scripted(200, b"half", missing=4), Scripted(200, b"the whole"))
    with scripted(*script) as server, client_of(server.url) as client:
        client.download("video_1", keep)

    assert kept == [b"the whole"]


def test_an_id_is_one_part_of_a_path() -> None:
    """It comes from a person."""
    with scripted(answers(video("completed", 100))) as server, client_of(server.url) as client:
        client.find_video("../keys?x")

    assert server.asked[0].line == "GET /v1/videos/..%2Fkeys%3Fx"
