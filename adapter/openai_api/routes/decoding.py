"""Decompresses request bodies."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPRequestEvent, Receive, Scope, Send

from adapter.openai_api.read.encodings import Decoder, read_codings

#: What is true of the compressed body only.
_OF_THE_BODY = frozenset({b"content-encoding", b"content-length"})


class DecodedBodies:
    """Wraps the application: handlers read the decompressed body.

    Its length is not known before, as with a chunked body. So it is counted while it arrives, against the body limit of
    the route and the memory budget.
    """

    def __init__(self, app: ASGIApp, *, body_bytes: int) -> None:
        self._app = app
        self._body_bytes = body_bytes

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on."""
        if scope["type"] == ScopeType.HTTP:
            sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-encoding"]
            if codings := read_codings(sent):
                headers = [pair for pair in scope["headers"] if pair[0] not in _OF_THE_BODY]
                scope = cast("Scope", {**scope, "headers": headers})
                receive = _Receiver(receive, codings, self._body_bytes).receive
        return self._app(scope, receive, send)


class _Receiver:
    """The `receive` of a handler. An error of the encoding is raised when the handler reads the body."""

    def __init__(self, receive: Receive, codings: Sequence[str], body_bytes: int) -> None:
        self._receive = receive
        self._codings = codings
        self._body_bytes = body_bytes
        self._decoder: Decoder | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._is_last = False

    async def receive(self) -> HTTPReceiveMessage:
        """Return the next piece of the body, or what the server says otherwise."""
        while True:
            for piece in self._pieces:
                await asyncio.sleep(0)  # a body is decoded in turns with other requests
                return _piece(piece, more_body=True)
            if self._is_last:
                return await self._ended()
            message = cast("HTTPReceiveMessage", await self._receive())
            if message["type"] != "http.request":
                return message
            self._is_last = not message.get("more_body", False)
            if body := message["body"]:
                self._decoder = self._decoder or Decoder(self._codings, most_bytes=self._body_bytes)
                self._pieces = self._decoder.feed(body)

    async def _ended(self) -> HTTPReceiveMessage:
        decoder, self._decoder = self._decoder, None
        self._is_last = False
        if decoder is not None:
            decoder.finish()
        return _piece(b"", more_body=False)


def _piece(body: bytes, *, more_body: bool) -> HTTPRequestEvent:
    return {"type": "http.request", "body": body, "more_body": more_body}
