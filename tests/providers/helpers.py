"""A server on a real socket that does one thing."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def server(behaviour: Behaviour, identity: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve one behaviour on a free port, after the request was read to its end."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        await behaviour(reader, writer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=identity)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"{'https' if identity else 'http'}://127.0.0.1:{port}/"
    for writer in writers:
        writer.transport.abort()


def says(*pieces: bytes) -> Behaviour:
    """Return a behaviour that sends bytes and hangs up."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return say
