"""Streams of events that outlive the framework's call."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import cast

import pytest
from litestar import Litestar, get
from litestar.types import HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from adapter.hang_up import HANG_UP, HangUp
from adapter.openai_api.routes.event_streams import EventStream, EventStreams
from tests.fakes import let_others_run

Source = Callable[[], AsyncGenerator[bytes, None]]


class Reader:
    """A client of an application whose one handler answers with events."""

    def __init__(self, source: Source, hang_up: HangUp | None = None) -> None:
        """Take the events, and what tells of a hang-up, if the server does."""
        self._extensions = None if hang_up is None else {HANG_UP: cast("dict[object, object]", hang_up)}

        @get("/")
        async def handler() -> EventStream:
            return EventStream(source(), {"cache-control": "no-store"})

        self._app = Litestar([handler], openapi_config=None, logging_config=None)
        self.has_framework_returned = False
        self.gone = asyncio.Event()
        self.sent: list[Message] = []

    async def read(self) -> None:
        """Ask, and take what comes."""
        scope: HTTPScope = {  # type: ignore[typeddict-item] # what the framework adds by itself
            "type": "http",
            "asgi": {"spec_version": "2.3", "version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "root_path": "",
            "headers": [],
            "client": None,
            "server": None,
            "state": {},
            "extensions": self._extensions,
        }
        await EventStreams(self._framework)(scope, self._receive, self._send)

    async def _framework(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        self.has_framework_returned = True

    async def _receive(self) -> HTTPReceiveMessage:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def body(self) -> list[tuple[bytes, bool]]:
        """What came of the body, and whether more was announced."""
        return [(each["body"], each["more_body"]) for each in self.sent if each["type"] == "http.response.body"]


async def test_events_are_sent_when_the_framework_has_returned() -> None:
    """Its head comes first, and its objects are not held while the stream waits."""
    returned = []

    async def source() -> AsyncGenerator[bytes, None]:
        returned.append(reader.has_framework_returned)
        yield b"one"
        yield b"two"

    reader = Reader(source)
    await reader.read()

    assert reader.sent[0]["type"] == "http.response.start"
    assert (b"cache-control", b"no-store") in reader.sent[0]["headers"]
    assert returned == [True]
    assert reader.body == [(b"one", True), (b"two", True), (b"", False)]


async def test_a_client_that_hangs_up_ends_its_events_at_once() -> None:
    """They are closed, and nothing more is sent."""
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            closed.set()

    reader = Reader(source)
    reading = asyncio.ensure_future(reader.read())
    await let_others_run()
    assert not closed.is_set()
    reader.gone.set()
    await let_others_run()

    assert reading.done()
    assert closed.is_set()
    assert reader.body == [(b"one", True)]


async def test_a_server_that_tells_of_a_hang_up_ends_the_events_at_once() -> None:
    """Nothing waits for the client then: its end is never asked for."""
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            closed.set()

    reader = Reader(source, hang_up := HangUp())
    reading = asyncio.ensure_future(reader.read())
    await let_others_run()
    tasks = len(asyncio.all_tasks())
    hang_up.happen()
    await let_others_run()

    assert tasks == 2  # the test and the stream
    assert reading.done()
    assert closed.is_set()
    assert reader.body == [(b"one", True)]


async def test_a_hang_up_after_the_end_changes_nothing() -> None:
    """The server keeps what tells of it until the connection's next request."""

    async def source() -> AsyncGenerator[bytes, None]:
        yield b"one"

    reader = Reader(source, hang_up := HangUp())
    await reader.read()
    hang_up.happen()

    assert reader.body == [(b"one", True), (b"", False)]


async def test_a_time_out_of_the_events_is_no_client_that_left() -> None:
    """It is raised as every other error."""

    async def source() -> AsyncGenerator[bytes, None]:
        yield b"one"
        raise TimeoutError("of the source")

    with pytest.raises(TimeoutError, match="of the source"):
        await Reader(source).read()
