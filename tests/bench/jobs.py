"""Running jobs and their readers: what waiting costs, how often Google is asked, what a stream takes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from adapter.access.keys import digest
from adapter.database.engine import open_database
from adapter.domain.job import Intended, Operation, Submitted, VideoJob, advance
from adapter.domain.ports import Write
from adapter.jobs.store import SqlJobStore
from tests.bench.flow import FAILED, Flow, config_of
from tests.bench.patience import run, within
from tests.bench.programs import SERVER_CORE, Program, free_port, is_healthy, listens
from tests.bench.rounds import percentile
from tests.bench.streams import broken_streams, open_streams
from tests.bench.table import table
from tests.bench.wire import HOST
from tests.fakes import video_job

BEAT_SECONDS = 5.0
#: Patience with the first status calls.
FIRST_SECONDS = 60.0
#: How late the adapter's event loop is made once: more than anything waits for a connection to the database.
LATE_SECONDS = 12.0
#: So long that the progress moves with each beat, and does not come to its end.
EXPECTED_SECONDS = 150.0


class Waiting(NamedTuple):
    """What a while with running jobs showed."""

    #: Status calls, and the jobs asked about in them, for each beat.
    calls: float
    asked: float
    #: Microseconds of computing for each job and second.
    cpu: float


class Reading(NamedTuple):
    """What readers saw and took."""

    #: Kilobytes for each stream.
    memory: float
    #: Megabytes of the process with all of them open.
    total: float
    #: Microseconds of computing for each event.
    cpu: float
    #: Seconds from Google's answer, or the common beat, to the reader; one for each event.
    lateness: Sequence[float]
    #: Streams with a gap in the numbers, with an error, or without an end.
    broken: int


def measure_jobs(folder: Path, *, jobs: int, streams: int, beats: int) -> str:
    """Return two tables: running jobs, and readers of their progress."""
    folder = folder / "jobs"
    folder.mkdir()
    waiting, reading = run("jobs and their readers", _measured(folder, jobs, streams, beats))
    bare = run("readers of the bare server", _bare(streams, beats))
    return f"{_waiting_table(waiting, jobs)}\n{_reading_table({'adapter': reading, 'bare': bare}, jobs, streams)}"


def _waiting_table(found: Waiting, jobs: int) -> str:
    rows = [
        ["", "status calls per beat", "jobs asked about", "CPU µs per job and second"],
        ["adapter", f"{found.calls:.1f}", f"{found.asked:.0f}", f"{found.cpu:.0f}"],
        ["one call for each", f"{jobs}", f"{jobs}", ""],
        ["of it", f"{found.calls / jobs:.1%}", f"{found.asked / jobs:.0%}", ""],
    ]
    return table(f"{jobs} running jobs, a beat of {BEAT_SECONDS:g} s", rows)


def _reading_table(found: dict[str, Reading], jobs: int, streams: int) -> str:
    head = [
        "",
        "KB per stream",
        "MB in all",
        "CPU µs per event",
        "events",
        "late p50 ms",
        "p99 ms",
        "most ms",
        "broken streams",
    ]
    rows = [
        [
            name,
            f"{each.memory:.1f}",
            f"{each.total:.0f}",
            f"{each.cpu:.0f}",
            str(len(each.lateness)),
            *(f"{percentile(each.lateness, share) * 1000:.0f}" for share in (50, 99)),
            f"{max(each.lateness) * 1000:.0f}",
            str(each.broken),
        ]
        for name, each in found.items()
    ]
    return table(f"{streams} open streams of progress, of {jobs} jobs", [head, *rows])


async def _measured(folder: Path, jobs: int, streams: int, beats: int) -> tuple[Waiting, Reading]:
    upstream, port = free_port(), free_port()
    ids = await leave_jobs(folder, jobs, EXPECTED_SECONDS)
    async with Flow.serve(upstream) as flow:
        with follower(folder, upstream, port) as program:
            await asyncio.to_thread(program.wait_until, is_healthy)
            waiting = await _wait(program, flow, jobs, beats)
            crowd = Crowd(program, [f"/v1/videos/{ids[number % jobs]}/events" for number in range(streams)])

            async def fail() -> None:
                flow.status = FAILED

            return waiting, await crowd.read(lambda number: flow.answered[operation(number % jobs)], beats, fail)


async def _bare(streams: int, beats: int) -> Reading:
    port = free_port()
    with _running(Program.start("held", ["tests.bench.held", port], port, core=SERVER_CORE)) as program:
        await asyncio.to_thread(program.wait_until, listens)

        async def end() -> None:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(f"GET /end HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n".encode())
            await reader.read()
            writer.close()

        # Its beats are those of the clock that both processes share.
        return await Crowd(program, ["/"] * streams).read(
            lambda _: time.monotonic() // BEAT_SECONDS * BEAT_SECONDS, beats, end
        )


class Crowd:
    """Many readers at once."""

    def __init__(self, program: Program, paths: Sequence[str]) -> None:
        self._program = program
        self._paths = paths
        self._heard: list[tuple[int, float]] = []

    async def read(self, said: Callable[[int], float], beats: int, end: Callable[[], Awaitable[None]]) -> Reading:
        """Open all streams, read for some beats, make the program late, have them ended, and read to the end.

        `said` tells when what a stream was just sent was known, by the stream's number.
        """
        lateness: list[float] = []
        is_open = False

        def hear(number: int, at: float) -> None:
            if is_open:
                lateness.append(at - said(number))

        before = self._program.megabytes()
        streams = await open_streams(self._program.port, self._paths, hear)
        total = self._program.megabytes()
        memory = (total - before) * 1024 / len(streams)
        is_open = True
        cpu = self._program.cpu_seconds()
        await asyncio.sleep(beats * BEAT_SECONDS)
        cpu, told = self._program.cpu_seconds() - cpu, len(lateness)
        with self._program.standing_still():
            await asyncio.sleep(LATE_SECONDS)
        await asyncio.sleep(2 * BEAT_SECONDS)
        await end()
        broken = await broken_streams(streams)
        return Reading(memory, total, cpu / told * 1e6, lateness, broken)


async def _wait(program: Program, flow: Flow, jobs: int, beats: int) -> Waiting:
    """Let jobs wait with nobody watching."""
    async with within(FIRST_SECONDS, "the first status call of every job"):
        while len(flow.answered) < jobs:
            await asyncio.sleep(0.1)
    calls, asked, cpu = flow.calls, flow.asked, program.cpu_seconds()
    await asyncio.sleep(beats * BEAT_SECONDS)
    cpu = program.cpu_seconds() - cpu
    return Waiting((flow.calls - calls) / beats, (flow.asked - asked) / beats, cpu / jobs / beats / BEAT_SECONDS * 1e6)


async def leave_jobs(folder: Path, jobs: int, expected_seconds: float) -> list[str]:
    """Leave running jobs behind, as if they had been submitted a moment ago, and return their ids."""
    database = await open_database(f"sqlite:///{folder}/adapter.db")
    store, now = SqlJobStore(database), time.time()
    try:
        for number in range(jobs):
            await store.admit(_job(number, now, expected_seconds), now=now)
        claims = await store.claim(now=now, lease=BEAT_SECONDS, limit=jobs)
        writes = [Write(claim, _submitted(claim.job, now), now) for claim in claims]
        return [job.id for job in sorted(await store.save(writes), key=lambda job: job.seed)]
    finally:
        await database.dispose()


def _job(number: int, now: float, expected_seconds: float) -> VideoJob:
    job = video_job(number, at=now)
    order = msgspec.structs.replace(job.order, provider="flow")
    return msgspec.structs.replace(job, owner=digest("sk-bench"), order=order, expected_seconds=expected_seconds)


def _submitted(job: VideoJob, now: float) -> VideoJob:
    return advance(advance(job, Intended("main")), Submitted(Operation(operation(job.seed), job.mark), now))


def operation(number: int) -> str:
    """Return what Flow calls a job."""
    return f"operations/{number}"


@contextmanager
def follower(folder: Path, upstream: int, port: int) -> Iterator[Program]:
    """Run an adapter that finds the jobs of a folder and asks about them."""
    config = folder / "adapter.toml"
    config.write_text(config_of(folder, f"http://{HOST}:{upstream}") + f"[jobs]\npoll_seconds = {BEAT_SECONDS}\n")
    command = ["adapter", "serve", "--config", config, "--port", port]
    with _running(Program.start("adapter", command, port, core=SERVER_CORE, log=folder / "adapter.log")) as program:
        yield program


@contextmanager
def _running(program: Program) -> Iterator[Program]:
    try:
        yield program
    finally:
        program.stop()
