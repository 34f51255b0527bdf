"""What stands between the adapter and the sandbox: it refuses some accounts as Google does."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.support import WITHOUT_TLS

#: For how long the busy account is refused, in seconds. Its refusals say so.
BUSY_SECONDS = 3.0


class Border:
    """Passes requests on, but for two accounts, and counts the refusals of each token."""

    def __init__(self, sandbox: str, client: httpx.AsyncClient, *, forbidden: str, busy: str) -> None:
        """Take the sandbox and a client to reach it, and the tokens of the accounts that get 403 and 429."""
        self.refused: Counter[str] = Counter()
        self._sandbox = sandbox
        self._client = client
        self._forbidden = forbidden
        self._busy = busy
        self._busy_until: float | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        answer = self._refusal(token) or await self._pass(request)
        if answer.status_code >= 400:
            self.refused[token] += 1
        return answer

    def _refusal(self, token: str) -> httpx.Response | None:
        if token == self._forbidden:
            body = {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}
            return httpx.Response(403, json={"error": body})
        if token != self._busy:
            return None
        self._busy_until = self._busy_until or time.monotonic() + BUSY_SECONDS
        left = self._busy_until - time.monotonic()
        if left <= 0:
            return None
        delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{left:.3f}s"}
        body = {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED"}
        return httpx.Response(429, json={"error": {**body, "details": [delay]}})

    async def _pass(self, request: httpx.Request) -> httpx.Response:
        url = f"{self._sandbox}{request.url.raw_path.decode()}"
        headers = [pair for pair in request.headers.multi_items() if pair[0] != "content-length"]
        return await self._client.request(request.method, url, headers=headers, content=request.content)


@asynccontextmanager
async def border_of(sandbox: str, *, forbidden: str, busy: str) -> AsyncIterator[Border]:
    """Open one before a sandbox."""
    async with httpx.AsyncClient(verify=WITHOUT_TLS, timeout=60.0) as client:
        yield Border(sandbox, client, forbidden=forbidden, busy=busy)
