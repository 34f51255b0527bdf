"""The floor of held streams: `python -m tests.bench.held PORT`. uvicorn, and an event now and then; nothing else.

`GET /` counts up once every five seconds until `/end` was asked for.
"""

import asyncio
import sys
from typing import TYPE_CHECKING

import uvicorn

from tests.bench.wire import HOST

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

BEAT_SECONDS = 5.0
HEADERS = [(b"content-type", b"text/event-stream")]


class Held:
    """An ASGI application."""

    def __init__(self) -> None:
        self._ended = False

    async def __call__(self, scope: "Scope", _receive: "Receive", send: "Send") -> None:
        """Count, or end all counting."""
        if scope["path"] == "/end":
            self._ended = True
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        number = 0
        loop = asyncio.get_running_loop()
        while scope["path"] == "/":
            number += 1
            await send({"type": "http.response.body", "body": b"id: %d\ndata: {}\n\n" % number, "more_body": True})
            if self._ended:
                break
            await asyncio.sleep(BEAT_SECONDS - loop.time() % BEAT_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


if __name__ == "__main__":
    uvicorn.run(Held(), host=HOST, port=int(sys.argv[1]), lifespan="off", access_log=False, log_level="warning")
