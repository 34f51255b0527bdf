"""The job store on both engines, in this process: the cost of a job's life and of a poll."""

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from adapter.database.engine import open_database
from adapter.domain.job import Intended, Operation, Progressed, Rendered, Stored, StoredVideo, Submitted, advance
from adapter.domain.media import RemoteVideo
from adapter.domain.ports import Claim, Write
from adapter.jobs.poller import CLAIM_LIMIT
from adapter.jobs.store import SqlJobStore
from tests.bench.patience import run
from tests.bench.table import table
from tests.fakes import video_job
from tests.postgres import PostgresServer, find_programs

NOW = 1000.0
LEASE = 10.0
HEAD = ["", "jobs/s", "CPU ms each", "least"]

Act = Callable[[SqlJobStore, int], Awaitable[None]]


class Cost(NamedTuple):
    """Of one job."""

    seconds: float
    cpu: float


def measure_store(folder: Path, *, rounds: int, jobs: int) -> str:
    """Return a table; each round has a database of its own."""
    files = (f"sqlite:///{folder}/store{number}.db" for number in count())
    rows = _rows("SQLite", files, rounds, jobs)
    if programs := find_programs():
        server = PostgresServer(programs, durable=True)
        try:
            rows += _rows("PostgreSQL", (server.url(server.new_database()) for _ in count()), rounds, jobs)
        finally:
            server.remove()
    title = f"The job store, in this process ({rounds} x {jobs} jobs; a server's own CPU is not counted)"
    return table(title, [HEAD, *rows])


def _rows(engine: str, urls: Iterator[str], rounds: int, jobs: int) -> list[list[str]]:
    lives = [run("lives of jobs in the store", _cost(next(urls), live, jobs)) for _ in range(rounds)]
    polls = [run("polls of jobs in the store", _cost(next(urls), poll, jobs, prepare=submit)) for _ in range(rounds)]
    return [
        _row(f"{engine}, a life: admit, claim, save x 3, one job at a time", lives),
        _row(f"{engine}, a poll: claim and save, batches of {CLAIM_LIMIT}", polls),
    ]


def _row(name: str, costs: list[Cost]) -> list[str]:
    cpu = [cost.cpu * 1000 for cost in costs]
    rate = 1 / statistics.median(cost.seconds for cost in costs)
    return [name, f"{rate:.0f}", f"{statistics.median(cpu):.3f}", f"{min(cpu):.3f}"]


async def _cost(url: str, act: Act, jobs: int, prepare: Act | None = None) -> Cost:
    async with _store(url) as store:
        if prepare is not None:
            await prepare(store, jobs)
        started, cpu = time.perf_counter(), time.process_time()
        await act(store, jobs)
        return Cost((time.perf_counter() - started) / jobs, (time.process_time() - cpu) / jobs)


@asynccontextmanager
async def _store(url: str) -> AsyncIterator[SqlJobStore]:
    database = await open_database(url)
    try:
        yield SqlJobStore(database)
    finally:
        await database.dispose()


async def live(store: SqlJobStore, jobs: int) -> None:
    """Take each job from the wish to the file, as the poller does where nothing goes wrong."""
    for number in range(jobs):
        await store.admit(video_job(number), now=NOW)
        (claim,) = await store.claim(now=NOW, lease=LEASE, limit=1)
        intended = advance(claim.job, Intended("main"))
        submitted = advance(intended, Submitted(Operation(f"operations/{number}", intended.mark), NOW))
        ready = advance(submitted, Rendered(RemoteVideo("https://storage.example/video.mp4")))
        media = StoredVideo(video=f"{number}.mp4", poster=None, size=1, sha256="0" * 64)
        for job in (intended, submitted, advance(ready, Stored(media, NOW))):
            await _written(store, [Write(claim, job, NOW + LEASE, keeps_claim=not job.is_over)])


async def submit(store: SqlJobStore, jobs: int) -> None:
    """Leave so many jobs behind that are due for a poll."""
    for number in range(jobs):
        await store.admit(video_job(number), now=NOW)
    writes = []
    for claim in await store.claim(now=NOW, lease=LEASE, limit=jobs):
        intended = advance(claim.job, Intended("main"))
        operation = Operation(f"operations/{claim.job.id}", intended.mark)
        writes.append(Write(claim, advance(intended, Submitted(operation, NOW)), NOW))
    await _written(store, writes)


async def poll(store: SqlJobStore, jobs: int) -> None:
    """Poll every job once: what the upstream's answer costs is not in it."""
    left = jobs
    while left:
        claims = await store.claim(now=NOW, lease=LEASE, limit=CLAIM_LIMIT)
        await _written(store, [_progress(claim) for claim in claims])
        left -= len(claims)


def _progress(claim: Claim) -> Write:
    return Write(claim, advance(claim.job, Progressed(50)), NOW + LEASE)


async def _written(store: SqlJobStore, writes: list[Write]) -> None:
    written = await store.save(writes)
    if not writes or len(written) != len(writes):
        raise RuntimeError(f"{len(written)} of {len(writes)} jobs were written")
