"""Many chats that ask for a video at once: how many open, how early the others hear that they cannot."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from adapter.sandbox.rules import SandboxAccount, SandboxRules
from adapter.sandbox.server import running_sandbox
from tests.bench.flow import config_of
from tests.bench.patience import run
from tests.bench.programs import SERVER_CORE, Program, free_port, is_healthy
from tests.bench.table import table
from tests.bench.wire import HOST, post

#: How long the burst is watched: longer than any client waits for the database.
WATCHED_SECONDS = 40.0
#: The log lines of leases that were not renewed, of claims that were not taken, and of steps that were not written.
LATE_LINES = ("poller.claims_not_renewed", "process.not_kept_alive", "poller.round_put_off", "poller.step_put_off")
HEAD = ["chats", "opened", "after ms p50", "most", "503", "after ms p50", "most", "other", "late writes"]
ACCOUNT = SandboxAccount(token="token", project_id="project", credits=1_000_000)


class Opening(NamedTuple):
    """What one chat was answered: its status, 0 if there was none in time, and after how many seconds."""

    status: int
    seconds: float


def measure_burst(folder: Path, chats: Sequence[int]) -> str:
    """Return a table, with a row for each size of the burst."""
    rows = []
    for count in chats:
        own = folder / f"burst{count}"
        own.mkdir()
        rules = SandboxRules(port=0, accounts=(ACCOUNT,), active_seconds=3600.0)
        with running_sandbox(rules) as upstream, adapter_before(own, upstream.base_url) as program:
            rows.append(
                _row(count, run(f"a burst of {count} chats", _burst(program, count)), (own / "adapter.log").read_text())
            )
    return table("Chats that ask for a video at the same moment (one process, SQLite)", [HEAD, *rows])


def _row(count: int, seen: Sequence[Opening], log: str) -> list[str]:
    opened = sorted(each.seconds for each in seen if each.status == 200)
    refused = sorted(each.seconds for each in seen if each.status == 503)
    others = len(seen) - len(opened) - len(refused)
    late = sum(log.count(line) for line in LATE_LINES)
    return [str(count), str(len(opened)), *_times(opened), str(len(refused)), *_times(refused), str(others), str(late)]


def _times(seconds: Sequence[float]) -> list[str]:
    """Return the middle one and the last one, in milliseconds."""
    return [f"{each * 1000:.0f}" for each in (seconds[len(seconds) // 2], seconds[-1])] if seconds else ["", ""]


async def _burst(program: Program, chats: int) -> list[Opening]:
    """Open all chats and keep them open until each was answered and the poller had its time."""
    await asyncio.to_thread(program.wait_until, is_healthy)
    writers: list[asyncio.StreamWriter] = []
    began = time.perf_counter()
    try:
        seen = await asyncio.gather(*(_open(program.port, number, writers) for number in range(chats)))
        await asyncio.sleep(max(0.0, WATCHED_SECONDS - (time.perf_counter() - began)))
        return seen
    finally:
        for writer in writers:
            writer.close()


async def _open(port: int, number: int, writers: list[asyncio.StreamWriter]) -> Opening:
    messages = [{"role": "user", "content": f"waves, number {number}"}]
    body = {"model": "veo-3.1-fast", "stream": True, "messages": messages}
    reader, writer = await asyncio.open_connection(HOST, port)
    writers.append(writer)
    began = time.perf_counter()
    writer.write(post("/v1/chat/completions", msgspec.json.encode(body)))
    try:
        async with asyncio.timeout(WATCHED_SECONDS):
            line = await reader.readline()
    except TimeoutError:
        return Opening(0, WATCHED_SECONDS)
    return Opening(int(line.split()[1]), time.perf_counter() - began)


@contextmanager
def adapter_before(folder: Path, upstream: str) -> Iterator[Program]:
    """Run an adapter that knows Flow alone, at this address."""
    config = folder / "adapter.toml"
    config.write_text(config_of(folder, upstream) + f'[jobs]\nspool = "{folder}/spool"\n')
    port = free_port()
    command = ["adapter", "serve", "--config", config, "--port", port]
    program = Program.start("adapter", command, port, core=SERVER_CORE, log=folder / "adapter.log")
    try:
        yield program
    finally:
        program.stop()
