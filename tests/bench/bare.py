"""Bytes in, bytes out: `python -m tests.bench.bare PORT UPSTREAM_PORT`.

What our server and our client cost with nothing between them: no framework, no translation, no check.
"""

import sys
from typing import TYPE_CHECKING

import httpx
import uvicorn

from tests.bench.ideal import PATH
from tests.bench.wire import HOST

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send


class Bare:
    """An ASGI application of one route."""

    def __init__(self, upstream: int) -> None:
        self._client = httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=512))
        self._url = f"http://{HOST}:{upstream}{PATH}"

    async def __call__(self, _scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Forward a request's body, whatever it is, and the answer's."""
        request = b""
        more = True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            request += message["body"]
            more = message["more_body"]
        reply = await self._client.post(self._url, content=request)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(reply.content))]
        await send({"type": "http.response.start", "status": reply.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": reply.content, "more_body": False})


if __name__ == "__main__":
    app = Bare(int(sys.argv[2]))
    uvicorn.run(app, host=HOST, port=int(sys.argv[1]), lifespan="off", access_log=False, log_level="warning")
