"""A server on a real socket that does one thing."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def raw_server(behaviour: Behaviour, identity: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve one behaviour on a free port, from the first byte of a connection."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await behaviour(reader, writer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=identity)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
    for writer in writers:
        writer.transport.abort()


@asynccontextmanager
async def server(behaviour: Behaviour, identity: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve one behaviour on a free port, after the request was read to its end."""

    async def after_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await behaviour(reader, writer)

    async with raw_server(after_head, identity) as port:
        yield f"{'https' if identity else 'http'}://127.0.0.1:{port}/"


def says(*pieces: bytes) -> Behaviour:
    """Return a behaviour that sends bytes and hangs up."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return say


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with a reset instead of words."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def is_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Wait until the client leaves."""
    await reader.read()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, so that no single read ever times out."""
    writer.write(HEAD + b"content-length: 1000000\r\n\r\n")
    while not reader.at_eof():
        writer.write(b" ")
        try:
            async with asyncio.timeout(0.02):
                await reader.read(1)
        except TimeoutError:
            continue


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send chunks until the client leaves."""
    writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        try:
            await writer.drain()
        except ConnectionError:
            return
