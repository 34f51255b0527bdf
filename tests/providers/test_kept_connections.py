"""How long a connection to Google is kept: a request that meets a connection which is being closed is lost."""

import asyncio

from adapter.providers.http import Http
from adapter.providers.session import HttpLimits

#: Servers whose idle connections end soonest, uvicorn and Node, keep them for 5 s.
SOONEST_SECONDS = 5.0
PATIENCE = 30.0
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


async def test_an_idle_connection_is_closed_by_us_before_a_server_closes_it() -> None:
    """The next request goes over a new one, and is not lost."""
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await reader.read()
        closed.set()
        writer.close()

    http = Http(limits=HttpLimits(kept=0.01))
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, http.open():
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await http.post(url, headers={}, body=b"", seconds=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            await closed.wait()

    assert HttpLimits().kept < SOONEST_SECONDS
