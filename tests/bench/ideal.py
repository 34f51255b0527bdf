"""The floor: `python -m tests.bench.ideal PORT UPSTREAM_PORT [AUTHORITY]`.

With an authority that is trusted, the upstream speaks TLS.

What a translation has to cost whatever it is written with: read Google's answer once, find the picture in it, write it
out. One upstream connection for each client, no framework, no check, no log.
"""

import asyncio
import ssl
import sys
from typing import cast

import msgspec
import uvloop

from tests.bench.wire import HOST, NAME, content_length, ok, post, read_request

#: Room for an answer at first; it grows for a longer one, and stays.
ROOM = 4 * 1024 * 1024
PATH = "/v1beta/models/gemini-2.5-flash-image:generateContent"


class Wish(msgspec.Struct):
    """What is read of OpenAI's request."""

    prompt: str


class Blob(msgspec.Struct):
    """The picture."""

    data: msgspec.Raw


class Part(msgspec.Struct, rename="camel"):
    """Its wrapping in Google's answer."""

    inline_data: Blob


class Content(msgspec.Struct):
    """The wrapping of that."""

    parts: list[Part]


class Candidate(msgspec.Struct):
    """And of that."""

    content: Content


class Answer(msgspec.Struct):
    """What is read of Google's answer."""

    candidates: list[Candidate]


_wish = msgspec.json.Decoder(Wish)
_answer = msgspec.json.Decoder(Answer)


class Google(asyncio.BufferedProtocol):
    """A kept connection to the upstream, read straight into one buffer."""

    def __init__(self) -> None:
        self._room = bytearray(ROOM)
        self._view = memoryview(self._room)
        self._filled = self._end = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, prompt: str) -> asyncio.Future[memoryview]:
        """Send a prompt; the answer's body is valid until the next one."""
        self._filled = self._end = 0
        self._done: asyncio.Future[memoryview] = asyncio.get_running_loop().create_future()
        self._transport.write(post(PATH, msgspec.json.encode({"contents": [{"parts": [{"text": prompt}]}]})))
        return self._done

    def get_buffer(self, _hint: int) -> memoryview:
        """Offer all the room that is left."""
        return self._view[self._filled :]

    def buffer_updated(self, count: int) -> None:
        """Look whether the answer is whole."""
        self._filled += count
        if not self._end:
            head = self._room.find(b"\r\n\r\n", 0, self._filled)
            if head < 0:
                return
            self._body = head + 4
            self._end = self._body + content_length(self._room[: self._body])
            if self._end > len(self._room):
                # With room behind the answer: a read into no room at all is an error.
                self._room = self._room[: self._filled] + bytes(self._end + ROOM - self._filled)
                self._view = memoryview(self._room)
        if self._filled == self._end:
            self._done.set_result(self._view[self._body : self._end])


async def translate(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int, trust: ssl.SSLContext | None
) -> None:
    """Serve one client."""
    transport, google = await asyncio.get_running_loop().create_connection(
        Google, HOST, upstream, ssl=trust, server_hostname=NAME if trust else None
    )
    while (request := await read_request(reader)) is not None:
        answer = _answer.decode(await google.ask(_wish.decode(request).prompt))
        picture = memoryview(answer.candidates[0].content.parts[0].inline_data.data)
        before, after = b'{"created":1,"data":[{"b64_json":', b"}]}"
        writer.writelines([ok(len(before) + len(picture) + len(after)), before, picture, after])
        await writer.drain()
    transport.close()
    writer.close()


async def serve(port: int, upstream: int, authority: str | None) -> None:
    """Serve until the process is ended."""
    trust = ssl.create_default_context(cafile=authority) if authority else None
    server = await asyncio.start_server(lambda r, w: translate(r, w, upstream, trust), HOST, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None))
