"""Answers that are passed on: what is added to a stream, and clients that hang up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from litestar.types import HTTPReceiveMessage, Message, Receive, Scope, Send

from adapter.domain.texts import TextMethod, TextReply, TextRequest
from adapter.errors import ClientLeft, UpstreamBroken, UpstreamBusy
from adapter.generation.passing import PassedTexts
from adapter.generation.timeouts import Timeouts
from adapter.openai_api.routes.chat import STREAM_FORM
from adapter.openai_api.routes.passing import Passing
from tests.fakes import FakeClock, let_others_run

WHOLE = TextRequest(provider="p", model="m", method=TextMethod.CHAT, body=b"{}")
STREAM = TextRequest(provider="p", model="m", method=TextMethod.CHAT, body=b"{}", is_stream=True)
SCOPE = {"type": "http", "method": "POST", "path": "/", "headers": [], "state": {}}
Piece = bytes | Exception


class Provider:
    """Sends the pieces that a test puts into it; None ends the answer."""

    def __init__(self) -> None:
        self.pieces = asyncio.Queue[Piece | None]()
        self.is_open = False

    @asynccontextmanager
    async def open_text(self, _request: TextRequest) -> AsyncIterator[TextReply]:
        self.is_open = True
        try:
            yield TextReply(self._sent())
        finally:
            self.is_open = False

    async def _sent(self) -> AsyncIterator[bytes]:
        while (piece := await self.pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece


class Client:
    """A client of an ASGI application, which hangs up when it is told to."""

    def __init__(self) -> None:
        self.provider, self.clock = Provider(), FakeClock()
        self.hung_up = asyncio.Event()
        self.messages = list[Message]()
        timeouts = Timeouts(heartbeat=10.0, replay=0.0, drain_seconds=5.0)
        self._texts = PassedTexts({"p": self.provider}, self.clock, timeouts)

    def ask(self, request: TextRequest) -> asyncio.Future[None]:
        """Begin a request."""
        passing = Passing(self._texts, request, STREAM_FORM)
        send, receive = cast("Send", self._send), cast("Receive", self._receive)

        async def run() -> None:
            async with asyncio.timeout(5):  # a request that does not end fails
                await passing(cast("Scope", SCOPE), receive, send)

        return asyncio.ensure_future(run())

    async def _send(self, message: Message) -> None:
        self.messages.append(message)

    async def _receive(self) -> HTTPReceiveMessage:
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def give(self, *pieces: Piece | None) -> None:
        """Have the provider send pieces, and let them go through."""
        for piece in pieces:
            self.provider.pieces.put_nowait(piece)
        await let_others_run()

    @property
    def status(self) -> int:
        """The status of the answer."""
        [status] = [message["status"] for message in self.messages if message["type"] == "http.response.start"]
        return status

    @property
    def body(self) -> bytes:
        """What has come."""
        return b"".join(message["body"] for message in self.messages if message["type"] == "http.response.body")


@pytest.fixture
def client() -> Client:
    """A client before a provider of the test's."""
    return Client()


async def test_a_silence_between_events_is_filled(client: Client) -> None:
    """And none inside of an event, in which a comment would be data."""
    asking = client.ask(STREAM)
    await let_others_run()
    await client.clock.advance(10.0)
    await client.give(b"data: {")
    await client.clock.advance(10.0)
    await client.give(b"}\n\n")
    await client.clock.advance(10.0)
    await client.give(None)
    await asking

    assert client.body == b": still working\ndata: {}\n\n: still working\n"


@pytest.mark.parametrize(("begun", "cut"), [(b"data: {}\n\n", b""), (b"data: {", b"\n\n")])
async def test_a_stream_that_breaks_says_so_in_an_event_of_its_own(client: Client, begun: bytes, cut: bytes) -> None:
    """Behind the end of the one that was cut."""
    asking = client.ask(STREAM)
    await client.give(begun, UpstreamBroken("It broke."))
    await asking

    assert client.body.startswith(begun + cut + b'data: {"error":{"message":"It broke."')
    assert client.body.endswith(b"}\n\ndata: [DONE]\n\n")


@pytest.mark.parametrize("request_", [WHOLE, STREAM])
async def test_what_fails_before_the_first_byte_has_a_status(client: Client, request_: TextRequest) -> None:
    """And OpenAI's form."""
    asking = client.ask(request_)
    await client.give(UpstreamBusy("Later."))
    await asking

    assert client.status == 429
    assert client.body.startswith(b'{"error":{"message":"Later."')


@pytest.mark.parametrize("request_", [WHOLE, STREAM])
async def test_a_client_that_leaves_early_ends_the_request(client: Client, request_: TextRequest) -> None:
    """At the provider too, before anything of the answer is there."""
    asking = client.ask(request_)
    await let_others_run()
    assert client.provider.is_open
    client.hung_up.set()

    await asking
    assert client.status == ClientLeft.status
    assert not client.provider.is_open


async def test_a_client_that_leaves_in_a_stream_ends_the_request(client: Client) -> None:
    """Without an error, as the answer has begun."""
    asking = client.ask(STREAM)
    await client.give(b"data: {}\n\n")
    client.hung_up.set()
    await asking

    assert not client.provider.is_open
    assert client.messages[-1]["type"] == "http.response.body"
    assert client.messages[-1]["more_body"]
