"""Transactions of a file: which functions are committed together, and what one that fails does to the others."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from contextvars import ContextVar
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from adapter.database.engine import Database, open_database
from adapter.database.file_transactions import FileTransactions

PATIENCE = 20.0
COUNT = text("SELECT count(*) FROM processes")
REQUEST: ContextVar[str] = ContextVar("REQUEST", default="none")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new file."""
    database = await open_database(f"sqlite:///{tmp_path}/adapter.db")
    yield database
    await database.dispose()


@pytest.fixture
def file(database: Database) -> FileTransactions:
    """Its transactions."""
    assert isinstance(database.transactions, FileTransactions)
    return database.transactions


@pytest.fixture
def commits(file: FileTransactions) -> list[Connection]:
    """The commits of the writer so far."""
    seen: list[Connection] = []
    event.listen(file.engines[1], "commit", seen.append)
    return seen


def adding(name: str) -> Callable[[Connection], str]:
    """Return what adds a row and returns its name."""

    def add(connection: Connection) -> str:
        connection.execute(text("INSERT INTO processes (id, alive_until) VALUES (:id, 1.0)"), {"id": name})
        return name

    return add


def failing(name: str, error: Exception) -> Callable[[Connection], str]:
    """Return what adds a row and fails."""

    def fail(connection: Connection) -> str:
        adding(name)(connection)
        raise error

    return fail


def undoing(connection: Connection) -> str:
    """Fail as with a full disk: SQLite has undone the whole transaction."""
    connection.exec_driver_sql("ROLLBACK")
    raise ZeroDivisionError


class Standing:
    """A function that stands still in its transaction until it may go on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.has_begun = asyncio.Event()
        self._may_go_on = threading.Event()

    def __call__(self, connection: Connection) -> str:
        adding("standing")(connection)
        self._loop.call_soon_threadsafe(self.has_begun.set)
        assert self._may_go_on.wait(PATIENCE)
        return "standing"

    def go_on(self) -> None:
        """Let it go on."""
        self._may_go_on.set()


async def outcomes(file: FileTransactions, *works: Callable[[Connection], str]) -> Sequence[str | BaseException]:
    """Write all that come in the same moment, and return what each caller hears."""
    return await asyncio.gather(*map(file.write, works), return_exceptions=True)


async def rows(file: FileTransactions) -> Sequence[str]:
    """Return the names of all rows."""
    kept = text("SELECT id FROM processes ORDER BY id")
    return await file.read(lambda connection: connection.execute(kept).scalars().all())


def can_write(path: Path) -> bool:
    """Say whether another process could write now."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
        return True


async def test_what_comes_in_the_same_moment_is_committed_together(
    file: FileTransactions, commits: list[Connection]
) -> None:
    """One wait for the disk serves all, and each caller gets its own result."""
    assert await outcomes(file, *map(adding, "abc")) == ["a", "b", "c"]
    assert len(commits) == 1
    assert await rows(file) == ["a", "b", "c"]


async def test_what_comes_during_a_transaction_is_the_next_one(
    file: FileTransactions, commits: list[Connection]
) -> None:
    """However many these are."""
    standing = Standing()
    first = asyncio.create_task(file.write(standing))
    await standing.has_begun.wait()
    others = asyncio.gather(*(file.write(adding(str(number))) for number in range(10)))
    await asyncio.sleep(0)
    standing.go_on()

    assert await first == "standing"
    assert await others == [str(number) for number in range(10)]
    assert len(commits) == 2


async def test_a_function_that_fails_leaves_nothing_and_keeps_no_other_one_from_being_written(
    file: FileTransactions,
) -> None:
    """Whether its own error or the database's."""
    heard = await outcomes(file, adding("a"), failing("b", ZeroDivisionError()), adding("a"), adding("c"))

    assert [type(each) for each in heard] == [str, ZeroDivisionError, IntegrityError, str]
    assert await rows(file) == ["a", "c"]


async def test_a_function_that_fails_alone_leaves_nothing_and_no_lock(file: FileTransactions, tmp_path: Path) -> None:
    """Another process may write."""
    with pytest.raises(ZeroDivisionError):
        await file.write(failing("a", ZeroDivisionError()))

    assert await rows(file) == []
    assert can_write(tmp_path / "adapter.db")


async def test_callers_hear_of_their_results_after_the_commit(file: FileTransactions) -> None:
    """If the commit fails, all of them hear of that."""

    def fail(_connection: Connection) -> None:
        raise OSError

    event.listen(file.engines[1], "commit", fail)
    heard = await outcomes(file, *map(adding, "ab"))
    event.remove(file.engines[1], "commit", fail)

    assert [type(each) for each in heard] == [OSError, OSError]
    assert await rows(file) == []
    assert await outcomes(file, adding("c")) == ["c"]


async def test_a_transaction_that_sqlite_has_undone_is_undone_for_all(file: FileTransactions, tmp_path: Path) -> None:
    """Those before the failure would else be told of rows that are gone."""
    heard = await outcomes(file, adding("a"), undoing, adding("b"))

    assert [type(each) for each in heard] == [ZeroDivisionError] * 3
    assert await rows(file) == []
    assert can_write(tmp_path / "adapter.db")


async def test_a_function_whose_caller_has_gone_before_it_began_is_not_run(file: FileTransactions) -> None:
    """Those beside it are."""
    standing = Standing()
    first = asyncio.create_task(file.write(standing))
    await standing.has_begun.wait()
    left, stayed = (asyncio.create_task(file.write(adding(name))) for name in ("left", "stayed"))
    await asyncio.sleep(0)
    left.cancel()
    standing.go_on()
    await asyncio.wait([first, left, stayed])

    assert left.cancelled()
    assert await rows(file) == ["standing", "stayed"]


async def test_a_function_whose_caller_goes_while_it_runs_is_kept_whole(file: FileTransactions) -> None:
    """A thread cannot be cancelled; what comes next is written as ever."""
    standing = Standing()
    first = asyncio.create_task(file.write(standing))
    await standing.has_begun.wait()
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.create_task(file.write(adding("a")))
    await asyncio.sleep(0)
    standing.go_on()

    assert await second == "a"
    assert await rows(file) == ["a", "standing"]


@pytest.mark.parametrize("turns", range(8))
async def test_a_caller_may_go_at_any_moment(file: FileTransactions, turns: int) -> None:
    """Nothing is left that keeps the next ones waiting, and no thread is left when the file is closed."""
    before = set(threading.enumerate())
    tasks = [asyncio.create_task(outcomes(file, adding("a"), adding("c"))), asyncio.create_task(rows(file))]
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    async with asyncio.timeout(PATIENCE):
        assert await file.write(adding("b")) == "b"
        await file.dispose()

    assert {thread for thread in set(threading.enumerate()) - before if thread.name.startswith("database")} == set()


async def test_a_file_is_closed_after_what_has_begun(file: FileTransactions, tmp_path: Path) -> None:
    """A process that stops keeps its promises."""
    standing = Standing()
    first = asyncio.create_task(file.write(standing))
    await standing.has_begun.wait()
    closing_ = asyncio.create_task(file.dispose())
    await asyncio.sleep(0)
    standing.go_on()
    await closing_

    assert await first == "standing"
    with closing(sqlite3.connect(tmp_path / "adapter.db")) as other:
        assert other.execute("SELECT id FROM processes").fetchall() == [("standing",)]


async def test_a_file_that_is_closed_takes_nothing(file: FileTransactions) -> None:
    """Nothing waits for it without end."""
    gathered = asyncio.create_task(file.write(adding("a")))
    await asyncio.sleep(0)
    await file.dispose()

    assert await gathered == "a"
    for act in (
        file.write(adding("b")),
        file.read(adding("b")),
        file.look_up(adding("b")),
        file.ask_writer(adding("b")),
    ):
        with pytest.raises(OSError, match="closed"):
            await act


async def test_each_statement_of_a_reader_sees_what_was_committed_before_it(
    file: FileTransactions, tmp_path: Path
) -> None:
    """A transaction of a reader would show it the same rows again."""

    def look(connection: Connection) -> tuple[int, int]:
        before = connection.execute(COUNT).scalar_one()
        with closing(sqlite3.connect(tmp_path / "adapter.db")) as other:
            other.execute("INSERT INTO processes (id, alive_until) VALUES ('a', 1.0)")
            other.commit()
        return before, connection.execute(COUNT).scalar_one()

    assert await file.read(look) == (0, 1)


async def test_a_reader_waits_for_no_writer(file: FileTransactions) -> None:
    """It sees what was there before."""
    standing = Standing()
    first = asyncio.create_task(file.write(standing))
    await standing.has_begun.wait()
    seen = await rows(file)
    standing.go_on()
    await first

    assert seen == []


async def test_a_look_up_sees_what_was_committed_before_it(file: FileTransactions) -> None:
    """It waits for no writer, and changes no thread."""
    standing = Standing()
    await file.write(adding("a"))
    writing = asyncio.create_task(file.write(standing))
    await standing.has_begun.wait()
    seen = await file.look_up(lambda it: (it.execute(COUNT).scalar_one(), threading.current_thread()))
    standing.go_on()
    await writing

    assert seen == (1, threading.current_thread())
    assert await file.look_up(lambda it: it.execute(COUNT).scalar_one()) == 2


async def test_a_look_up_of_a_locked_file_waits_in_a_thread(file: FileTransactions, tmp_path: Path) -> None:
    """The event loop goes on meanwhile, and lets the other program unlock it."""
    await file.disconnect()
    with closing(sqlite3.connect(tmp_path / "adapter.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("INSERT INTO processes (id, alive_until) VALUES ('a', 1.0)")
        looking = asyncio.create_task(file.look_up(lambda it: it.execute(COUNT).scalar_one()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        is_waiting = not looking.done()

    assert is_waiting
    assert await looking == 1


async def test_the_writer_is_asked_without_a_lock(file: FileTransactions, tmp_path: Path) -> None:
    """Another process writes meanwhile."""
    assert await file.ask_writer(lambda _: can_write(tmp_path / "adapter.db"))


async def test_a_function_has_the_context_of_its_caller(file: FileTransactions) -> None:
    """Log lines name the request."""

    async def ask(name: str) -> list[str]:
        REQUEST.set(name)
        return [await file.write(lambda _: REQUEST.get()), await file.read(lambda _: REQUEST.get())]

    a, b = await asyncio.gather(ask("a"), ask("b"))

    assert (a, b) == (["a", "a"], ["b", "b"])


async def test_a_file_that_another_process_has_locked_fails_all_that_gathered(
    file: FileTransactions, tmp_path: Path
) -> None:
    """And the next ones are written."""
    await file.ask_writer(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout = 1"))
    with closing(sqlite3.connect(tmp_path / "adapter.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        heard = await outcomes(file, *map(adding, "ab"))

    assert all(isinstance(each, DBAPIError) for each in heard)
    assert await outcomes(file, adding("c")) == ["c"]
