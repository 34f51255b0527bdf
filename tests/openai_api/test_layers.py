"""The layers around the application, driven as a server drives them."""

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from adapter.openai_api.routes.request_log import RequestLog


def asked(path: str = "/v1/images/edits") -> HTTPScope:
    """Return what a server knows of a request, as far as these layers look."""
    return {"type": "http", "method": "POST", "path": path}  # type: ignore[typeddict-item]


async def nothing() -> Message:
    """Receive, where nobody listens."""
    raise AssertionError("nothing was to be read")


async def answers(app: ASGIApp) -> list[Message]:
    """Return what a layer sends."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(asked(), nothing, send)  # type: ignore[arg-type]
    return sent


async def test_what_crashes_is_not_asked_for_again() -> None:
    """It may have been paid for: OpenAI's SDKs would repeat a plain 500."""

    async def crashes(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError("not foreseen")

    with capture_logs() as logs:
        start, _ = await answers(RequestLog(crashes))

    assert start["type"] == "http.response.start"
    assert (start["status"], dict(start["headers"])[b"x-should-retry"]) == (500, b"false")
    assert logs[0]["event"] == "request.crashed"
