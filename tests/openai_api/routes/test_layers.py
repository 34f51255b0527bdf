"""The layers around the application, driven as a server drives them."""

import asyncio
import gzip
from typing import Any

import pytest
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from adapter.budget import MemoryBudget
from adapter.clock import SystemClock
from adapter.domain.telemetry import NoMetrics
from adapter.hang_up import HANG_UP, HangUp
from adapter.openai_api.routes.decoding import DecodedBodies
from adapter.openai_api.routes.file_turns import FileTurns
from adapter.openai_api.routes.head import HeadRequests
from adapter.openai_api.routes.request_log import RequestLog
from adapter.openai_api.routes.reservation import (
    ANSWER_STEP_BYTES,
    HELD,
    SMALL_ANSWER_BYTES,
    ReservationMiddleware,
)

BUDGET = MemoryBudget(SystemClock(), capacity=1, wait_seconds=0)


def asked(path: str = "/v1/images/edits") -> HTTPScope:
    """Return what a server knows of a request, as far as these layers look."""
    return {"type": "http", "method": "POST", "path": path, "headers": []}  # type: ignore[typeddict-item]


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


async def test_an_answer_holds_its_room_until_it_was_read() -> None:
    """A server takes one message of any size at once, and waits for a slow reader before it takes the next."""
    answer = b"a large answer" * SMALL_ANSWER_BYTES
    read, given_back = asyncio.Event(), asyncio.Event()
    sent: list[Message] = []

    async def answering(scope: Scope, _receive: Receive, send: Send) -> None:
        reservation = BUDGET.empty()
        reservation.call_at_end(given_back.set)
        scope["state"][HELD].keep(reservation)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer, "more_body": False})

    async def send(message: Message) -> None:
        if sent and sent[-1]["type"] == "http.response.body":
            await read.wait()
        sent.append(message)

    identity = asyncio.create_task(ReservationMiddleware(answering)(asked(), nothing, send))  # type: ignore[arg-type]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not given_back.is_set()

    read.set()
    await identity
    assert given_back.is_set()
    assert b"".join(message["body"] for message in sent if message["type"] == "http.response.body") == answer
    assert sent[-1]["type"] == "http.response.body"
    assert not sent[-1]["more_body"]


async def test_a_reader_who_takes_nothing_gives_its_room_back() -> None:
    """Else a few of them hold everything there is."""
    sent: list[int] = []

    async def answering(scope: Scope, _receive: Receive, send: Send) -> None:
        scope["state"][HELD].keep(BUDGET.empty())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(3 * ANSWER_STEP_BYTES), "more_body": False})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            sent.append(len(message["body"]))
            if len(sent) == 2:
                await asyncio.Event().wait()

    with capture_logs() as logs:
        async with asyncio.timeout(5):
            await ReservationMiddleware(answering, reader_seconds=0.01)(asked(), nothing, send)  # type: ignore[arg-type]

    assert sent == [ANSWER_STEP_BYTES] * 2
    assert [log["event"] for log in logs] == ["request.reader_stalled"]


async def test_a_scope_of_the_server_is_left_as_it_came() -> None:
    """The server keeps it until the connection's next request, with everything that was put into it."""
    scope = {**asked(), "state": {"of the server": 1}}
    inside: list[object] = []

    async def answering(scope: Scope, _receive: Receive, send: Send) -> None:
        scope["state"]["a picture"] = scope["body"] = b"large"  # type: ignore[typeddict-unknown-key]
        inside.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(_message: Message) -> None:
        pass

    await ReservationMiddleware(answering)(scope, nothing, send)  # type: ignore[arg-type]

    assert scope == {**asked(), "state": {"of the server": 1}}
    assert inside == [{}]


async def test_a_body_that_is_not_wanted_is_taken_from_the_server_and_thrown_away() -> None:
    """The server would keep what has come until the connection's next request."""
    scope = {**asked(), "headers": [(b"content-length", b"9")]}
    came: list[str] = []

    async def refusing(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"no", "more_body": False})

    async def receive() -> Message:
        came.append("asked")
        return {"type": "http.request", "body": b"beginning", "more_body": True}  # type: ignore[return-value,misc]

    async def send(message: Message) -> None:
        came.append(message["type"])

    await ReservationMiddleware(refusing)(scope, receive, send)  # type: ignore[arg-type]

    assert came == ["http.response.start", "asked", "http.response.body"]


async def test_what_crashes_is_not_asked_for_again() -> None:
    """It may have been paid for: OpenAI's SDKs would repeat a plain 500."""

    async def crashes(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError("not foreseen")

    with capture_logs() as logs:
        start, _ = await answers(RequestLog(crashes, NoMetrics()))

    assert start["type"] == "http.response.start"
    assert (start["status"], dict(start["headers"])[b"x-should-retry"]) == (500, b"false")
    assert logs[0]["event"] == "request.crashed"


@pytest.mark.parametrize("leaves", ["before", "meanwhile", "after"])
async def test_a_client_that_left_is_a_499_in_the_log(leaves: str) -> None:
    """As in nginx, whatever was answered to nobody. After the answer it may leave."""

    async def answering(_scope: Scope, receive: Receive, send: Send) -> None:
        if leaves == "before":
            await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if leaves != "meanwhile":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            await receive()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        pass

    with capture_logs() as logs:
        await RequestLog(answering, NoMetrics())(asked(), receive, send)  # type: ignore[arg-type]

    expected = (200, None) if leaves == "after" else (499, True)
    assert [(log["status"], log["hung_up"]) for log in logs] == [expected]


@pytest.mark.parametrize(("method", "length"), [("HEAD", b"7"), ("DELETE", b"0")])
async def test_a_client_that_leaves_after_a_head_without_a_body_is_no_499(method: str, length: bytes) -> None:
    """It has all of its answer: `curl -I` and monitors of uptime close then, before the empty body is written."""
    hang_up = HangUp()

    async def answering(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        hang_up.happen()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(_message: Message) -> None:
        pass

    scope = {**asked(), "method": method, "extensions": {HANG_UP: hang_up}}
    with capture_logs() as logs:
        await RequestLog(answering, NoMetrics())(scope, nothing, send)  # type: ignore[arg-type]

    assert [(log["status"], log["hung_up"]) for log in logs] == [(200, None)]


async def test_an_answer_that_crashed_midway_is_no_499() -> None:
    """It was not the client that left."""

    async def crashes(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError("not foreseen")

    with capture_logs() as logs, pytest.raises(LookupError):
        await answers(RequestLog(crashes, NoMetrics()))

    assert [(log["event"], log.get("status")) for log in logs] == [("request.crashed", None), ("request.finished", 200)]


async def test_a_head_ends_where_the_body_would_begin() -> None:
    """No file is read, no stream is told, and nothing counts as handed over."""
    begun: list[str] = []

    async def answering(scope: Scope, _receive: Receive, send: Send) -> None:
        begun.append(scope["method"])  # type: ignore[typeddict-item] # a request over HTTP
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]})
        begun.append("body")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD", "path": "/"}
    await HeadRequests(answering)(scope, nothing, send)  # type: ignore[arg-type]

    assert begun == ["GET"]
    assert sent == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]},
        {"type": "http.response.body", "body": b"", "more_body": False},
    ]


async def test_a_compressed_body_is_read_as_it_was_and_then_the_connection_is_listened_to() -> None:
    """Its coding and its length are those of another body, so a handler sees neither."""
    packed = gzip.compress(b"a fox")
    coming: list[dict[str, Any]] = [
        {"type": "http.request", "body": packed[:5], "more_body": True},
        {"type": "http.request", "body": packed[5:], "more_body": False},
        {"type": "http.disconnect"},
    ]
    read: list[Any] = []
    headers: list[tuple[bytes, bytes]] = []

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def reading(scope: Scope, receive: Receive, _send: Send) -> None:
        headers.extend(scope["headers"])
        while not read or read[-1]["type"] != "http.disconnect":
            read.append(await receive())

    sent = [(b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed)), (b"accept", b"*/*")]
    scope = {**asked(), "headers": sent}
    await DecodedBodies(reading, body_bytes=100)(scope, receive, send_nothing)  # type: ignore[arg-type]

    assert headers == [(b"accept", b"*/*")]
    assert b"".join(message["body"] for message in read if message["type"] == "http.request") == b"a fox"
    assert [message["more_body"] for message in read if message["type"] == "http.request"] == [True, False]


async def send_nothing(_: Message) -> None:
    """Send, where nobody answers."""
    raise AssertionError("nothing was to be sent")


async def test_requests_for_files_begin_a_few_in_a_turn_and_hold_up_no_other_request() -> None:
    """A thousand may ask for files in one moment."""
    begun: list[str] = []

    async def beginning(scope: Scope, _receive: Receive, _send: Send) -> None:
        begun.append(scope["path"])

    app = FileTurns(beginning, at_once=2)
    files = [asyncio.ensure_future(app(asked(f"/media/{n}.png"), nothing, nothing)) for n in range(5)]  # type: ignore[arg-type]
    other = asyncio.ensure_future(app(asked("/health"), nothing, nothing))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert begun == ["/media/0.png", "/media/1.png", "/health"]

    await asyncio.gather(*files, other)
    assert begun[3:] == ["/media/2.png", "/media/3.png", "/media/4.png"]


async def test_a_request_for_a_file_that_was_cancelled_takes_no_turn() -> None:
    """Those behind it come one place earlier."""
    begun: list[str] = []

    async def beginning(scope: Scope, _receive: Receive, _send: Send) -> None:
        begun.append(scope["path"])

    app = FileTurns(beginning, at_once=1)
    tasks = [asyncio.ensure_future(app(asked(f"/media/{n}.png"), nothing, nothing)) for n in range(3)]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert begun == ["/media/0.png", "/media/2.png"]
