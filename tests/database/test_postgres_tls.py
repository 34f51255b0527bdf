"""TLS to a server, by the parameters of its address. The wheel's server has none, so a front speaks it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapter.database.engine import open_database
from adapter.errors import WrongConfiguration
from adapter.jobs.store import SqlJobStore
from tests.media.certificates import Authority
from tests.postgres import PASSWORD, PostgresServer

#: Length, and the number that asks for TLS (PostgreSQL's manual, "Message Formats", SSLRequest).
SSL_REQUEST = bytes.fromhex("00000008 04d2162f")


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends."""
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def front(server: PostgresServer, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Listen on a port, take off the TLS, and hand on to a server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except OSError:  # the client did not like our certificate
            writer.close()
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(carry(reader, inner_writer), carry(inner_reader, writer))

    serving: list[asyncio.Task[None] | None] = []
    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        try:
            yield listening.sockets[0].getsockname()[1]
        finally:
            await asyncio.wait(filter(None, serving))


async def opened(server: PostgresServer, folder: Path, *, named: str, asked: str) -> None:
    """Open a database through a front whose certificate is for one name, by another."""
    authority = Authority(folder)
    context, _ = authority.server(named)
    async with front(server, context) as port:
        place = f"{asked}:{port}/{server.new_database()}"
        parameters = f"sslmode=verify-full&sslrootcert={folder}/authority.pem"
        database = await open_database(f"postgresql://postgres:{PASSWORD}@{place}?{parameters}")
        assert await SqlJobStore(database).recent(1) == []
        await database.dispose()


async def test_a_certificate_is_checked_by_the_name(postgres: PostgresServer, tmp_path: Path) -> None:
    """As `sslmode=verify-full` says."""
    await opened(postgres, tmp_path, named="localhost", asked="localhost")


async def test_a_certificate_for_another_name_is_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    """And the reason is said."""
    with pytest.raises(WrongConfiguration, match="certificate verify failed"):
        await opened(postgres, tmp_path, named="localhost", asked="127.0.0.1")
