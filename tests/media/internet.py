"""The world outside of the fetcher: names, addresses and servers that write down who was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import httpcore

from adapter.media.fetch import Network, SafeFetcher

PUBLIC = "93.184.215.14"
PUBLIC_6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
#: Every test that needs no certificate shares one; it takes 20 ms to make.
TLS = ssl.create_default_context()

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\npicture"
Answers = Sequence[str] | Exception
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Witness(httpcore.AsyncMockStream):
    """A connection in memory, its TLS included, that keeps what was sent on it."""

    def __init__(self, reply: bytes, sent: list[bytes]) -> None:
        super().__init__([reply])
        self._sent = sent

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - httpcore's
        self._sent.append(buffer)


class Internet(httpcore.AsyncNetworkBackend):
    """Name service and connections. What it is not told about, it does not know, or does not let through.

    Args:
        names: what a host's look-ups say, one after the other, the last for ever; `*` is every other host.
        replies: what connections answer, one after the other, the last for ever.
        ways: the loopback port behind a public address, instead of `replies`.
    """

    def __init__(
        self, names: dict[str, list[Answers]], replies: Sequence[bytes] = (), ways: dict[str, int] | None = None
    ) -> None:
        self.lookups: list[str] = []
        self.connections: list[tuple[str, int]] = []
        self.requests: list[bytes] = []
        #: What each connection was given, in seconds.
        self.patience: list[float | None] = []
        self._names = names
        self._replies = replies
        self._ways = ways or {}

    async def resolve(self, host: str, _port: int) -> Sequence[str]:
        """Answer a look-up."""
        before = self.lookups.count(host)
        self.lookups.append(host)
        told = self._names.get(host) or self._names.get("*") or [OSError("no such name")]
        answer = told[min(before, len(told) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Write a connection down, and let it through if there is something behind it."""
        self.connections.append((host, port))
        self.patience.append(timeout)
        if host in self._ways:
            return await httpcore.AnyIOBackend().connect_tcp(
                "127.0.0.1", self._ways[host], timeout, local_address, socket_options
            )
        if not self._replies:
            raise httpcore.ConnectError("refused")
        turn = min(len(self.connections), len(self._replies)) - 1
        return Witness(self._replies[turn], self.requests)

    def fetcher(self, *, tls: ssl.SSLContext = TLS, seconds: float = 5.0, http: bool = True) -> SafeFetcher:
        """Return a fetcher that lives in this world, allowed whatever can be allowed to all."""
        network = Network(resolver=self.resolve, backend=self, tls=tls, connect_seconds=seconds, seconds=seconds)
        return SafeFetcher(http=http, network=network)


def redirect(location: bytes, status: int = 302) -> bytes:
    """Return an answer that sends somewhere else."""
    return b"HTTP/1.1 %d Go\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % (status, location)


@asynccontextmanager
async def server(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve one behaviour on a free loopback port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has seen enough
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def says(*pieces: bytes) -> Behaviour:
    """Return a behaviour that reads a request and sends bytes."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return say
