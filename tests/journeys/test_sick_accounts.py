"""Five Flow accounts, four of them sick, and much work: what can be made is made, and the sick ones are let alone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from adapter.providers.http import Http
from adapter.sandbox.rules import SandboxAccount, SandboxRules
from adapter.sandbox.server import running_sandbox
from tests.journeys.border import border_of
from tests.journeys.schema_watch import Watch
from tests.journeys.server import KEY, Server
from tests.support import WITHOUT_TLS
from tests.upstream import Upstream, listening

PICTURES, VIDEOS = 200, 100
#: Requests under way at once.
SIDE_BY_SIDE = 24
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


async def test_sick_accounts_cost_no_picture_and_no_video(
    tmp_path: Path, upstream: Upstream, sandbox: str, watch: Watch
) -> None:
    """One without credits, one 401 for ever, one 403, one 429 with a delay, beside one that works."""
    more = "".join(ACCOUNT.format(token=token, project=PROJECTS[token]) for token in PROJECTS if token != HEALTHY)
    server = Server(tmp_path, upstream=upstream.url, more=more)
    async with (
        border_of(sandbox, forbidden=FORBIDDEN, busy=BUSY) as border,
        httpx.AsyncClient(
            base_url=server.url,
            verify=WITHOUT_TLS,
            timeout=60.0,
            headers={"authorization": f"Bearer {KEY}"},
            event_hooks={"response": [watch.on_async_response]},
        ) as client,
    ):
        upstream.answer = border
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
