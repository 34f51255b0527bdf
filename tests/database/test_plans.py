"""Queries that are asked often read only what they need: the database says how it would do it."""

import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, Self, TypeAlias

import msgspec
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

from adapter.access.quotas import SqlQuotas
from adapter.database.engine import Database, open_database
from adapter.domain.allowance import Allowance, Charge, Taken
from adapter.domain.executions import ConnectedProcess, ExecutionRecord, RequestIdentity, RetryInfo
from adapter.domain.job import Intended, advance
from adapter.domain.paging import Page
from adapter.domain.ports import Claim, Write
from adapter.domain.spending import Spending
from adapter.domain.usage_counts import UsageQuery
from adapter.jobs.census import count_live
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.store import SqlJobStore
from adapter.records.files import SqlFileStore
from adapter.records.registry import SqlFileRegistry
from adapter.records.responses import SqlResponseStore
from adapter.records.sizes import SqlFileSizes
from adapter.records.usage import SqlUsageStore
from tests.fakes import given_file, stored, video_job
from tests.postgres import BOTH_ENGINES

#: So many rows that PostgreSQL, too, does not read all of a table where an index helps.
ROWS = 20_000
NOW = 1_000_000.0
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, CAST(:rows AS int)))",
}
#: One owner has all rows. One job in a hundred waits, one is under way; the others are over.
FILL = (
    """INSERT INTO jobs
    (id, owner, fingerprint, model, state, created_at, finished_at, took_seconds, due_at, stem, document)
    {numbers} SELECT 'video_' || i, 'ada', 'f' || i, 'm', CASE i % 100 WHEN 0 THEN 'accepted' WHEN 1 THEN 'submitted'
    WHEN 2 THEN 'failed' ELSE 'completed' END, i, CASE WHEN i % 100 < 2 THEN NULL ELSE i END,
    CASE WHEN i % 100 < 3 THEN NULL ELSE 5 END, CASE WHEN i % 100 < 2 THEN :now + 5 ELSE NULL END, 's' || i, :empty
    FROM n""",
    """INSERT INTO executions (id, scope, content, standing, attempts, began_at, lease_until, expires_at, job_id)
    {numbers} SELECT CASE i % 2 WHEN 0 THEN 'mark' ELSE 'video_' END || i, 'scope' || i, 'c', 'running', 0, i, i,
    :now + i, CASE i % 2 WHEN 0 THEN NULL ELSE 'video_' || i END FROM n""",
    """INSERT INTO processes (id, alive_until) {numbers} SELECT 'process' || i, :now + i FROM n""",
    """INSERT INTO files (id, owner, filename, purpose, size, name, stem, created_at)
    {numbers} SELECT 'file-' || i, 'ada', 'f', 'vision', 1, 'n' || i, 's' || i, i FROM n""",
    """INSERT INTO usage (hour, "key", owner, provider, model, kind, size, source, requests, failed, images, videos,
    seconds, input_tokens, output_tokens, nano_dollars, nano_credits, unpriced)
    {numbers} SELECT i * 3600, 'k', 'ada', 'p', 'm', 'image', '', '', 1, 0, 1, 0, 0, 0, 0, 0, 0, 0 FROM n""",
    """INSERT INTO key_counts ("key", kind, begins_at, taken)
    {numbers} SELECT 'key' || i % 100, 'images', i, 1 FROM n""",
    """INSERT INTO replies ("key", owner, status, stem, created_at, expires_at, document)
    {numbers} SELECT 'k' || i, 'ada', 'completed', 's' || i, i, :now + i, :empty FROM n""",
)

Act = Callable[[Database], Awaitable[object]]
#: A page of files behind an older one.
FILES_ON = Page(after=given_file(at=5000.0), newest_first=False)
STEMS = [f"s{number}" for number in range(1, 1000)]
JOB = video_job()
ENTRY = ExecutionRecord(scope="scope1", content="c", execution_id="mark1", began_at=1.0, keep_seconds=60.0)
OTHER = msgspec.structs.replace(ENTRY, execution_id="other")
#: What only writes a new row, which needs no plan.
INSERTS = ("add", "keep alive", "register")
CONNECTED = ConnectedProcess(process="process1", lease=5.0, window=60.0)


def identity(*, retries: int) -> RequestIdentity:
    """Return what a request is known by."""
    return RequestIdentity(owner="ada", route="videos", content="c", repeat=RetryInfo(count=retries))


async def claim_and_save(database: Database) -> None:
    """Move a job by one step, as the poller does."""
    store = SqlJobStore(database)
    await store.admit(video_job(7), now=NOW)
    claim, *_ = await store.claim(now=NOW, lease=10.0, limit=100, held=["video_1", "video_2"])
    await store.renew([claim], due_at=NOW + 10)
    await store.save([Write(claim, advance(claim.job, Intended("main")), NOW + 10)])


def jobs(act: Callable[[SqlJobStore], Awaitable[object]]) -> Act:
    """Return what asks the store of jobs."""
    return lambda database: act(SqlJobStore(database))


def requests(act: Callable[[SqlRequestStore], Awaitable[object]]) -> Act:
    """Return what asks the store of requests."""
    return lambda database: act(SqlRequestStore(database))


def files(act: Callable[[SqlFileStore], Awaitable[object]]) -> Act:
    """Return what asks the store of files."""
    return lambda database: act(SqlFileStore(database))


def responses(act: Callable[[SqlResponseStore], Awaitable[object]]) -> Act:
    """Return what asks the store of answers."""
    return lambda database: act(SqlResponseStore(database))


def usage(act: Callable[[SqlUsageStore], Awaitable[object]]) -> Act:
    """Return what asks the table of usage."""
    return lambda database: act(SqlUsageStore(database))


def quotas(act: Callable[[SqlQuotas], Awaitable[object]]) -> Act:
    """Return what asks the counts of keys."""
    return lambda database: act(SqlQuotas(database, lambda: NOW))


LIMITS = Allowance(rpm=10, images_per_day=10)
SPENDING = Spending(owner="ada", key="key1", model="fox", provider="p", kind="image", units=1)
LAST = video_job(at=5000.0)
#: A week of 20,000 hours.
WEEK = UsageQuery(since=3600, until=169 * 3600, step=3600)
HOT: Mapping[str, Act] = {
    "admit": jobs(lambda store: store.admit(JOB, now=NOW, identity=identity(retries=0), connected=CONNECTED)),
    "admit again": jobs(lambda store: store.admit(JOB, now=NOW, identity=identity(retries=1), connected=CONNECTED)),
    "recall": jobs(lambda store: store.recall(identity(retries=1), now=NOW)),
    "release": jobs(lambda store: store.release("video_3", "process3", answered_at=NOW)),
    "claim, renew and save": claim_and_save,
    "claim nothing": jobs(lambda store: store.claim(now=NOW, lease=10.0, limit=100)),
    "get": jobs(lambda store: store.get("video_1")),
    "get many": jobs(lambda store: store.get_many(["video_1", "video_2"])),
    "find": jobs(lambda store: store.find("video_1", "ada")),
    "list": jobs(lambda store: store.list("nobody", after=None, limit=20, newest_first=True)),
    "list on": jobs(lambda store: store.list("nobody", after=LAST, limit=20, newest_first=True)),
    "list on, the oldest first": jobs(lambda store: store.list("nobody", after=LAST, limit=20, newest_first=False)),
    "recent": jobs(lambda store: store.recent(1)),
    "neighbours": jobs(lambda store: store.neighbours(JOB, since=NOW, refunds_since=NOW - 600)),
    "needed": jobs(
        lambda store: store.needed(STEMS, fresh_since=NOW, waiting_since=NOW - 3600, given_since=NOW - 86400)
    ),
    "measured seconds": jobs(lambda store: store.measured_seconds("m")),
    "mark delivered": jobs(lambda store: store.mark_delivered("video_3", now=NOW)),
    "delete": jobs(lambda store: store.delete("video_3", "ada", now=NOW)),
    "cancel": jobs(lambda store: store.cancel("video_3", now=NOW)),
    "unwanted": jobs(lambda store: store.unwanted(["video_3"])),
    "replace": jobs(lambda store: store.replace(JOB, JOB, now=NOW)),
    "forget a job": jobs(lambda store: store.forget(Claim(JOB, "token"))),
    "begin a request": requests(lambda store: store.begin(ENTRY, now=NOW, holder=CONNECTED)),
    "register a request": requests(lambda store: store.register(OTHER, now=NOW, holder=CONNECTED)),
    "keep alive": requests(lambda store: store.keep_alive(CONNECTED, now=NOW)),
    "finish a request": requests(lambda store: store.finish(ENTRY, None, answered_at=NOW)),
    "mark answered": requests(lambda store: store.mark_answered("mark2", now=NOW)),
    "forget a request": requests(lambda store: store.forget(ENTRY)),
    "prune requests": requests(lambda store: store.prune(now=NOW)),
    "add a file": files(lambda store: store.add(given_file())),
    "find a file": files(lambda store: store.find("file-1", "ada", now=NOW)),
    "list files": files(lambda store: store.list("ada", Page(), now=NOW)),
    "list files on": files(lambda store: store.list("ada", FILES_ON, now=NOW)),
    "delete a file": files(lambda store: store.delete("file-1", "ada", now=NOW)),
    "keeps files": files(lambda store: store.keeps(STEMS)),
    "deleted entries of files": files(lambda store: store.deleted_entries(before=1.0, limit=500)),
    "forget files": files(lambda store: store.forget(["file-1", "file-2"])),
    "add a reply": responses(lambda store: store.add(stored())),
    "save a reply": responses(lambda store: store.save(stored())),
    "find a reply": responses(lambda store: store.find("k0", "ada", now=NOW)),
    "delete a reply": responses(lambda store: store.delete("k0", "ada", now=NOW)),
    "count live jobs": count_live,
    "take of limits": quotas(lambda store: store.take(SPENDING, LIMITS)),
    "look at limits": quotas(lambda store: store.look("key1", LIMITS)),
    "give back": quotas(lambda store: store.give(Charge("key1", (Taken("images", 1, 1),)))),
    "sizes of files": lambda database: SqlFileSizes(database).size_of(f"{STEMS[6]}.mp4"),
    "owners of files": lambda database: SqlFileRegistry(database).ownership(STEMS),
    "keeps replies": responses(lambda store: store.keeps(STEMS)),
    "deleted entries of responses": responses(lambda store: store.deleted_entries(before=1.0, limit=500)),
    "add usage": usage(lambda store: store.add({})),
    "sums of usage": usage(lambda store: store.sums(WEEK)),
    "forget usage": usage(lambda store: store.forget(before=7200.0)),
    "forget replies": responses(lambda store: store.forget(["k1", "k2"])),
}


async def fill(database: Database) -> None:
    """Put many rows into every table that grows, and let PostgreSQL count them."""

    def fill_all(connection: Connection) -> None:
        for filling in FILL:
            numbers = NUMBERS[connection.dialect.name]
            values = {"rows": ROWS, "now": NOW, "empty": b"{}"}
            used = {name: value for name, value in values.items() if f":{name}" in filling + numbers}
            connection.execute(text(filling.format(numbers=numbers)), used)
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))

    await database.write(fill_all)


Statements: TypeAlias = list[tuple[str, Sequence[object]]]


def _note(statements: Statements, statement: str, values: Sequence[object]) -> None:
    if re.match(r"\s*(SELECT|WITH|UPDATE|DELETE)", statement):
        statements.append((statement, values))


@asynccontextmanager
async def noted(database: Database) -> AsyncIterator[Statements]:
    """Note each statement that is executed, with its values."""
    statements: Statements = []
    noting = _noting_driver if database.file is not None else _noting_engine
    with ExitStack() as stack:
        for engine in database.transactions.engines:
            stack.enter_context(noting(engine, statements))
        await database.transactions.disconnect()
        yield statements
    await database.transactions.disconnect()


@contextmanager
def _noting_engine(engine: Engine, statements: Statements) -> Iterator[None]:
    def note(
        _connection: object,
        _cursor: DBAPICursor,
        statement: str,
        parameters: Sequence[object],
        _context: ExecutionContext,
        executemany: bool,
    ) -> None:
        _note(statements, statement, parameters[0] if executemany else parameters)  # type: ignore[arg-type]

    event.listen(engine, "before_cursor_execute", note)
    yield
    event.remove(engine, "before_cursor_execute", note)


@contextmanager
def _noting_driver(engine: Engine, statements: Statements) -> Iterator[None]:
    """Note what new connections of SQLite execute: not all of it passes SQLAlchemy."""

    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, values: Sequence[Any] = ()) -> Self:  # type: ignore[override]
            _note(statements, statement, values)
            return super().execute(statement, values)

        def executemany(self, statement: str, many: Sequence[Any]) -> Self:  # type: ignore[override]
            _note(statements, statement, many[0])
            return super().executemany(statement, many)

    class Noting(sqlite3.Connection):
        def execute(self, statement: str, values: Sequence[Any] = ()) -> Cursor:  # type: ignore[override]
            return self.cursor().execute(statement, values)

        def executemany(self, statement: str, many: Sequence[Any]) -> Cursor:  # type: ignore[override]
            return self.cursor().executemany(statement, many)

        def cursor(self, _factory: object = None) -> Cursor:  # type: ignore[override]
            return super().cursor(Cursor)

    def connect(_dialect: object, _record: object, arguments: list[Any], named: dict[str, Any]) -> sqlite3.Connection:
        return sqlite3.connect(*arguments, **named, factory=Noting)

    event.listen(engine, "do_connect", connect)
    yield
    event.remove(engine, "do_connect", connect)


async def plans(database: Database, statements: Sequence[tuple[str, Sequence[object]]]) -> list[str]:
    """Return what the database would do, line by line."""

    def explain(connection: Connection) -> list[str]:
        lines: list[str] = []
        how = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        for statement, values in statements:
            lines += [statement]
            lines += [str(row[-1]) for row in connection.exec_driver_sql(f"{how} {statement}", tuple(values))]
        return lines

    return await database.read(explain)


#: SQLite: a table read from end to end, or the order of rows made by sorting them; PostgreSQL: the same.
GROWING = "jobs|executions|processes|files|replies|usage|key_counts"
BAD = re.compile(rf"^\s*(SCAN ({GROWING})(?! USING INDEX jobs_created)|USE TEMP B-TREE|.*Seq Scan on)")
#: Nearly every job is of one kind. So an index that is asked for a kind alone gives the whole table.
ONLY_BY_KIND = re.compile(r"^\s*SEARCH jobs USING .*\(kind=\?\)$")
#: These read a page of it, in the order of the index.
PAGES = {"recent"}
#: These group the rows of some hours, which the index finds.
SUMS = {"sums of usage"}


@BOTH_ENGINES
async def test_no_hot_query_reads_a_growing_table(database_url: str) -> None:
    """Each is executed once, and the database is asked how it would do what was executed."""
    database = await open_database(database_url)
    try:
        bad = await bad_plans(database)
    finally:
        await database.dispose()

    assert bad == {}


async def bad_plans(database: Database) -> dict[str, list[str]]:
    """Return the plans of the queries that read more than they should, by what was asked."""
    await fill(database)
    bad: dict[str, list[str]] = {}
    for name, act in HOT.items():
        async with noted(database) as statements:
            await act(database)
        assert statements or name.startswith(INSERTS), name
        found = await plans(database, statements)
        looked_at = [line for line in found if not (name in SUMS and "FOR GROUP BY" in line)]
        if any(BAD.match(line) or (name not in PAGES and ONLY_BY_KIND.match(line)) for line in looked_at):
            bad[name] = found
    return bad


def test_every_query_of_a_store_is_looked_at() -> None:
    """Whoever writes a new one adds it."""
    asked = " ".join(HOT).replace(",", "").split()
    stores = (SqlJobStore, SqlRequestStore, SqlFileStore, SqlResponseStore, SqlUsageStore)
    public = {name for store in stores for name in vars(store)}
    known = {word for name in public if not name.startswith("_") for word in name.split("_")}

    assert known - set(asked) <= {"locate", "place"}  # as `find`
