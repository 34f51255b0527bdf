"""The store of executions of pictures."""

from collections.abc import Sequence

import msgspec
import structlog
from sqlalchemy import Connection, Row, Update, case, delete, exists, func, or_, select, update

from adapter.database.engine import Database, advisory_lock
from adapter.database.tables import EXECUTIONS, JOBS, PROCESSES
from adapter.database.write_queue import WriteTurn
from adapter.domain.executions import (
    KEY_SECONDS,
    ExecutionRecord,
    ExecutionStatus,
    LivingProcess,
    PriorExecution,
    RetryInfo,
    StoredAnswer,
    pick,
)
from adapter.domain.job import LIVE
from adapter.jobs.answer_documents import read_answer, write_answer
from adapter.jobs.processes import keep_alive

log = structlog.get_logger()

#: Old entries that are forgotten in one transaction.
PRUNED_AT_ONCE = 5000
#: For so long a process of an older version, which knows no holders, takes an execution for running, in seconds.
OLD_LEASE_SECONDS = 600.0

#: Executions, each with the end of its holder's lease. One of an older version has a lease of its own and no holder.
HELD = select(
    EXECUTIONS,
    func.coalesce(PROCESSES.c.alive_until, case((EXECUTIONS.c.holder.is_(None), EXECUTIONS.c.lease_until)), 0.0).label(
        "alive_until"
    ),
).outerjoin(PROCESSES, PROCESSES.c.id == EXECUTIONS.c.holder)


class SqlRequestStore:
    """Requests in a database (the port `RequestStore`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, record: ExecutionRecord, *, now: float, holder: LivingProcess) -> PriorExecution | None:
        """Remember a request, or return what is known of the execution that it joins (the port of that name)."""
        there = now + self._database.clock_offset
        is_ours = (EXECUTIONS.c.scope == record.scope, EXECUTIONS.c.expires_at > there, EXECUTIONS.c.job_id.is_(None))
        remembered = HELD.where(*is_ours).order_by(EXECUTIONS.c.began_at, EXECUTIONS.c.id)

        def begin(connection: Connection) -> PriorExecution | None:
            advisory_lock(connection, f"request {record.scope}")
            rows = connection.execute(remembered).all()
            known = pick([_known(row, there) for row in rows], record.repeat)
            if known is None and record.repeat.key is not None:
                known = _job_of_key(connection, record, there)
            if known is None:
                _add(connection, record, there, holder)
            elif known.attempts < record.repeat.count:
                connection.execute(note_attempt(known.execution_id, record.repeat))
            return known

        return await self._database.accept(begin, owner=record.owner)

    async def register(self, record: ExecutionRecord, *, now: float, holder: LivingProcess) -> None:
        """Remember an execution beside all others (the port of that name)."""
        there = now + self._database.clock_offset
        await self._database.write(lambda connection: _add(connection, record, there, holder))

    async def keep_alive(self, process: LivingProcess, *, now: float) -> None:
        """Renew the lease of a process (the port of that name)."""
        there = now + self._database.clock_offset
        await self._database.write(lambda connection: keep_alive(connection, process, there), WriteTurn.LEASE)

    async def finish(self, record: ExecutionRecord, answer: StoredAnswer | None, *, answered_at: float | None) -> bool:
        """Remember how a request was answered (the port of that name)."""
        document = None if answer is None else write_answer(answer)
        status = ExecutionStatus.HANDED if answer is None else ExecutionStatus.ANSWERED
        ending = update(EXECUTIONS).where(EXECUTIONS.c.id == record.execution_id)
        ending = ending.values(standing=status, document=document, answered_at=answered_at)
        return await self._database.write(lambda connection: connection.execute(ending).rowcount) == 1

    async def mark_answered(self, execution_id: str, *, now: float) -> None:
        """Note that a client was given the answer (the port of that name)."""
        marking = update(EXECUTIONS).where(EXECUTIONS.c.id == execution_id).values(answered_at=now)
        await self._database.write(lambda connection: connection.execute(marking))

    async def forget(self, record: ExecutionRecord) -> None:
        """Forget a request that led to nothing (the port of that name)."""
        forgetting = delete(EXECUTIONS).where(EXECUTIONS.c.id == record.execution_id)
        await self._database.write(lambda connection: connection.execute(forgetting))

    async def prune(self, *, now: float) -> Sequence[StoredAnswer]:
        """Forget what is too old (the port of that name)."""
        there = now + self._database.clock_offset
        lives = exists().where(JOBS.c.id == EXECUTIONS.c.job_id, JOBS.c.state.in_(LIVE))
        is_over = or_(EXECUTIONS.c.job_id.is_(None), ~lives)
        old = select(EXECUTIONS.c.id).where(EXECUTIONS.c.expires_at <= there, is_over).limit(PRUNED_AT_ONCE)
        going = delete(EXECUTIONS).where(EXECUTIONS.c.id.in_(old)).returning(EXECUTIONS.c.document)
        dead = delete(PROCESSES).where(PROCESSES.c.alive_until <= there - KEY_SECONDS)

        def prune(connection: Connection) -> Sequence[bytes | None]:
            documents = connection.execute(going).scalars().all()
            connection.execute(dead)
            return documents

        return [answer for document in await self._database.write(prune) if (answer := _read(document)) is not None]


def _add(connection: Connection, record: ExecutionRecord, there: float, holder: LivingProcess) -> None:
    row = {
        "id": record.execution_id,
        "scope": record.scope,
        "content": record.content,
        "standing": ExecutionStatus.RUNNING,
        "attempts": record.repeat.count,
        "began_at": record.began_at,
        "lease_until": there + OLD_LEASE_SECONDS,
        "expires_at": there + record.keep_seconds,
        "holder": holder.process,
    }
    connection.execute(EXECUTIONS.insert().values(**row))
    keep_alive(connection, holder, there)


def _job_of_key(connection: Connection, record: ExecutionRecord, there: float) -> PriorExecution | None:
    """Return the execution of a job that has the key of a request for pictures: it stands for something else."""
    has_job = EXECUTIONS.c.job_id.is_not(None)
    newest = HELD.where(EXECUTIONS.c.scope == record.scope, EXECUTIONS.c.expires_at > there, has_job)
    row = connection.execute(newest.limit(1)).first()
    return None if row is None else _known(row, there)


def _known(row: Row[*tuple[object, ...]], there: float) -> PriorExecution:
    status = ExecutionStatus(row.standing)
    if status is ExecutionStatus.RUNNING and row.alive_until <= there:
        status = ExecutionStatus.LOST
    return PriorExecution(
        content=row.content,
        execution_id=row.id,
        began_at=row.began_at,
        status=status,
        attempts=row.attempts,
        is_answered=row.answered_at is not None,
        answer=_read(row.document),
    )


def note_attempt(execution: str, repeat: RetryInfo) -> Update:
    """Return the statement that remembers how often the requests of an execution were retried."""
    return update(EXECUTIONS).where(EXECUTIONS.c.id == execution).values(attempts=repeat.count)


def _read(document: bytes | None) -> StoredAnswer | None:
    """Return a row's answer; one that cannot be read is as one that was not kept."""
    try:
        return None if document is None else read_answer(document)
    except msgspec.DecodeError as error:
        log.error("requests.unreadable", error=str(error))  # noqa: TRY400 - the text says where
        return None
