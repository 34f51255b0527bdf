"""With a folder, what was carried out survives the death of the process."""

from pathlib import Path

import httpx
import msgspec
import pytest
from litestar.testing import AsyncTestClient

from adapter.sandbox.app import create_sandbox
from adapter.sandbox.rules import SandboxRules
from tests.sandbox.helpers import FLOW, RULES, VIDEO, Client, Clock, ledger, seed, status, submitted, uploaded


@pytest.fixture
def rules(tmp_path: Path) -> SandboxRules:
    """Rules with a folder."""
    return msgspec.structs.replace(RULES, state=str(tmp_path / "state"))


def opened(rules: SandboxRules, clock: Clock) -> Client:
    """Start a process on the folder; the one before is never closed, as after kill -9."""
    return AsyncTestClient(create_sandbox(rules, clock=clock))


async def video_of(client: Client, clock: Clock, operations: object) -> str:
    """Return the address of the finished video."""
    clock.now += 60
    job = (await status(client, operations)).json()["operations"][0]
    return str((job["operation"].get("metadata") or job["metadata"])["video"]["fifeUrl"])


async def test_executions_and_credits_survive(rules: SandboxRules, clock: Clock) -> None:
    """A second process on the same folder has the same books."""
    async with opened(rules, clock) as first:
        await submitted(first)
        before = await ledger(first)

    async with opened(rules, clock) as second:
        after = await ledger(second)

    assert after["executions"] == before["executions"]
    assert after["accounts"] == before["accounts"]
    assert after["accounts"][0]["credits"] == 660
    assert set(after["requests"].values()) == {0}


async def test_jobs_go_on_and_links_stay_open(rules: SandboxRules, clock: Clock) -> None:
    """After a restart the job finishes, its clip is the same bytes, and an old link still opens."""
    async with opened(rules, clock) as first:
        operations = await submitted(first)
        link = await video_of(first, clock, operations)
        before = (await first.get(link)).content

    async with opened(rules, clock) as second:
        after = (await second.get(link)).content
        await video_of(second, clock, operations)

    assert after == before


async def test_uploads_survive(rules: SandboxRules, clock: Clock) -> None:
    """A picture uploaded before the restart is the first and last frame of a video after it."""
    body = seed("flow.video.start_end.request")
    async with opened(rules, clock) as first:
        body["requests"][0]["startImage"]["mediaId"] = await uploaded(first)
        body["requests"][0]["endImage"]["mediaId"] = await uploaded(first)

    async with opened(rules, clock) as second:
        operations = (await second.post(f"{VIDEO}StartAndEndImage", headers=FLOW, json=body)).json()["operations"]
        video = await second.get(await video_of(second, clock, operations))

    assert video.headers["content-type"] == "video/mp4"


def torn(journal: Path) -> None:
    """Leave half of one more line at the end, as the death of the process may."""
    lines = journal.read_bytes()
    journal.write_bytes(lines + lines.splitlines()[-1][:-40])


async def test_a_torn_line_is_ignored(rules: SandboxRules, clock: Clock) -> None:
    """What was written in part when the process died did not happen, and does not spoil what follows."""
    async with opened(rules, clock) as first:
        await submitted(first, "whole")
    torn(Path(rules.state, "journal.jsonl"))

    async with opened(rules, clock) as second:
        await submitted(second, "after")
    async with opened(rules, clock) as third:
        prompts = [one["prompt"] for one in (await ledger(third))["executions"]]

    assert prompts == ["whole", "after"]


async def test_memory_alone_forgets(clock: Clock) -> None:
    """Without a folder every start is the first one."""
    async with opened(RULES, clock) as first:
        operations = await submitted(first)
    async with opened(RULES, clock) as second:
        answer = await status(second, operations)

    assert answer.status_code == httpx.codes.NOT_FOUND
