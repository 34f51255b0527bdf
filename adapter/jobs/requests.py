"""The store of requests: which attempt was the first, who holds it, and what came of it."""

from collections.abc import Collection, Sequence

import msgspec
import structlog
from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapter.database.engine import Database, pass_alone, writing
from adapter.database.tables import JOBS, REQUESTS
from adapter.domain.job import LIVE
from adapter.domain.repeats import Asking, Entry, Known, Standing, StoredAnswer

log = structlog.get_logger()

#: Old entries that are forgotten in one transaction.
PRUNED_AT_ONCE = 5000

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(StoredAnswer)


class SqlRequestStore:
    """Requests in a database (the port `RequestStore`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, entry: Entry, *, now: float, lease: float) -> Known | None:
        """Remember a request, or return what is known of its earlier attempt (the port of that name)."""
        there = now + self._database.lead
        earlier = select(REQUESTS).where(REQUESTS.c.scope == entry.scope, REQUESTS.c.expires_at > there)
        async with writing(self._database) as connection:
            await pass_alone(connection, f"request {entry.scope}")
            row = (await connection.execute(earlier)).one_or_none()
            if row is None:
                await put(connection, self._row(entry, there, lease))
                return None
        standing = Standing(row.standing)
        if standing is Standing.RUNNING and row.lease_until <= there:
            standing = Standing.LOST
        answer = _read(row.document)
        return Known(content=row.content, mark=row.mark, began_at=row.began_at, standing=standing, answer=answer)

    async def register(self, entry: Entry, *, now: float, lease: float) -> None:
        """Remember a request in the place of an earlier one (the port of that name)."""
        async with writing(self._database) as connection:
            await pass_alone(connection, f"request {entry.scope}")
            await put(connection, self._row(entry, now + self._database.lead, lease))

    async def renew(self, marks: Collection[str], *, now: float, lease: float) -> None:
        """Keep entries (the port of that name). In one order everywhere, as `SqlJobStore.renew`."""
        until = now + self._database.lead + lease
        keeping = update(REQUESTS).where(REQUESTS.c.mark == bindparam("held")).values(lease_until=until)
        if marks:
            async with writing(self._database) as connection:
                await connection.execute(keeping, [{"held": mark} for mark in sorted(marks)])

    async def finish(self, entry: Entry, answer: StoredAnswer | None) -> bool:
        """Remember how a request was answered (the port of that name)."""
        document = None if answer is None else _encoder.encode(answer)
        standing = Standing.HANDED if answer is None else Standing.ANSWERED
        async with writing(self._database) as connection:
            done = await connection.execute(
                update(REQUESTS).where(_is_ours(entry)).values(standing=standing, document=document)
            )
        return done.rowcount == 1

    async def forget(self, entry: Entry) -> None:
        """Forget a request of which nothing came (the port of that name)."""
        async with writing(self._database) as connection:
            await connection.execute(delete(REQUESTS).where(_is_ours(entry)))

    async def prune(self, *, now: float) -> Sequence[StoredAnswer]:
        """Forget what is too old (the port of that name)."""
        lives = exists().where(JOBS.c.id == REQUESTS.c.job_id, JOBS.c.state.in_(LIVE))
        old = (
            select(REQUESTS.c.scope)
            .where(REQUESTS.c.expires_at <= now + self._database.lead, or_(REQUESTS.c.job_id.is_(None), ~lives))
            .limit(PRUNED_AT_ONCE)
        )
        going = delete(REQUESTS).where(REQUESTS.c.scope.in_(old)).returning(REQUESTS.c.document)
        async with writing(self._database) as connection:
            documents = (await connection.execute(going)).scalars().all()
        return [answer for document in documents if (answer := _read(document)) is not None]

    def _row(self, entry: Entry, there: float, lease: float) -> dict[str, object]:
        return {
            "scope": entry.scope,
            "content": entry.content,
            "mark": entry.mark,
            "standing": Standing.RUNNING,
            "began_at": entry.began_at,
            "lease_until": there + lease,
            "expires_at": there + entry.keep_seconds,
        }


async def job_behind(connection: AsyncConnection, asking: Asking, there: float) -> tuple[str, str, bool] | None:
    """Return the job of a request's earlier attempt: its id, the content of that attempt, and whether it is too old."""
    row = (
        await connection.execute(
            select(REQUESTS.c.job_id, REQUESTS.c.content, REQUESTS.c.expires_at).where(
                REQUESTS.c.scope == asking.scope, REQUESTS.c.job_id.is_not(None)
            )
        )
    ).one_or_none()
    return None if row is None else (row.job_id, row.content, row.expires_at <= there)


async def note_job(connection: AsyncConnection, asking: Asking, job_id: str, there: float) -> None:
    """Remember which job answers a request."""
    row: dict[str, object] = {
        "scope": asking.scope,
        "content": asking.content,
        "mark": "",
        "standing": Standing.ANSWERED,
        "began_at": there,
        "expires_at": there + asking.keep_seconds,
        "job_id": job_id,
    }
    await put(connection, row)


async def put(connection: AsyncConnection, row: dict[str, object]) -> None:
    """Write an entry in the place of an earlier one. Whoever does that has to be alone with its scope."""
    await connection.execute(delete(REQUESTS).where(REQUESTS.c.scope == row["scope"]))
    await connection.execute(REQUESTS.insert().values(**row))


def _read(document: bytes | None) -> StoredAnswer | None:
    """Return a row's answer; one that cannot be read is as one that was not kept."""
    try:
        return None if document is None else _decoder.decode(document)
    except msgspec.DecodeError as error:
        log.error("requests.unreadable", error=str(error))  # noqa: TRY400 - the text says where
        return None


def _is_ours(entry: Entry) -> ColumnElement[bool]:
    return and_(REQUESTS.c.scope == entry.scope, REQUESTS.c.mark == entry.mark)
