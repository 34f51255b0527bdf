"""Answers as Gemini does, at once or after a while: `python -m tests.bench.upstream PORT`.

What is wanted stands in the prompt, because every program in between passes that on.
"""

import asyncio
import sys

import uvloop

from tests.bench.picture import gemini_answer, large, small
from tests.bench.wire import HOST, ok, read_request

#: Words in a prompt.
SMALL = b"small"
SLOW = b"slow"
#: How long a slow answer takes.
SLOW_SECONDS = 1.0


class Upstream:
    """Holds both answers ready, so that answering costs a write."""

    def __init__(self) -> None:
        self._large, self._small = (ok(len(body)) + body for body in map(gemini_answer, (large(), small())))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while (request := await read_request(reader)) is not None:
            if SLOW in request:
                await asyncio.sleep(SLOW_SECONDS)
            writer.write(self._small if SMALL in request else self._large)
            await writer.drain()
        writer.close()


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(Upstream().answer, HOST, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
