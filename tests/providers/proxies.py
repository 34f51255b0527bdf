"""Proxies on real sockets: CONNECT (RFC 9110) and SOCKS5 (RFC 1928), small and honest."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address

import msgspec

from adapter.providers.proxy import Proxy, Scheme

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class RunningProxy(msgspec.Struct):
    """A proxy, and what it was asked for."""

    scheme: Scheme
    port: int = 0
    #: `user:password` that it wants; empty: none.
    user: str = ""
    #: What it answers in the place of a way; 0: it opens one.
    refusal: int = 0
    #: Where names really lead.
    hosts: Mapping[str, str] = {}
    #: Host and port of each way.
    asked: list[tuple[str, int]] = []

    @property
    def proxy(self) -> Proxy:
        """As a client takes it."""
        return Proxy(self.scheme, "127.0.0.1", self.port)

    async def open(self, host: str, port: int) -> Streams:
        """Open a way."""
        self.asked.append((host, port))
        return await asyncio.open_connection(self.hosts.get(host, host), port)


@asynccontextmanager
async def running(
    proxy: RunningProxy, identity: ssl.SSLContext | None = None, *, host: str = "127.0.0.1"
) -> AsyncIterator[RunningProxy]:
    """Run a proxy on a free port. In the end all that it began is over."""
    tasks: set[asyncio.Task[None]] = set()
    begin = _socks if proxy.scheme.startswith("socks") else _connect

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(begin, proxy, reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(accept, host, 0, ssl=identity)
    async with listening:
        proxy.port = listening.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


_Begin = Callable[[RunningProxy, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Streams | None]]


async def _serve(
    begin: _Begin, proxy: RunningProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        if (way := await begin(proxy, reader, writer)) is not None:
            await asyncio.gather(_pump(reader, way[1]), _pump(way[0], writer))
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.transport.abort()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(65_536):
            target.write(piece)
            await target.drain()
    finally:
        target.close()


async def _connect(proxy: RunningProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams | None:
    head = await reader.readuntil(b"\r\n\r\n")
    wanted = b64encode(proxy.user.encode())
    if proxy.user and b"proxy-authorization: Basic " + wanted + b"\r\n" not in head:
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        return None
    if proxy.refusal:
        writer.write(b"HTTP/1.1 %d No\r\ncontent-length: 0\r\n\r\n" % proxy.refusal)
        await writer.drain()
        return None
    host, _, port = head.split()[1].decode().rpartition(":")
    way = await proxy.open(host.strip("[]"), int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return way


async def _socks(proxy: RunningProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams | None:
    _, count = await reader.readexactly(2)
    offered = await reader.readexactly(count)
    wanted = 2 if proxy.user else 0
    writer.write(bytes([5, wanted if wanted in offered else 255]))
    if wanted not in offered or (proxy.user and not await _is_user(proxy, reader, writer)):
        await writer.drain()
        return None
    host = await _host(reader)
    port = int.from_bytes(await reader.readexactly(2), "big")
    if proxy.refusal:
        writer.write(bytes([5, proxy.refusal, 0, 1, 0, 0, 0, 0, 0, 0]))
        await writer.drain()
        return None
    way = await proxy.open(host, port)
    writer.write(bytes([5, 0, 0, 3, 4]) + b"here" + b"\0\1")
    return way


async def _is_user(proxy: RunningProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    _, length = await reader.readexactly(2)
    name = await reader.readexactly(length)
    password = await reader.readexactly((await reader.readexactly(1))[0])
    is_right = name + b":" + password == proxy.user.encode()
    writer.write(bytes([1, 0 if is_right else 1]))
    return is_right


async def _host(reader: asyncio.StreamReader) -> str:
    kind = (await reader.readexactly(4))[3]
    if kind == 3:
        return (await reader.readexactly((await reader.readexactly(1))[0])).decode()
    return str(ip_address(await reader.readexactly(4 if kind == 1 else 16)))
