"""The job store. Rows become jobs here and nowhere else."""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Generic

import msgspec
import structlog
from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Float,
    FromClause,
    Integer,
    Row,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from adapter.database.engine import Database, advisory_lock
from adapter.database.paging import in_order, is_behind
from adapter.database.prepared import Prepared
from adapter.database.tables import EXECUTIONS, JOBS
from adapter.database.write_queue import WriteTurn
from adapter.domain.executions import ConnectedProcess, RequestIdentity
from adapter.domain.job import LIVE, Job, JobState, VideoJob
from adapter.domain.job_kinds import VIDEO, J, JobKind
from adapter.domain.ports import Claim, Quotas, UsageRecorder, Write
from adapter.domain.quotas import NoQuotas
from adapter.domain.telemetry import NoUsage
from adapter.jobs import video_executions
from adapter.jobs.documents import read_any, read_job
from adapter.jobs.processes import keep_alive
from adapter.jobs.video_executions import VideoExecution

log = structlog.get_logger()

#: Longer than any pause or lease.
FAR_SECONDS = 660.0
#: The estimate of a model's duration is the mean of its last so many videos.
MEASURED_LAST = 20
#: Jobs that are read at once without a thread: a file gives so many in less time than the change of threads takes.
LOOKED_UP = 8
#: The states in which a job may be what its account's credits change for: all that are live but the first.
UNDER_WAY = tuple(state for state in LIVE if state is not JobState.ACCEPTED)
OVER = (JobState.COMPLETED, JobState.FAILED)

#: The columns that say what a job is, and those that each step may change.
FIXED = ("id", "owner", "model", "created_at", "stem")
CHANGING = ("state", "finished_at", "took_seconds", "document")

#: One prepared statement for a whole batch: 100 polled jobs are written by one call to the database.
WRITING = Prepared(
    update(JOBS)
    .where(JOBS.c.id == bindparam("job"))
    .values({name: bindparam(name) for name in ("due_at", "claim", *CHANGING)})
)
#: Locked in the order of the ids, as everywhere: two transactions must not wait for each other.
HOLDING = Prepared(
    select(JOBS.c.id, JOBS.c.claim, JOBS.c.deleted_at, JOBS.c.state)
    .where(JOBS.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(JOBS.c.id)
    .with_for_update()
)
#: A write that is late may have stored a file after all files of the job were deleted. Whoever is deleting them at
#: this moment loses the job.
DISCARDING_AGAIN = Prepared(
    update(JOBS).where(JOBS.c.id == bindparam("job")).values(due_at=bindparam("due_at"), claim=null())
)
#: A job that is over has no `due_at` and gets none.
KEEPING = Prepared(
    update(JOBS)
    .where(JOBS.c.id == bindparam("job"), JOBS.c.claim == bindparam("token"), JOBS.c.due_at.is_not(None))
    .values(due_at=bindparam("lease_end"))
)
RELEASING = Prepared(
    update(EXECUTIONS)
    .where(EXECUTIONS.c.id == bindparam("job"))
    .values(
        holder=case((EXECUTIONS.c.holder == bindparam("process"), null()), else_=EXECUTIONS.c.holder),
        answered_at=func.coalesce(EXECUTIONS.c.answered_at, bindparam("at", type_=Float())),
    )
)
DELIVERING = Prepared(
    update(JOBS)
    .where(JOBS.c.id == bindparam("job"), JOBS.c.delivered_at.is_(None))
    .values(delivered_at=bindparam("at"))
)
ADDING = Prepared(
    JOBS.insert().values(fingerprint="", **{name: bindparam(name) for name in ("kind", "due_at", *FIXED, *CHANGING)})
)
MANY = Prepared(select(JOBS.c.kind, JOBS.c.id, JOBS.c.document).where(JOBS.c.id.in_(bindparam("ids", expanding=True))))


class _Stemmed(msgspec.Struct):
    stem: str


_encoder = msgspec.json.Encoder()
_stem_decoder = msgspec.json.Decoder(_Stemmed)


class SqlJobStore(Generic[J]):
    """The jobs of one kind in a database (the port `JobStore`)."""

    def __init__(
        self,
        database: Database,
        kind: JobKind[J] = VIDEO,  # type: ignore[assignment] # J's default
        usage: UsageRecorder | None = None,
        quotas: Quotas | None = None,
    ) -> None:
        self._database = database
        self._quotas = quotas or NoQuotas()
        self._usage = usage or NoUsage()
        self._kind = kind
        self._is_ours = JOBS.c.kind == kind.name
        # A token has to be unlike all others, and may be guessed. A random one costs 0.04 ms more.
        self._name, self._tokens = secrets.token_hex(8), count()
        getting = select(JOBS.c.document).where(JOBS.c.id == bindparam("job"), self._is_ours)
        self._getting = Prepared(getting)
        self._finding = Prepared(getting.where(_is_owned(bindparam("owner"))))
        self._asking = Prepared(_due(self._is_ours, _waiting))
        self._claiming = Prepared(_claiming(self._is_ours))

    async def admit(
        self,
        job: J,
        *,
        now: float,
        identity: RequestIdentity | None = None,
        connected: ConnectedProcess | None = None,
    ) -> J:
        """Remember a new job or return the one that the request joins (the port of that name)."""
        there = self._there(now)
        if identity is not None:
            job = msgspec.structs.replace(job, key=identity.key)
        row = {"kind": self._kind.name, **_identity(job), "due_at": there, **_columns(job)}

        def admit(connection: Connection) -> J:
            if identity is not None:
                advisory_lock(connection, f"request {identity.scope}")
                found = self._found(connection, identity, connected, now)
                if found is not None:
                    if (served := self._joined(connection, found, identity, connected, now)) is not None:
                        return served
                    video_executions.forget(connection, found)
            accepted = self._charged(connection, job, identity)
            ADDING.run(connection, row if accepted is job else {**row, **_columns(accepted)})
            self._usage.record_in(connection, job.spending(identity.key if identity else None))
            if identity is not None:
                video_executions.remember(connection, identity, job.id, connected, there)
            if connected is not None:
                keep_alive(connection, connected, there)
            return accepted

        return await self._database.accept(admit, owner=job.owner)

    def _charged(self, connection: Connection, job: J, identity: RequestIdentity | None) -> J:
        """Take what a new job needs of the limits of its key."""
        if identity is None or not identity.allowance.is_limited:
            return job
        charge = self._quotas.take_in(connection, job.spending(identity.key), identity.allowance)
        return msgspec.structs.replace(job, charge=charge)

    async def recall(
        self, identity: RequestIdentity, *, now: float, connected: ConnectedProcess | None = None
    ) -> J | None:
        """Return the job of an earlier attempt of a request (the port of that name)."""

        def recall(connection: Connection) -> J | None:
            found = self._found(connection, identity, connected, now)
            return None if found is None else self._joined(connection, found, identity, connected, now)

        return await self._database.write(recall, WriteTurn.NEW, identity.owner)

    def _joined(
        self,
        connection: Connection,
        found: VideoExecution[J],
        identity: RequestIdentity,
        connected: ConnectedProcess | None,
        now: float,
    ) -> J | None:
        """Join a request to an execution and return its job; None: it was refused, so it is executed anew."""
        if found.is_refused:
            return None
        video_executions.join(connection, found, identity, connected)
        if connected is not None:
            keep_alive(connection, connected, self._there(now))
        return found.job

    def _found(
        self, connection: Connection, identity: RequestIdentity, connected: ConnectedProcess | None, now: float
    ) -> VideoExecution[J] | None:
        if not identity.is_repetition and connected is None:
            return None
        there = self._there(now)
        found = video_executions.find(connection, self._kind, identity, connected, there)
        if not found and identity.is_repetition:
            video_executions.check_without_job(connection, identity, there)
        if connected is None or identity.is_repetition:
            return video_executions.repeated(found, identity, there)
        return video_executions.left_behind(found, connected, now, there)

    async def release(self, job_id: str, process: str, *, answered_at: float | None) -> None:
        """Note that no connection of a process waits for a job (the port of that name)."""
        values = {"job": job_id, "process": process, "at": answered_at}
        await self._database.write(lambda connection: RELEASING.run(connection, values))

    async def get(self, job_id: str) -> J | None:
        """Return a job as last saved (the port of that name)."""
        if not _is_text(job_id):
            return None
        return await self._look_up(job_id, self._getting, {"job": job_id})

    async def get_many(self, job_ids: Collection[str]) -> Sequence[Job]:
        """Return jobs of any kind as last saved (the port of that name)."""
        asked = {"ids": list(job_ids)}
        ask = self._database.look_up if len(job_ids) <= LOOKED_UP else self._database.read
        rows = await ask(lambda connection: MANY.rows(connection, asked))
        return [job for row in rows if (job := read_any(*row)) is not None]

    async def find(self, job_id: str, owner: str) -> J | None:
        """Return a job to its owner (the port of that name)."""
        if not _is_text(job_id):
            return None
        return await self._look_up(job_id, self._finding, {"job": job_id, "owner": owner})

    async def _look_up(self, job_id: str, statement: Prepared, asked: Mapping[str, object]) -> J | None:
        rows = await self._database.look_up(lambda connection: statement.rows(connection, asked))
        return self._read(job_id, rows[0].document) if rows else None

    async def list(self, owner: str, *, after: J | None, limit: int, newest_first: bool) -> Sequence[J]:
        """Return the next jobs of an owner (the port of that name)."""
        listed = select(JOBS.c.id, JOBS.c.document, JOBS.c.created_at).where(self._is_ours, _is_owned(owner))
        listed = listed.order_by(*in_order(JOBS, newest_first=newest_first))

        def look(connection: Connection) -> Sequence[J]:
            last = None if after is None else (after.created_at, after.id)
            jobs: list[J] = []
            while (lacking := limit - len(jobs)) > 0:
                page = listed if last is None else listed.where(is_behind(JOBS, last, newest_first=newest_first))
                rows = connection.execute(page.limit(lacking)).all()
                jobs += [job for job_id, document, _ in rows if (job := self._read(job_id, document)) is not None]
                if len(rows) < lacking:
                    break
                # A row that cannot be read makes no page shorter: that would look like the end of the list.
                last = rows[-1].created_at, rows[-1].id
            return jobs

        return await self._database.read(look)

    async def delete(self, job_id: str, owner: str, *, now: float) -> bool:
        """Hide a job (the port of that name). The lease of a live one stays: a process may be moving it."""
        if not _is_text(job_id):
            return False
        due_at = case((JOBS.c.state.in_(LIVE), JOBS.c.due_at), else_=self._there(now))
        hiding = (
            update(JOBS)
            .where(JOBS.c.id == job_id, self._is_ours, _is_owned(owner))
            .values(deleted_at=now, due_at=due_at)
        )
        return await self._database.write(lambda connection: connection.execute(hiding).rowcount) == 1

    async def cancel(self, job_id: str, *, now: float) -> bool:
        """Cancel a live job (the port of that name)."""
        calling_off = update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state.in_(LIVE)).values(cancelled_at=now)
        return await self._database.write(lambda connection: connection.execute(calling_off).rowcount) == 1

    async def recent(self, limit: int) -> Sequence[J]:
        """Return the newest jobs (the port of that name)."""
        newest = select(JOBS.c.id, JOBS.c.document).where(self._is_ours).order_by(JOBS.c.created_at.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(newest).all())
        return [job for row in rows if (job := self._read(*row)) is not None]

    async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim[J]]:
        """Take due jobs (the port of that name): the same UPDATE finds, fences and returns them.

        Whether there are any is looked up first: most rounds find none, and a look-up is no transaction.
        """
        at = self._there(now)
        due = {"at": at, "far": at + FAR_SECONDS, "held": list(held), "most": limit}
        if not await self._database.look_up(lambda connection: self._asking.rows(connection, {**due, "most": 1})):
            return []
        token = f"{self._name}{next(self._tokens):016x}"
        values = {**due, "lease_end": at + lease, "token": token}
        rows = await self._database.write(lambda it: self._claiming.rows(it, values), WriteTurn.CLAIM)
        return [Claim(job, token, bool(unwanted)) for *row, unwanted in rows if (job := self._read(*row)) is not None]

    async def renew(self, claims: Iterable[Claim[J]], *, due_at: float) -> None:
        """Keep claims (the port of that name)."""
        there = self._there(due_at)
        ordered = sorted(claims, key=lambda claim: claim.job.id)
        held = [{"job": claim.job.id, "token": claim.token, "lease_end": there} for claim in ordered]
        if held:
            await self._database.write(lambda connection: KEEPING.run_each(connection, held), WriteTurn.LEASE)

    async def save(self, writes: Sequence[Write[J]]) -> Sequence[J]:
        """Write claimed jobs in one transaction (the port of that name)."""
        tokens = {write.job.id: write.claim.token for write in writes}

        def save(connection: Connection) -> Sequence[J]:
            rows = HOLDING.rows(connection, {"ids": list(tokens)})
            held = {row.id: row for row in rows if row.claim == tokens[row.id]}
            self._discard_again(connection, [row for row in rows if row.id not in held])
            kept = [write for write in writes if write.job.id in held]
            if kept:
                WRITING.run_each(connection, [self._row(write, held[write.job.id].deleted_at) for write in kept])
                ended = [write.job for write in kept if write.job.is_over and held[write.job.id].state in LIVE]
                if ended:
                    self._usage.finished_in(connection, [job.finished() for job in ended])
                self._database.changes.notify(connection, [write.job.id for write in kept if _can_be_seen(write)])
                self._give_back(connection, [write.job for write in kept])
            return [write.job for write in kept]

        return await self._database.write(save)

    def _discard_again(self, connection: Connection, lost: Sequence[Row[Any]]) -> None:
        """Have the files of deleted jobs deleted once more, whose claims were lost."""
        over = [row for row in lost if row.deleted_at is not None and row.state in OVER]
        if over:
            due = [{"job": row.id, "due_at": self._there(row.deleted_at)} for row in over]
            DISCARDING_AGAIN.run_each(connection, due)

    async def replace(self, seen: J, moved: J, *, now: float) -> bool:
        """Write a job without a claim (the port of that name)."""
        there = select(JOBS.c.document, JOBS.c.deleted_at).where(JOBS.c.id == seen.id).with_for_update()
        writing_over = update(JOBS).where(JOBS.c.id == seen.id)

        def replace(connection: Connection) -> bool:
            found = connection.execute(there).one_or_none()
            if found is None or self._read(seen.id, found.document) != seen:
                return False
            is_done = moved.is_over and found.deleted_at is None
            due_at = None if is_done else self._there(now)
            columns = {"claim": secrets.token_hex(16), "due_at": due_at, **_columns(moved)}
            connection.execute(writing_over.values(**columns))
            if moved.is_over and not seen.is_over:
                self._usage.finished_in(connection, [moved.finished()])
            self._database.changes.notify(connection, [seen.id])
            self._give_back(connection, [moved])
            return True

        return await self._database.write(replace)

    def _give_back(self, connection: Connection, moved: Sequence[J]) -> None:
        """Give back what jobs that are over took too much. Their documents do not have it any more."""
        if over := [job.excess for job in moved if job.charge is not None]:
            self._quotas.give_in(connection, [excess for excess in over if excess is not None])

    async def neighbours(self, job: J, *, since: float, refunds_since: float) -> Collection[str]:
        """Return the ids of jobs that may have changed the account's credits (the port of that name)."""
        # Each part names states, so that one index answers all of it.
        ended_late = and_(JOBS.c.state.in_(OVER), JOBS.c.finished_at >= since)
        failed_late = and_(JOBS.c.state == JobState.FAILED, JOBS.c.finished_at >= refunds_since)
        moving = or_(JOBS.c.state.in_(UNDER_WAY), ended_late, failed_late)
        # The kind is compared here: SQLite would choose an index by it, which gives nearly the whole table.
        near = select(JOBS.c.id, JOBS.c.document, JOBS.c.kind).where(JOBS.c.id != job.id, moving)
        rows = await self._database.read(lambda connection: connection.execute(near).all())
        ours = ((job_id, document) for job_id, document, kind in rows if kind == self._kind.name)
        return {job_id for job_id, document in ours if _may_share(job, job_id, document)}

    async def unwanted(self, job_ids: Collection[str]) -> Mapping[str, str]:
        """Return those of some jobs that are unwanted, with the reason: deleted or cancelled."""
        why = case((JOBS.c.deleted_at.is_not(None), "deleted"), else_="cancelled")
        is_unwanted = func.coalesce(JOBS.c.deleted_at, JOBS.c.cancelled_at).is_not(None)
        found = select(JOBS.c.id, why).where(JOBS.c.id.in_(job_ids), is_unwanted)
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return {job_id: str(word) for job_id, word in rows}

    async def forget(self, claim: Claim[J]) -> None:
        """Note that the files of a deleted job are gone (the port of that name)."""
        done = update(JOBS).where(JOBS.c.id == claim.job.id, JOBS.c.claim == claim.token).values(due_at=None)
        await self._database.write(lambda connection: connection.execute(done))

    async def mark_delivered(self, job_id: str, *, now: float) -> None:
        """Note that the video was handed over (the port of that name)."""
        values = {"job": job_id, "at": now}
        await self._database.write(lambda connection: DELIVERING.run(connection, values))

    async def needed(
        self, stems: Collection[str], *, fresh_since: float, waiting_since: float, given_since: float
    ) -> Collection[str]:
        """Return the stems whose files have to stay (the port of that name)."""
        fresh = and_(JOBS.c.state == JobState.COMPLETED, JOBS.c.finished_at > fresh_since)
        given_late = and_(JOBS.c.finished_at <= given_since, JOBS.c.delivered_at > given_since)
        # A process of an older version writes no stem.
        asked = or_(JOBS.c.stem.in_(stems), JOBS.c.stem.is_(None))
        staying = select(JOBS.c.id, JOBS.c.document).where(asked, or_(_is_wanted(waiting_since), fresh, given_late))
        rows = await self._database.read(lambda connection: connection.execute(staying).all())
        return {found for row in rows if (found := _read_stem(*row)) is not None}.intersection(stems)

    async def measured_seconds(self, model: str) -> float | None:
        """Return the mean duration of a model's last videos (the port of that name)."""
        asked = {"measured": model}
        [(mean,)] = await self._database.look_up(lambda connection: MEASURING.rows(connection, asked))
        return None if mean is None else float(mean)

    def _read(self, job_id: str, document: bytes) -> J | None:
        return read_job(self._kind, job_id, document)

    def _there(self, at: float) -> float:
        """Return a time of this machine as the database's clock has it: leases are compared between machines."""
        return at + self._database.clock_offset

    def _row(self, write: Write[J], deleted_at: float | None) -> dict[str, object]:
        due_at = deleted_at if write.job.is_over else write.due_at
        there = None if due_at is None else self._there(due_at)
        # Else a renewal that was under way would put off what the write has just settled.
        claim = write.claim.token if write.keeps_claim else None
        return {"job": write.job.id, "due_at": there, "claim": claim, **_columns(write.job)}


def _measuring() -> Select[Any]:
    """Return the query of a model's mean duration."""
    last = (
        select(JOBS.c.took_seconds)
        .where(JOBS.c.model == bindparam("measured"), JOBS.c.took_seconds.is_not(None))
        .order_by(JOBS.c.finished_at.desc())
        .limit(MEASURED_LAST)
        .subquery()
    )
    return select(func.avg(last.c.took_seconds))


MEASURING = Prepared(_measuring())


def _claiming(is_ours: ColumnElement[bool]) -> ReturningUpdate[Any]:
    """Return the statement that claims jobs of a kind."""
    return (
        update(JOBS)
        .where(JOBS.c.id.in_(_due(is_ours, _taken)))
        .values(due_at=bindparam("lease_end"), claim=bindparam("token"))
        .returning(JOBS.c.id, JOBS.c.document, func.coalesce(JOBS.c.deleted_at, JOBS.c.cancelled_at).is_not(None))
    )


def _due(is_ours: ColumnElement[bool], part: Callable[[str, ColumnElement[bool]], FromClause]) -> CompoundSelect[Any]:
    """Return the query of the jobs of a kind that are due; `part` makes its parts."""
    # Two ranges of one index. Asked for together, all that are waiting would be read between them.
    due = part("due", and_(is_ours, JOBS.c.due_at <= bindparam("at")))
    # Nothing is ever put off so far; a clock that was set back would else hide the job until it catches up.
    hidden = part("hidden", and_(is_ours, JOBS.c.due_at > bindparam("far")))
    both = select(due.c.id).union_all(select(hidden.c.id))
    return both.limit(bindparam("most", type_=Integer()))


def _waiting(name: str, is_due: ColumnElement[bool]) -> Subquery:
    """Return jobs that can be claimed."""
    return _free(is_due).subquery(name)


def _taken(name: str, is_due: ColumnElement[bool]) -> CTE:
    """Return jobs that are to be claimed, locked on the way."""
    return (
        _free(is_due)
        .with_for_update(skip_locked=True)  # SQLite has one writer at a time, and no such words
        .cte(name)
        .prefix_with("MATERIALIZED")  # else a plan may look again, and lock more than `limit`
    )


def _free(is_due: ColumnElement[bool]) -> Select[Any]:
    return (
        select(JOBS.c.id)
        .where(is_due, JOBS.c.id.not_in(bindparam("held", expanding=True)))
        .order_by(JOBS.c.due_at)
        .limit(bindparam("most", type_=Integer()))
    )


def _is_owned(owner: str | BindParameter[str]) -> ColumnElement[bool]:
    return and_(JOBS.c.owner == owner, JOBS.c.deleted_at.is_(None))


def _is_text(job_id: str) -> bool:
    """Say whether a job may have this id; PostgreSQL refuses a NUL in any text."""
    return "\0" not in job_id


def _is_wanted(since: float) -> ColumnElement[bool]:
    """Live, or completed after that time and not delivered yet."""
    undelivered = and_(JOBS.c.state == JobState.COMPLETED, JOBS.c.delivered_at.is_(None), JOBS.c.finished_at > since)
    return or_(JOBS.c.state.in_(LIVE), undelivered)


def _can_be_seen(write: Write[J]) -> bool:
    """Say whether a reader could see the difference to what the claim found, which may not be the last write."""
    return write.job.is_news_to(write.claim.job)


def _read_stem(job_id: str, document: bytes) -> str | None:
    """Return the stem alone: a job that a newer version wrote has files all the same."""
    try:
        return _stem_decoder.decode(document).stem
    except msgspec.DecodeError as error:
        log.error("jobs.unreadable", job_id=job_id, error=str(error))  # noqa: TRY400 - the text says where
        return None


def _may_share(job: Job, job_id: str, document: bytes) -> bool:
    """Say whether a row's job may be one of the same account: one that cannot be read may be any."""
    other = read_job(VIDEO, job_id, document)
    if other is None or not isinstance(job, VideoJob):
        return True
    return (other.account, other.order.provider) == (job.account, job.order.provider)


def _identity(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "owner": job.owner,
        "model": job.upstream_model,
        "created_at": job.created_at,
        "stem": job.stem,
    }


def _columns(job: Job) -> dict[str, object]:
    return {
        "state": job.state,
        "finished_at": job.finished_at,
        "took_seconds": job.took_seconds,
        "document": _encoder.encode(job if job.charge is None or not job.is_over else _settled(job)),
    }


def _settled(job: Job) -> Job:
    """Return a job that is over without what it took: the transaction that writes it gives back what is too much."""
    return msgspec.structs.replace(job, charge=None)
