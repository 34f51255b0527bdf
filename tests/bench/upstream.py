"""Answers as Gemini does, at once or after a while: `python -m tests.bench.upstream PORT [CERTIFICATE]`.

What is wanted stands in the prompt, because every program in between passes that on.
"""

import asyncio
import ssl
import sys

import uvloop

from tests.bench.picture import SIZES, gemini_answer
from tests.bench.wire import HOST, ok, read_request

#: A word in a prompt, beside the size.
SLOW = b"slow"
#: What a prompt without a size gets.
NO_SIZE = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"
#: How long a slow answer takes.
SLOW_SECONDS = 1.0


class Upstream:
    """Holds all answers ready, so that answering costs a write."""

    def __init__(self) -> None:
        bodies = {size.encode(): gemini_answer(draw()) for size, draw in SIZES.items()}
        self._answers = {size: ok(len(body)) + body for size, body in bodies.items()}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while (request := await read_request(reader)) is not None:
            if SLOW in request:
                await asyncio.sleep(SLOW_SECONDS)
            writer.write(next((answer for size, answer in self._answers.items() if size in request), NO_SIZE))
            await writer.drain()
        writer.close()


async def serve(port: int, certificate: str | None) -> None:
    """Serve until the process is ended; by TLS, if there is a file with a certificate and its key."""
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(Upstream().answer, HOST, port, backlog=1024, ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
