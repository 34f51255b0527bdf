"""Answers that are passed on from a provider's own route. Two APIs use it: it knows the form of neither."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

import msgspec
import structlog
from litestar import MediaType, Request
from litestar.datastructures import State
from litestar.response import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from adapter.domain.texts import TextRequest
from adapter.errors import AdapterError, ClientLeft, forget_frames
from adapter.generation.passing import PassedTexts
from adapter.openai_api.routes.services import STREAM_HEADERS
from adapter.tasks import beside

#: Ends an event. A piece that ends so has whole events only.
EVENT_ENDS = (b"\n\n", b"\r\n\r\n")


class StreamForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a stream, as far as something is added to it."""

    content_type: str
    #: Fills a silence between two events; None: nothing may stand there.
    heartbeat: bytes | None
    #: Stands before an error that cuts an event.
    cut: bytes
    #: Returns what tells the reader of an error.
    failed: Callable[[AdapterError], bytes]
    #: Returns the answer to a request that fails before a byte was sent.
    refused: Callable[[Request[object, object, State], AdapterError], Response[bytes]]


class PassedText(Response[bytes]):
    """An answer of a handler that is passed on."""

    def __init__(self, texts: PassedTexts, text: TextRequest, form: StreamForm) -> None:
        super().__init__(b"")
        self.application = Passing(texts, text, form)

    def to_asgi_response(
        self,
        app: object,  # noqa: ARG002 - the framework's name
        request: Request[object, object, State],  # noqa: ARG002 - as above
        **_options: object,
    ) -> ASGIResponse:
        """Return what asks the provider, and sends."""
        return self.application


class Passing(ASGIResponse):
    """Asks the provider and sends what comes.

    An error that comes before anything was sent has an HTTP status. When the client hangs up, the request ends at the
    provider.
    """

    def __init__(self, texts: PassedTexts, request: TextRequest, form: StreamForm) -> None:
        super().__init__()
        self._texts = texts
        self._request = request
        self._form = form
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask and send (an ASGI application)."""
        try:
            await self._pass_on(receive, send)
        except AdapterError as fault:
            request: Request[object, object, State] = Request(scope, receive, send)
            await self._form.refused(request, fault).to_asgi_response(None, request)(scope, receive, send)

    async def _pass_on(self, receive: Receive, send: Send) -> None:
        limit = asyncio.timeout(None)
        try:
            async with limit, beside(_end_with_client(limit, receive)):
                await (self._send_stream(send) if self._request.is_stream else self._send_whole(send))
        except TimeoutError as error:
            if not limit.expired():
                raise
            if not self._has_begun:
                raise ClientLeft("The client hung up before it had its text.") from error

    async def _send_whole(self, send: Send) -> None:
        body = await self._texts.read(self._request)
        length = (b"content-length", b"%d" % len(body))
        kind = (b"content-type", MediaType.JSON.value.encode())
        await self._begin(send, [kind, length])
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _begin(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._has_begun = True
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _send_stream(self, send: Send) -> None:
        async with aclosing(self._texts.watch(self._request)) as pieces:
            first = await anext(pieces, b"")
            headers = [(name.encode(), value.encode()) for name, value in STREAM_HEADERS.items()]
            headers.append((b"content-type", self._form.content_type.encode()))
            await self._begin(send, headers)
            async for piece in self._filled(first, pieces):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _filled(self, first: bytes | None, pieces: AsyncGenerator[bytes | None, None]) -> AsyncIterator[bytes]:
        """Yield the pieces, heartbeats between events, and what tells of an error."""
        form, end, piece = self._form, b"\n\n", first
        try:
            while True:
                if piece:
                    yield piece
                    end = (end + piece)[-4:]
                elif piece is None and form.heartbeat is not None and end.endswith(EVENT_ENDS):
                    yield form.heartbeat
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except AdapterError as fault:
            structlog.contextvars.bind_contextvars(code=fault.code)
            yield (b"" if end.endswith(EVENT_ENDS) else form.cut) + form.failed(fault)
            forget_frames(fault)


async def _end_with_client(limit: asyncio.Timeout, receive: Receive) -> None:
    """Expire a limit when the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    limit.reschedule(asyncio.get_running_loop().time())
