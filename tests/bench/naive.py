"""The straightforward way: `python -m tests.bench.naive PORT UPSTREAM_PORT`.

The same server, framework and client as ours, used as their first pages show: `.json()`, a dict, another dict.
"""

import sys
from typing import Any

import httpx
import uvicorn
from litestar import Litestar, post

from tests.bench.ideal import PATH
from tests.bench.wire import HOST


def create_naive(upstream: int) -> Litestar:
    """Build the application."""
    client = httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=512))

    @post("/v1/images/generations", status_code=200)
    async def create_images(data: dict[str, Any]) -> dict[str, Any]:
        question = {"contents": [{"role": "user", "parts": [{"text": data["prompt"]}]}]}
        reply = await client.post(f"http://{HOST}:{upstream}{PATH}", json=question)
        reply.raise_for_status()
        parts = reply.json()["candidates"][0]["content"]["parts"]
        return {"created": 1, "data": [{"b64_json": part["inlineData"]["data"]} for part in parts]}

    return Litestar([create_images], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    app = create_naive(int(sys.argv[2]))
    uvicorn.run(app, host=HOST, port=int(sys.argv[1]), access_log=False, log_level="warning")
