"""Open streams of jobs that do not move: what keeping them open costs."""

import asyncio
from pathlib import Path

from tests.bench.flow import Flow
from tests.bench.jobs import follower, leave_jobs
from tests.bench.patience import run
from tests.bench.programs import Program, free_port, is_healthy
from tests.bench.streams import Stream, open_streams
from tests.bench.table import table

#: So long that no beat moves the progress of a job.
EXPECTED_SECONDS = 1e9
#: How long the program is watched, without streams and with them.
WATCHED_SECONDS = 20.0
HEAD = ["", "KB per stream", "CPU µs per stream and second", "comments", "longest silence s", "broken streams"]


def measure_silent(folder: Path, *, jobs: int, streams: int) -> str:
    """Return a table."""
    folder = folder / "silent"
    folder.mkdir()
    row = run("silent streams", _row(folder, jobs, streams))
    return table(f"{streams} silent streams of {jobs} jobs, for {WATCHED_SECONDS:g} s", [HEAD, ["adapter", *row]])


async def _row(folder: Path, jobs: int, streams: int) -> list[str]:
    upstream, port = free_port(), free_port()
    ids = await leave_jobs(folder, jobs, EXPECTED_SECONDS)
    async with Flow.serve(upstream):
        with follower(folder, upstream, port) as program:
            await asyncio.to_thread(program.wait_until, is_healthy)
            alone = await _cpu(program)
            before = program.megabytes()
            paths = [f"/v1/videos/{ids[number % jobs]}/events" for number in range(streams)]
            opened = await open_streams(port, paths, lambda _number, _at: None)
            memory = (program.megabytes() - before) * 1024 / streams
            comments = _comments(opened)
            cpu = await _cpu(program) - alone
            broken = sum(stream.ended.done() for stream in opened)
            for stream in opened:
                stream.transport.close()
    return [
        f"{memory:.1f}",
        f"{cpu / streams / WATCHED_SECONDS * 1e6:.1f}",
        str(_comments(opened) - comments),
        f"{max(stream.silence for stream in opened):.1f}",
        str(broken),
    ]


async def _cpu(program: Program) -> float:
    """Return the seconds that a program computes while it is watched."""
    before = program.cpu_seconds()
    await asyncio.sleep(WATCHED_SECONDS)
    return program.cpu_seconds() - before


def _comments(streams: list[Stream]) -> int:
    return sum(stream.comments for stream in streams)
