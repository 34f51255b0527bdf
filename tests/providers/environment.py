"""A program: sends by each way of the client to a server of its own, and prints the heads of what arrived."""

import asyncio
import sys

from adapter.providers.http import Http
from adapter.providers.origin import OwnOrigin
from tests.providers.helpers import HEAD, says


async def main() -> None:
    """Send, and print."""
    http = Http()

    async def prints(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sys.stdout.write((await reader.readuntil(b"\r\n\r\n")).decode())
        await says(HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}")(reader, writer)
        writer.close()

    async with await asyncio.start_server(prints, "127.0.0.1", 0) as listening, http.open():
        url = f"http://localhost:{listening.sockets[0].getsockname()[1]}/"
        for send in (http.post, http.post_once, http.get):
            await send(url, headers={}, body=b"", seconds=10)
        async with http.download(url, OwnOrigin(url)) as download:
            await download.read(2)


if __name__ == "__main__":
    asyncio.run(main())
