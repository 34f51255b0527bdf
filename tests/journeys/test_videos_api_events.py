"""The changes of a video as a stream that can be left and resumed."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import openai
import pytest
from openai.types import Video

from tests.journeys.server import KEY, Connect, Server

SECOND = "sk-second"

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def bearer(key: str = KEY) -> dict[str, str]:
    """Return the headers of a client without an SDK."""
    return {"authorization": f"Bearer {key}"}


class Told(msgspec.Struct, frozen=True):
    """An event of a video."""

    type: str
    sequence_number: int
    video: Video


def events(http: httpx.Client, server: Server, video_id: str, **ask: dict[str, str]) -> Iterator[Told]:
    """Follow a video; leaving off hangs up."""
    headers = {**bearer(), **ask.get("headers", {})}
    url = f"{server.url}/v1/videos/{video_id}/events"
    with http.stream("GET", url, headers=headers, params=ask.get("params"), timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                yield Told(event["type"], event["sequence_number"], Video.model_validate(event["video"]))


def test_every_change_of_a_video_is_told_in_order(
    client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str
) -> None:
    """From the queue to the links, live and once more afterwards. The first video gives the second its estimate."""
    client.videos.create_and_poll(prompt=f"{prompt} before")
    video = client.videos.create(prompt=prompt)
    live = [*events(http, server, video.id)]
    afterwards = [*events(http, server, video.id)]

    assert [each.sequence_number for each in live] == [*range(1, len(live) + 1)]
    assert (live[0].type, live[-1].type) == ("video.queued", "video.completed")
    assert {each.type for each in live[1:-1]} == {"video.in_progress"}
    assert all(each.video.status == each.type.removeprefix("video.") for each in live)
    assert sorted(each.video.progress for each in live) == [each.video.progress for each in live]
    assert len({each.video.progress for each in live}) > 3
    assert live[-1].video == client.videos.retrieve(video.id)
    assert live[-2].video.model_extra == {"url": None, "thumbnail_url": None, "usage": {"credits": 20.0}}
    assert afterwards == live


@pytest.mark.parametrize("way", ["header", "query", "both"])
def test_a_reader_who_comes_back_is_told_the_rest(
    client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str, way: str
) -> None:
    """As a browser asks, which repeats the first address, or as the Responses API has it; at the end: nothing."""
    video = client.videos.create(prompt=prompt)
    stream = events(http, server, video.id)
    seen = [next(stream), next(stream), next(stream)]
    stream.close()  # type: ignore[attr-defined]
    ask = {
        "header": {"headers": {"last-event-id": "3"}},
        "query": {"params": {"starting_after": "3"}},
        "both": {"headers": {"last-event-id": "3"}, "params": {"starting_after": "1"}},
    }[way]
    rest = [*events(http, server, video.id, **ask)]
    over = http.get(
        f"{server.url}/v1/videos/{video.id}/events",
        headers={**bearer(), "last-event-id": str(rest[-1].sequence_number)},
    )

    assert [each.sequence_number for each in seen + rest] == [*range(1, len(rest) + 4)]
    assert rest[-1].type == "video.completed"
    assert (over.status_code, over.content) == (204, b"")


def test_a_failure_is_the_last_event(client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str) -> None:
    """With its reason."""
    video = client.videos.create(prompt=f"[fails] {prompt}")
    *_, last = events(http, server, video.id)

    assert last.type == "video.failed"
    assert last.video.error is not None
    assert last.video.error.code == "video_generation_failed"


def test_the_official_client_can_read_the_stream(client: openai.OpenAI, prompt: str) -> None:
    """Numbers and pauses do not confuse it; it has no method for them, but one for any address."""
    video = client.videos.create(prompt=prompt)
    stream = client.get(
        f"/videos/{video.id}/events",
        cast_to=object,
        stream=True,
        stream_cls=openai.Stream[object],
    )
    told = [event for event in stream if isinstance(event, dict)]

    assert told[-1]["type"] == "video.completed"
    assert [event["sequence_number"] for event in told] == [*range(1, len(told) + 1)]


@pytest.mark.parametrize(
    ("name", "value"), [("last-event-id", "last"), ("last-event-id", "-1"), ("last-event-id", "999")]
)
def test_a_place_that_there_is_not_is_a_clear_error(
    client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str, name: str, value: str
) -> None:
    """A stream from there would be silent."""
    video = client.videos.create(prompt=prompt)
    url = f"{server.url}/v1/videos/{video.id}/events"
    by_header = http.get(url, headers={**bearer(), name: value})
    by_query = http.get(url, headers=bearer(), params={"starting_after": value})

    assert [answer.status_code for answer in (by_header, by_query)] == [400, 400]
    assert by_query.json()["error"]["param"] == "starting_after"


def test_the_changes_of_others_videos_are_not_told(
    client: openai.OpenAI, http: httpx.Client, server: Server, prompt: str
) -> None:
    """Said before anything streams."""
    video = client.videos.create(prompt=prompt)
    answer = http.get(f"{server.url}/v1/videos/{video.id}/events", headers=bearer(SECOND))

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


def test_a_reader_goes_on_after_a_restart(connect: Connect, http: httpx.Client, prompt: str, tmp_path: Path) -> None:
    """A process that is told to stop ends its streams; the next one has the same numbers."""
    server = Server(tmp_path, active_seconds=2.0)
    server.start()
    with connect(server) as client:
        video = client.videos.create(prompt=prompt)
        stream = events(http, server, video.id)
        seen = [next(stream), next(stream)]
        assert server.stop() == 0
        seen += [*stream]
    server.start()
    rest = [*events(http, server, video.id, headers={"last-event-id": str(seen[-1].sequence_number)})]

    assert seen[-1].type == "video.in_progress"
    assert [each.sequence_number for each in seen + rest] == [*range(1, len(seen) + len(rest) + 1)]
    assert rest[-1].type == "video.completed"
    assert server.executed(prompt) == 1
    assert server.stop() == 0
