"""The job store. Rows become jobs here and nowhere else."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Generic

import msgspec
import structlog
from sqlalchemy import CTE, ColumnElement, and_, bindparam, case, func, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapter.database.engine import Database, accepting, advisory_lock, reading, writing
from adapter.database.paging import in_order, is_behind
from adapter.database.tables import EXECUTIONS, JOBS
from adapter.database.write_queue import WriteTurn
from adapter.domain.executions import ConnectedProcess, RequestIdentity
from adapter.domain.job import LIVE, Job, JobState, VideoJob
from adapter.domain.job_kinds import VIDEO, J, JobKind
from adapter.domain.ports import Claim, UsageRecorder, Write
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
#: The states in which a job may be what its account's credits change for: all that are live but the first.
UNDER_WAY = tuple(state for state in LIVE if state is not JobState.ACCEPTED)
OVER = (JobState.COMPLETED, JobState.FAILED)

#: One prepared statement for a whole batch: 100 polled jobs are written by one call to the database.
WRITING = (
    update(JOBS)
    .where(JOBS.c.id == bindparam("job"))
    .values({name: bindparam(name) for name in ("due_at", "claim", "state", "finished_at", "took_seconds", "document")})
)
#: One prepared statement for however many.
MANY = select(JOBS.c.kind, JOBS.c.id, JOBS.c.document).where(JOBS.c.id.in_(bindparam("ids", expanding=True)))


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
    ) -> None:
        self._database = database
        self._usage = usage or NoUsage()
        self._kind = kind
        self._is_ours = JOBS.c.kind == kind.name

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
        async with accepting(self._database, owner=job.owner) as connection:
            if identity is not None:
                await advisory_lock(connection, f"request {identity.scope}")
                found = await self._found(connection, identity, connected, now)
                if found is not None:
                    if (served := await self._joined(connection, found, identity, connected, now)) is not None:
                        return served
                    await video_executions.forget(connection, found)
            await connection.execute(
                JOBS.insert().values(kind=self._kind.name, **_identity(job), due_at=there, **_columns(job))
            )
            await self._usage.record(job.spending(identity.key if identity else None), connection)
            if identity is not None:
                await video_executions.remember(connection, identity, job.id, connected, there)
            if connected is not None:
                await keep_alive(connection, connected, there)
        return job

    async def recall(
        self, identity: RequestIdentity, *, now: float, connected: ConnectedProcess | None = None
    ) -> J | None:
        """Return the job of an earlier attempt of a request (the port of that name)."""
        async with writing(self._database, WriteTurn.NEW, identity.owner) as connection:
            found = await self._found(connection, identity, connected, now)
            return None if found is None else await self._joined(connection, found, identity, connected, now)

    async def _joined(
        self,
        connection: AsyncConnection,
        found: VideoExecution[J],
        identity: RequestIdentity,
        connected: ConnectedProcess | None,
        now: float,
    ) -> J | None:
        """Join a request to an execution and return its job; None: it was refused, so it is executed anew."""
        if found.is_refused:
            return None
        await video_executions.join(connection, found, identity, connected)
        if connected is not None:
            await keep_alive(connection, connected, self._there(now))
        return found.job

    async def _found(
        self, connection: AsyncConnection, identity: RequestIdentity, connected: ConnectedProcess | None, now: float
    ) -> VideoExecution[J] | None:
        if not identity.is_repetition and connected is None:
            return None
        there = self._there(now)
        found = await video_executions.find(connection, self._kind, identity, connected, there)
        if not found and identity.is_repetition:
            await video_executions.check_without_job(connection, identity, there)
        if connected is None or identity.is_repetition:
            return video_executions.repeated(found, identity, there)
        return video_executions.left_behind(found, connected, now, there)

    async def release(self, job_id: str, process: str, *, answered_at: float | None) -> None:
        """Note that no connection of a process waits for a job (the port of that name)."""
        holder = case((EXECUTIONS.c.holder == process, null()), else_=EXECUTIONS.c.holder)
        first = func.coalesce(EXECUTIONS.c.answered_at, answered_at)
        releasing = update(EXECUTIONS).where(EXECUTIONS.c.id == job_id).values(holder=holder, answered_at=first)
        async with writing(self._database) as connection:
            await connection.execute(releasing)

    async def get(self, job_id: str) -> J | None:
        """Return a job as last saved (the port of that name)."""
        if not _is_text(job_id):
            return None
        async with reading(self._database) as connection:
            found = await connection.execute(select(JOBS.c.document).where(JOBS.c.id == job_id, self._is_ours))
            document = found.scalar_one_or_none()
        return None if document is None else self._read(job_id, document)

    async def get_many(self, job_ids: Collection[str]) -> Sequence[Job]:
        """Return jobs of any kind as last saved (the port of that name)."""
        async with reading(self._database) as connection:
            rows = (await connection.execute(MANY, {"ids": list(job_ids)})).all()
        return [job for row in rows if (job := read_any(*row)) is not None]

    async def find(self, job_id: str, owner: str) -> J | None:
        """Return a job to its owner (the port of that name)."""
        if not _is_text(job_id):
            return None
        async with reading(self._database) as connection:
            found = await connection.execute(
                select(JOBS.c.document).where(JOBS.c.id == job_id, self._is_ours, _is_owned(owner))
            )
            document = found.scalar_one_or_none()
        return None if document is None else self._read(job_id, document)

    async def list(self, owner: str, *, after: J | None, limit: int, newest_first: bool) -> Sequence[J]:
        """Return the next jobs of an owner (the port of that name)."""
        listed = select(JOBS.c.id, JOBS.c.document, JOBS.c.created_at).where(self._is_ours, _is_owned(owner))
        listed = listed.order_by(*in_order(JOBS, newest_first=newest_first))
        last = None if after is None else (after.created_at, after.id)
        jobs: list[J] = []
        async with reading(self._database) as connection:
            while (lacking := limit - len(jobs)) > 0:
                page = listed if last is None else listed.where(is_behind(JOBS, last, newest_first=newest_first))
                rows = (await connection.execute(page.limit(lacking))).all()
                jobs += [job for job_id, document, _ in rows if (job := self._read(job_id, document)) is not None]
                if len(rows) < lacking:
                    break
                # A row that cannot be read makes no page shorter: that would look like the end of the list.
                last = rows[-1].created_at, rows[-1].id
        return jobs

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
        async with writing(self._database) as connection:
            return (await connection.execute(hiding)).rowcount == 1

    async def cancel(self, job_id: str, *, now: float) -> bool:
        """Cancel a live job (the port of that name)."""
        calling_off = update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state.in_(LIVE)).values(cancelled_at=now)
        async with writing(self._database) as connection:
            return (await connection.execute(calling_off)).rowcount == 1

    async def recent(self, limit: int) -> Sequence[J]:
        """Return the newest jobs (the port of that name)."""
        newest = select(JOBS.c.id, JOBS.c.document).where(self._is_ours).order_by(JOBS.c.created_at.desc()).limit(limit)
        async with reading(self._database) as connection:
            rows = (await connection.execute(newest)).all()
        return [job for row in rows if (job := self._read(*row)) is not None]

    async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim[J]]:
        """Take due jobs (the port of that name): the same UPDATE finds, fences and returns them."""
        at = self._there(now)
        # Two ranges of one index. Asked for together, all that are waiting would be read between them.
        due = _taken("due", and_(self._is_ours, JOBS.c.due_at <= at), held, limit)
        # Nothing is ever put off so far; a clock that was set back would else hide the job until it catches up.
        hidden = _taken("hidden", and_(self._is_ours, JOBS.c.due_at > at + FAR_SECONDS), held, limit)
        both = select(due.c.id).union_all(select(hidden.c.id)).limit(limit)
        token = secrets.token_hex(16)
        taking = (
            update(JOBS)
            .where(JOBS.c.id.in_(both))
            .values(due_at=at + lease, claim=token)
            .returning(JOBS.c.id, JOBS.c.document, func.coalesce(JOBS.c.deleted_at, JOBS.c.cancelled_at).is_not(None))
        )
        async with writing(self._database, WriteTurn.CLAIM) as connection:
            rows = (await connection.execute(taking)).all()
        return [Claim(job, token, bool(unwanted)) for *row, unwanted in rows if (job := self._read(*row)) is not None]

    async def renew(self, claims: Iterable[Claim[J]], *, due_at: float) -> None:
        """Keep claims (the port of that name). A job that is over has no `due_at` and gets none."""
        # In one order everywhere: two transactions that lock the same rows must not wait for each other.
        held = sorted(({"job": claim.job.id, "token": claim.token} for claim in claims), key=lambda one: one["job"])
        keeping = (
            update(JOBS)
            .where(JOBS.c.id == bindparam("job"), JOBS.c.claim == bindparam("token"), JOBS.c.due_at.is_not(None))
            .values(due_at=self._there(due_at))
        )
        if held:
            async with writing(self._database, WriteTurn.LEASE) as connection:
                await connection.execute(keeping, held)

    async def save(self, writes: Sequence[Write[J]]) -> Sequence[J]:
        """Write claimed jobs in one transaction (the port of that name)."""
        tokens = {write.job.id: write.claim.token for write in writes}
        columns = (JOBS.c.id, JOBS.c.claim, JOBS.c.deleted_at)
        holding = select(*columns).where(JOBS.c.id.in_(tokens)).order_by(JOBS.c.id).with_for_update()
        async with writing(self._database) as connection:
            rows = await connection.execute(holding)
            held = {job_id: deleted_at for job_id, token, deleted_at in rows if token == tokens[job_id]}
            kept = [write for write in writes if write.job.id in held]
            if kept:
                await connection.execute(WRITING, [self._row(write, held[write.job.id]) for write in kept])
                await self._database.changes.notify(connection, [write.job.id for write in kept if _can_be_seen(write)])
        return [write.job for write in kept]

    async def replace(self, seen: J, moved: J, *, now: float) -> bool:
        """Write a job without a claim (the port of that name)."""
        there = select(JOBS.c.document, JOBS.c.deleted_at).where(JOBS.c.id == seen.id).with_for_update()
        writing_over = update(JOBS).where(JOBS.c.id == seen.id)
        async with writing(self._database) as connection:
            found = (await connection.execute(there)).one_or_none()
            if found is None or self._read(seen.id, found.document) != seen:
                return False
            is_done = moved.is_over and found.deleted_at is None
            due_at = None if is_done else self._there(now)
            columns = {"claim": secrets.token_hex(16), "due_at": due_at, **_columns(moved)}
            await connection.execute(writing_over.values(**columns))
            await self._database.changes.notify(connection, [seen.id])
        return True

    async def neighbours(self, job: J, *, since: float, refunds_since: float) -> Collection[str]:
        """Return the ids of jobs that may have changed the account's credits (the port of that name)."""
        # Each part names states, so that one index answers all of it.
        ended_late = and_(JOBS.c.state.in_(OVER), JOBS.c.finished_at >= since)
        failed_late = and_(JOBS.c.state == JobState.FAILED, JOBS.c.finished_at >= refunds_since)
        moving = or_(JOBS.c.state.in_(UNDER_WAY), ended_late, failed_late)
        # The kind is compared here: SQLite would choose an index by it, which gives nearly the whole table.
        near = select(JOBS.c.id, JOBS.c.document, JOBS.c.kind).where(JOBS.c.id != job.id, moving)
        async with reading(self._database) as connection:
            rows = (await connection.execute(near)).all()
        ours = ((job_id, document) for job_id, document, kind in rows if kind == self._kind.name)
        return {job_id for job_id, document in ours if _may_share(job, job_id, document)}

    async def unwanted(self, job_ids: Collection[str]) -> Mapping[str, str]:
        """Return those of some jobs that are unwanted, with the reason: deleted or cancelled."""
        why = case((JOBS.c.deleted_at.is_not(None), "deleted"), else_="cancelled")
        is_unwanted = func.coalesce(JOBS.c.deleted_at, JOBS.c.cancelled_at).is_not(None)
        async with reading(self._database) as connection:
            rows = await connection.execute(select(JOBS.c.id, why).where(JOBS.c.id.in_(job_ids), is_unwanted))
            return {job_id: str(word) for job_id, word in rows}

    async def forget(self, claim: Claim[J]) -> None:
        """Note that the files of a deleted job are gone (the port of that name)."""
        done = update(JOBS).where(JOBS.c.id == claim.job.id, JOBS.c.claim == claim.token).values(due_at=None)
        async with writing(self._database) as connection:
            await connection.execute(done)

    async def mark_delivered(self, job_id: str, *, now: float) -> None:
        """Note that the video was handed over (the port of that name)."""
        async with writing(self._database) as connection:
            await connection.execute(
                update(JOBS).where(JOBS.c.id == job_id, JOBS.c.delivered_at.is_(None)).values(delivered_at=now)
            )

    async def needed(
        self, stems: Collection[str], *, fresh_since: float, waiting_since: float, given_since: float
    ) -> Collection[str]:
        """Return the stems whose files have to stay (the port of that name)."""
        fresh = and_(JOBS.c.state == JobState.COMPLETED, JOBS.c.finished_at > fresh_since)
        given_late = and_(JOBS.c.finished_at <= given_since, JOBS.c.delivered_at > given_since)
        # A process of an older version writes no stem.
        asked = or_(JOBS.c.stem.in_(stems), JOBS.c.stem.is_(None))
        staying = select(JOBS.c.id, JOBS.c.document).where(asked, or_(_is_wanted(waiting_since), fresh, given_late))
        async with reading(self._database) as connection:
            rows = (await connection.execute(staying)).all()
        return {found for row in rows if (found := _read_stem(*row)) is not None}.intersection(stems)

    async def measured_seconds(self, model: str) -> float | None:
        """Return the mean duration of a model's last videos (the port of that name)."""
        last = (
            select(JOBS.c.took_seconds)
            .where(JOBS.c.model == model, JOBS.c.took_seconds.is_not(None))
            .order_by(JOBS.c.finished_at.desc())
            .limit(MEASURED_LAST)
            .subquery()
        )
        async with reading(self._database) as connection:
            mean = (await connection.execute(select(func.avg(last.c.took_seconds)))).scalar_one()
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


def _taken(name: str, is_due: ColumnElement[bool], held: Collection[str], limit: int) -> CTE:
    """Return jobs that are to be claimed, locked on the way."""
    return (
        select(JOBS.c.id)
        .where(is_due, JOBS.c.id.not_in(held))
        .order_by(JOBS.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has one writer at a time, and no such words
        .cte(name)
        .prefix_with("MATERIALIZED")  # else a plan may look again, and lock more than `limit`
    )


def _is_owned(owner: str) -> ColumnElement[bool]:
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
        "document": _encoder.encode(job),
    }
