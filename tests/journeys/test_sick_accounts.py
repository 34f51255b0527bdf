"""Five Flow accounts, four of them sick, and much work: what can be made is made, and the sick ones are let alone."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from adapter.providers.http import Http
from adapter.sandbox.rules import SandboxAccount, SandboxRules
from adapter.sandbox.server import running_sandbox
from tests.journeys.server import KEY, Server
from tests.support import WITHOUT_TLS
from tests.upstream import Upstream, listening

PICTURES, VIDEOS = 200, 100
#: Requests under way at once.
SIDE_BY_SIDE = 24
#: For how long the account with too many calls is refused, in seconds. Google says so.
BUSY_SECONDS = 3.0
#: Refusals of a sick account that are one too many.
TOO_MANY = 5

HEALTHY, POOR, UNKNOWN, FORBIDDEN, BUSY = "sandbox-flow-token", "poor", "unknown", "forbidden", "busy"
PROJECTS = {
    HEALTHY: "02ac868b-925f-40c1-9187-a688bd03a84d",
    POOR: "12ac868b-925f-40c1-9187-a688bd03a84d",
    UNKNOWN: "22ac868b-925f-40c1-9187-a688bd03a84d",
    FORBIDDEN: "32ac868b-925f-40c1-9187-a688bd03a84d",
    BUSY: "42ac868b-925f-40c1-9187-a688bd03a84d",
}
RULES = SandboxRules(
    port=0,
    #: The one with the unknown token is not there: the sandbox refuses it for ever.
    accounts=tuple(
        SandboxAccount(token=token, project_id=project, credits=0 if token == POOR else 10_000)
        for token, project in PROJECTS.items()
        if token != UNKNOWN
    ),
    pending_seconds=0.1,
    active_seconds=0.1,
    clip_seconds=0.5,
    clip_long_edge=64,
    video_credits=1,
)
ACCOUNT = """
[[providers.flow.accounts]]
name = "{token}"
token = "plain:{token}"
project_id = "{project}"
"""


class Border:
    """Stands before the sandbox: it refuses two accounts as Google does, and counts the refusals of each."""

    def __init__(self, sandbox: str, client: httpx.AsyncClient) -> None:
        self.refused: Counter[str] = Counter()
        self._sandbox = sandbox
        self._client = client
        self._busy_until: float | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        answer = self._refusal(token) or await self._pass(request)
        if answer.status_code >= 400:
            self.refused[token] += 1
        return answer

    def _refusal(self, token: str) -> httpx.Response | None:
        if token == FORBIDDEN:
            body = {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}
            return httpx.Response(403, json={"error": body})
        if token != BUSY:
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


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """What the server takes for Google."""
    async with listening(Http()) as upstream:
        yield upstream


@pytest.fixture
def sandbox() -> Iterator[str]:
    """The address of a sandbox that knows four of the accounts."""
    with running_sandbox(RULES) as running:
        yield running.base_url


async def test_sick_accounts_cost_no_picture_and_no_video(tmp_path: Path, upstream: Upstream, sandbox: str) -> None:
    """One without credits, one 401 for ever, one 403, one 429 with a delay, beside one that works."""
    more = "".join(ACCOUNT.format(token=token, project=PROJECTS[token]) for token in PROJECTS if token != HEALTHY)
    server = Server(tmp_path, upstream=upstream.url, more=more)
    async with (
        httpx.AsyncClient(verify=WITHOUT_TLS, timeout=60.0) as behind,
        httpx.AsyncClient(
            base_url=server.url, verify=WITHOUT_TLS, timeout=60.0, headers={"authorization": f"Bearer {KEY}"}
        ) as client,
    ):
        border = upstream.answer = Border(sandbox, behind)
        await asyncio.to_thread(server.start)
        try:
            statuses = Counter(await ask_for_all(client))
        finally:
            stopped = await asyncio.to_thread(server.stop)

    assert statuses == {"picture 200": PICTURES, "video completed": VIDEOS}
    assert {token: times for token, times in border.refused.items() if times >= TOO_MANY} == {}
    assert border.refused[HEALTHY] == 0
    assert stopped == 0


async def ask_for_all(client: httpx.AsyncClient) -> list[str]:
    """Return what became of each piece of work."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def picture(number: int) -> str:
        async with places:
            order = {"model": "flow-gem-pix", "prompt": f"fox {number}"}
            return f"picture {(await client.post('/v1/images/generations', json=order)).status_code}"

    async def video(number: int) -> str:
        async with places:
            made = await client.post("/v1/videos", json={"model": "veo-3.1-fast", "prompt": f"waves {number}"})
            while made.status_code == 200 and made.json()["status"] in {"queued", "in_progress"}:
                await asyncio.sleep(0.2)
                made = await client.get(f"/v1/videos/{made.json()['id']}")
        return f"video {made.json()['status'] if made.status_code == 200 else made.status_code}"

    works = [picture(number) for number in range(PICTURES)] + [video(number) for number in range(VIDEOS)]
    return await asyncio.gather(*works)
