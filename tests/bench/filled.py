"""Requests for videos while the store fills: admitting one, reading one, and a page of the list. SQLite."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import text

from adapter.access.keys import digest
from adapter.database.engine import open_database
from adapter.sandbox.rules import SandboxAccount, SandboxRules
from adapter.sandbox.server import running_sandbox
from tests.bench.burst import adapter_before
from tests.bench.load import SILENCE_SECONDS, IncompleteAnswer, Line
from tests.bench.patience import run, within
from tests.bench.programs import Program, is_healthy
from tests.bench.table import table
from tests.bench.wire import HOST, post
from tests.fakes import video_job
from tests.transactions import execute

#: One owner has all jobs, and all of them are over.
FILL = """INSERT INTO jobs
(id, owner, fingerprint, model, state, created_at, finished_at, took_seconds, due_at, stem, document)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
SELECT 'video_' || printf('%032d', i), :owner, 'f' || i, 'm', 'completed', :now - i, :now, 5, NULL, 's' || i, :document
FROM n"""
TIMES = 15
#: A hundred videos are longer than this.
LIST_BYTES = 10_000
ACTS = ("POST /v1/videos", "GET /v1/videos/{id}", "GET /v1/videos?limit=100")
ACCOUNT = SandboxAccount(token="token", project_id="project", credits=1_000_000)


def measure_filled(folder: Path, rows: Sequence[int]) -> str:
    """Return a table: milliseconds, the median of a few."""
    columns = []
    for count in rows:
        own = folder / f"filled{count}"
        own.mkdir()
        run(f"filling a store with {count} jobs", _fill(own, count))
        rules = SandboxRules(port=0, accounts=(ACCOUNT,), active_seconds=3600.0)
        with running_sandbox(rules) as upstream, adapter_before(own, upstream.base_url) as program:
            columns.append(run(f"requests with {count} stored jobs", _measured(program, count)))
    head = ["ms", *(f"{count} jobs" for count in rows)]
    lines = [[act, *(f"{column[at]:.1f}" for column in columns)] for at, act in enumerate(ACTS)]
    return table("Requests for videos as the store grows (SQLite, one client)", [head, *lines])


async def _fill(folder: Path, rows: int) -> None:
    database = await open_database(f"sqlite:///{folder}/adapter.db")
    try:
        document = msgspec.json.encode(video_job())
        values = {"rows": rows, "now": time.time(), "owner": digest("sk-bench"), "document": document}
        await execute(database, text(FILL), values)
    finally:
        await database.dispose()


async def _measured(program: Program, rows: int) -> list[float]:
    await asyncio.to_thread(program.wait_until, is_healthy)
    line = await Line.open(program.port)
    try:
        return [
            await _median(line, [_post(number) for number in range(TIMES)]),
            await _median(line, [_get(f"/v1/videos/video_{rows - number:032d}") for number in range(TIMES)]),
            await _median(line, [_get("/v1/videos?limit=100")] * TIMES, least=LIST_BYTES),
        ]
    finally:
        line.close()


async def _median(line: Line, requests: Sequence[bytes], *, least: int = 0) -> float:
    taken = []
    for request in requests:
        began = time.perf_counter()
        async with within(SILENCE_SECONDS, f"the answer to {request[:60]!r}"):
            length = await line.ask(request)
        if length < least:
            raise IncompleteAnswer(f"{length} bytes, at least {least} were to come")
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def _post(number: int) -> bytes:
    return post("/v1/videos", msgspec.json.encode({"model": "veo-3.1-fast", "prompt": f"waves, number {number}"}))


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer sk-bench\r\n\r\n".encode()
