"""What clients make of answers that come seldom."""

from collections.abc import AsyncIterator

import httpx

from tests.torture.calls import Line
from tests.torture.calls_rest import ask_video
from tests.torture.wishes import Kind, Told, Wish

LAST = b'id: 3\nevent: video.completed\ndata: {"video": {"status": "completed", "progress": 100}}\n\n'
WATCHER = Kind(name="form", route="form", follows="events")


class Broken(httpx.AsyncByteStream):
    """A stream that breaks after its last event."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the event, and break."""
        yield LAST
        raise httpx.ReadError("the server was killed")


async def test_a_stream_that_breaks_after_its_last_event_is_not_read_for_ever() -> None:
    """Who comes back is told by 204 that there is no more, and looks the video up."""
    answers = {
        "/v1/videos/video_1/events": [httpx.Response(200, stream=Broken()), httpx.Response(204)],
        "/v1/videos/video_1": [httpx.Response(200, json={"status": "completed"})],
        "/v1/videos/video_1/content": [httpx.Response(200, content=b"film")],
    }
    wish = Wish(WATCHER, "waves", [Told(at=1.0, what="accepted", job_id="video_1")])

    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda it: answers[it.url.path].pop(0))) as http:
        await ask_video(Line(http, lambda: "http://adapter"), wish)

    assert (wish.is_over, wish.events) == (True, [(3, "completed", 100)])
