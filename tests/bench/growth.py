"""Queries of the job store while its table grows, in this process, on both engines."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import msgspec
from sqlalchemy import Connection, text

from adapter.database.engine import Database, open_database
from adapter.domain.executions import ConnectedProcess, RequestIdentity
from adapter.jobs.store import SqlJobStore
from tests.bench.patience import run
from tests.bench.table import table
from tests.fakes import video_job
from tests.postgres import PostgresServer, find_programs

NOW = 1_000_000.0
TIMES = 5
#: One owner has all jobs: one in a hundred waits, one is under way, the others are over.
FILL = (
    """INSERT INTO jobs
(id, owner, fingerprint, model, state, created_at, finished_at, took_seconds, due_at, stem, document)
{numbers} SELECT 'video_' || i, 'ada', 'f' || i, 'm', CASE i % 100 WHEN 0 THEN 'accepted' WHEN 1 THEN 'submitted'
ELSE 'completed' END, i, CASE WHEN i % 100 < 2 THEN NULL ELSE i END, CASE WHEN i % 100 < 2 THEN NULL ELSE 5 END,
CASE WHEN i % 100 < 2 THEN :now + 5 ELSE NULL END, 's' || i, :document FROM n""",
    """INSERT INTO executions
(id, scope, content, standing, attempts, began_at, expires_at, job_id)
{numbers} SELECT 'video_' || i, 's' || i, 'c', 'answered', 0, i, :now + i, 'video_' || i FROM n""",
)
CONNECTED = ConnectedProcess(process="bench", lease=5.0, window=60.0)
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, CAST(:rows AS int)))",
}
_numbers = count(10_000_000)

ACTS: Mapping[str, Callable[[SqlJobStore], Awaitable[object]]] = {
    "admit": lambda store: store.admit(
        video_job(next(_numbers), at=NOW),
        now=NOW + 900,
        identity=RequestIdentity(owner="ada", route="/videos", content="1:waves"),
        connected=CONNECTED,
    ),
    "idle claim": lambda store: store.claim(now=NOW, lease=10.0, limit=100),
    "neighbours": lambda store: store.neighbours(video_job(), since=NOW, refunds_since=NOW - 600),
    "needed": lambda store: store.needed(
        [f"s{number}" for number in range(1000)],
        fresh_since=NOW,
        waiting_since=NOW - 3600,
        given_since=NOW - 86_400,
    ),
    "measured seconds": lambda store: store.measured_seconds("m"),
}


def measure_growth(folder: Path, rows: tuple[int, ...]) -> str:
    """Return a table: milliseconds, the median of a few."""
    columns = [
        ("SQLite", each, run(f"a store of {each} rows", _measured(f"sqlite:///{folder}/growth{each}.db", each)))
        for each in rows
    ]
    if programs := find_programs():
        server = PostgresServer(programs)
        try:
            urls: Iterator[str] = (server.url(server.new_database()) for _ in count())
            columns += [
                ("PostgreSQL", each, run(f"a store of {each} rows", _measured(next(urls), each))) for each in rows
            ]
        finally:
            server.remove()
    head = ["ms", *(f"{engine} {each}" for engine, each, _ in columns)]
    return table(
        "The job store as it grows", [head, *([name, *(f"{of[name]:.1f}" for *_, of in columns)] for name in ACTS)]
    )


async def _measured(url: str, rows: int) -> dict[str, float]:
    database = await open_database(url)
    try:
        await _fill(database, rows)
        store = SqlJobStore(database)
        return {name: await _median(store, act) for name, act in ACTS.items()}
    finally:
        await database.dispose()


async def _fill(database: Database, rows: int) -> None:
    values = {"rows": rows, "now": NOW, "document": msgspec.json.encode(video_job())}

    def fill(connection: Connection) -> None:
        engine = connection.dialect.name
        for filling in FILL:
            used = {name: value for name, value in values.items() if f":{name}" in filling or name == "rows"}
            connection.execute(text(filling.format(numbers=NUMBERS[engine])), used)
        if engine == "postgresql":
            connection.execute(text("ANALYZE"))

    await database.write(fill)


async def _median(store: SqlJobStore, act: Callable[[SqlJobStore], Awaitable[object]]) -> float:
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        await act(store)
        taken.append(time.perf_counter() - started)
    return sorted(taken)[TIMES // 2] * 1000
