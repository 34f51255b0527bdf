"""The executions of jobs in the database: which job answers a request."""

from collections.abc import Sequence
from typing import Generic

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, update

from adapter.database.prepared import Prepared
from adapter.database.tables import EXECUTIONS, JOBS, PROCESSES
from adapter.domain.executions import (
    ConnectedProcess,
    ExecutionStatus,
    RequestIdentity,
    RetryInfo,
    is_same_content,
    pick,
)
from adapter.domain.job import JobState
from adapter.domain.job_kinds import J, JobKind
from adapter.errors import AnswerLost, NotFound, StorageFailed, Undecided, key_reused
from adapter.jobs.documents import read_job

#: The newest executions of one name that are looked at. More equal requests than this within a day are not told apart.
MOST_LOOKED_AT = 100

NEWEST = Prepared(
    select(
        EXECUTIONS,
        JOBS.c.document.label("job"),
        JOBS.c.kind,
        func.coalesce(EXECUTIONS.c.answered_at, JOBS.c.delivered_at).is_not(None).label("is_answered"),
        JOBS.c.deleted_at,
        JOBS.c.cancelled_at.is_not(None).label("is_called_off"),
        func.coalesce(PROCESSES.c.alive_until, 0.0).label("alive_until"),
    )
    .outerjoin(JOBS, JOBS.c.id == EXECUTIONS.c.job_id)
    .outerjoin(PROCESSES, PROCESSES.c.id == EXECUTIONS.c.holder)
    .where(EXECUTIONS.c.scope == bindparam("name"), EXECUTIONS.c.job_id.is_not(None))
    .order_by(EXECUTIONS.c.began_at.desc(), EXECUTIONS.c.id.desc())
    .limit(MOST_LOOKED_AT)
)
ADDED = ("id", "scope", "content", "standing", "attempts", "began_at", "expires_at", "holder", "job_id")
ADDING = Prepared(EXECUTIONS.insert().values({name: bindparam(name) for name in ADDED}))


class VideoExecution(msgspec.Struct, Generic[J], frozen=True, kw_only=True):
    """An execution with its job. All times are in seconds, by the database's clock."""

    id: str
    content: str
    attempts: int
    began_at: float
    is_answered: bool
    #: The process whose connections wait for it, and until when that one is believed to be alive.
    waited_by: str | None
    alive_until: float
    #: None: it was deleted, or cannot be read here.
    job: J | None
    is_readable: bool
    is_called_off: bool
    #: Whether `waited_by` is believed to be alive.
    is_waited_for: bool

    @property
    def is_failed(self) -> bool:
        """Whether it ended without a video."""
        return self.job is None or self.job.state is JobState.FAILED or self.is_called_off

    @property
    def is_refused(self) -> bool:
        """Whether its job failed before anything was executed, for a reason that passes."""
        return self.job is not None and self.job.is_refused

    def ended_before(self, at: float) -> bool:
        """Whether it was over at that time."""
        return self.job is None or (self.job.finished_at or at) < at

    def may_be_joined_anew(self, since: float) -> bool:
        """Whether a first attempt may join it, if no connection waits for it."""
        return not (self.is_answered or self.is_failed or self.ended_before(since))

    def may_be_repeated(self, seconds: float, there: float) -> bool:
        """Whether a repetition gets it: while it is under way, and so many seconds from its beginning on."""
        is_over = self.is_readable and (self.job is None or self.job.is_over)
        return not is_over or self.began_at + seconds > there


def find(
    connection: Connection,
    kind: JobKind[J],
    identity: RequestIdentity,
    connected: ConnectedProcess | None,
    there: float,
) -> Sequence[VideoExecution[J]]:
    """Return the executions of a request's name, the oldest first."""
    known = () if connected is None else (connected.process, *connected.alive)
    found = []
    for row in reversed(NEWEST.rows(connection, {"name": identity.scope})):
        # A key may have stood for another kind of work: then its content is another one, which is all that counts.
        is_there = row.job is not None and row.deleted_at is None and row.kind == kind.name
        job = read_job(kind, row.job_id, row.job) if is_there else None
        found.append(
            VideoExecution(
                id=row.id,
                content=row.content,
                attempts=row.attempts,
                began_at=row.began_at,
                is_answered=bool(row.is_answered),
                waited_by=row.holder,
                alive_until=row.alive_until,
                job=job,
                is_readable=job is not None or not is_there,
                is_called_off=bool(row.is_called_off),
                is_waited_for=row.holder is not None and (row.holder in known or row.alive_until > there),
            )
        )
    return found


def left_behind(
    found: Sequence[VideoExecution[J]], connected: ConnectedProcess, now: float, there: float
) -> VideoExecution[J] | None:
    """Return the execution that a first attempt joins: its client has hung up, and was given nothing.

    Raises:
        Undecided: the connections of one are those of a process that may be dead.
    """
    open_ones = [one for one in found if one.may_be_joined_anew(now - connected.window)]
    if joined := pick(open_ones, RetryInfo()):
        return joined
    known = (connected.process, *connected.alive)
    doubtful = [one for one in open_ones if one.waited_by not in known]
    if doubtful:
        raise Undecided(str(doubtful[-1].waited_by), until=now + doubtful[-1].alive_until - there)
    return None


def repeated(found: Sequence[VideoExecution[J]], identity: RequestIdentity, there: float) -> VideoExecution[J] | None:
    """Return the earlier execution of a retry, or of a key. A refused one is returned too: the request begins anew.

    Raises:
        InvalidRequest: with the code `idempotency_key_reused`.
        NotFound: the video of the key was deleted.
        StorageFailed: a newer version wrote the job.
    """
    young = [one for one in found if one.may_be_repeated(identity.keep_seconds, there)]
    joined = pick(young, identity.repeat)
    if joined is None:
        return None
    if not joined.is_readable:
        raise StorageFailed("The job of this request was written by a newer server. Ask again shortly.")
    if not is_same_content(joined.content, identity.content):
        raise key_reused()
    if joined.job is None and identity.has_key:
        raise NotFound("The answer of this Idempotency-Key was deleted.")
    return None if joined.job is None else joined


def remember(
    connection: Connection,
    identity: RequestIdentity,
    job_id: str,
    connected: ConnectedProcess | None,
    there: float,
) -> None:
    """Remember that a new job answers a request."""
    window = 0.0 if connected is None else connected.window
    row = {
        "id": job_id,
        "scope": identity.scope,
        "content": identity.content,
        "standing": ExecutionStatus.ANSWERED,
        "attempts": identity.repeat.count,
        "began_at": there,
        "expires_at": there + identity.keep_seconds + window,
        "holder": None if connected is None else connected.process,
        "job_id": job_id,
    }
    ADDING.run(connection, row)


def check_without_job(connection: Connection, identity: RequestIdentity, there: float) -> None:
    """Look for an execution of a request's name that has no job. Nothing is made a second time.

    Such a one is of a request for pictures with the same key; or an older version, in which pictures in the background
    had no job, has begun the request.

    Raises:
        InvalidRequest: with the code `idempotency_key_reused`.
        AnswerLost: an older version has begun the request.
    """
    is_there = (EXECUTIONS.c.scope == identity.scope, EXECUTIONS.c.job_id.is_(None), EXECUTIONS.c.expires_at > there)
    content = connection.execute(select(EXECUTIONS.c.content).where(*is_there).limit(1)).scalar_one_or_none()
    if content is None:
        return
    if not is_same_content(content, identity.content):
        raise key_reused()
    raise AnswerLost("An older version of this server has begun this request. Look its response up by its id.")


def join(
    connection: Connection,
    joined: VideoExecution[J],
    identity: RequestIdentity,
    connected: ConnectedProcess | None,
) -> None:
    """Remember that a request was joined to an execution."""
    waited_by = joined.waited_by if connected is None else connected.process
    attempts = max(joined.attempts, identity.repeat.count)
    if (waited_by, attempts) != (joined.waited_by, joined.attempts):
        joining = update(EXECUTIONS).where(EXECUTIONS.c.id == joined.id)
        connection.execute(joining.values(holder=waited_by, attempts=attempts))


def forget(connection: Connection, refused: VideoExecution[J]) -> None:
    """Forget an execution that was refused: its retry, which is executed now, stands for it."""
    connection.execute(delete(EXECUTIONS).where(EXECUTIONS.c.id == refused.id))
