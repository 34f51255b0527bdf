"""Raw connections to an application that a protocol serves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import uvicorn
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

#: A client that is never answered fails here, and does not stand still.
PATIENCE = 10.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def echo(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer with the method, the path, the body, and what is left of an offer; in pieces where the path says so."""
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        body, more = body + message["body"], message["more_body"]
    said = b" ".join([scope["method"].encode(), scope["path"].encode(), body])
    pieces = [said[:3], b"", said[3:]] if scope["path"] == "/stream" else [said]
    headers = [] if scope["path"] == "/stream" else [(b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *packets: bytes) -> None:
        """Send each as a packet of its own: the server has read one before the next one is sent."""
        for packet in packets:
            self._writer.write(packet)
            await self._writer.drain()
            await self.settle()

    async def flood(self, piece: bytes, times: int) -> None:
        """Send the same many times, until the server has closed the connection or resets it."""
        with suppress(ConnectionError):
            for _ in range(times):
                await self.send(piece)

    async def settle(self) -> None:
        """Let the server read what was sent, and the client what was answered."""
        for _ in range(20):
            await asyncio.sleep(0)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def read(self, size: int) -> bytes:
        """Read so many bytes of an answer."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.readexactly(size)

    async def answer(self) -> Answer:
        """Return the next answer, by its length or in chunks."""
        async with asyncio.timeout(PATIENCE):
            status, headers = await self.head()
            if "content-length" in headers:
                return Answer(status, headers, await self._reader.readexactly(int(headers["content-length"])))
            assert headers["transfer-encoding"] == "chunked"
            body = b""
            while size := int(await self._reader.readline(), 16):
                body += await self._reader.readexactly(size)
                await self._reader.readline()
            await self._reader.readline()
            return Answer(status, headers, body)

    async def head(self) -> tuple[int, Mapping[str, str]]:
        """Return status and headers."""
        async with asyncio.timeout(PATIENCE):
            lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = [line.partition(": ") for line in lines[1:-2]]
        return int(lines[0].split()[1]), {name.lower(): value for name, _, value in pairs}

    async def rest(self) -> bytes:
        """Return what comes until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()


Connect = Callable[[], Awaitable[Client]]
#: Makes what reads and writes a connection.
Kind = Callable[..., asyncio.Protocol]


@asynccontextmanager
async def serving(kind: Kind, app: ASGI3Application) -> AsyncIterator[Connect]:
    """Serve an application with a protocol, and yield what makes connections to it."""
    config = uvicorn.Config(app, log_config=None, ws="none", lifespan="off")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: kind(config=config, server_state=state, app_state={}), "127.0.0.1", 0)
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Client:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writers.append(writer)
        return Client(reader, writer)

    async with server:
        yield connect
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):  # the server may have closed it first
                await writer.wait_closed()
