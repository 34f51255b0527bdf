"""Stored responses in the database. Rows become responses here and nowhere else."""

from collections.abc import Collection, Sequence

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, and_, delete, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from adapter.database.engine import Database
from adapter.database.tables import JOBS, RESPONSES
from adapter.domain.ids import Id
from adapter.domain.image_job import ImageJob
from adapter.domain.job import LIVE as LIVE_JOBS
from adapter.domain.records import DeletedEntry
from adapter.domain.stored_response import LIVE, StoredResponse

log = structlog.get_logger()

#: A response and the job of its picture. Only pictures in the background have a job.
VIEWED = select(RESPONSES.c.key, RESPONSES.c.document, JOBS.c.document.label("job")).outerjoin(
    JOBS, JOBS.c.id == literal(Id.IMAGE_JOB.value) + RESPONSES.c.key
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(StoredResponse)
_job_decoder = msgspec.json.Decoder(ImageJob)


class SqlResponseStore:
    """Replies in a database (the port `ResponseStore`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, stored: StoredResponse) -> bool:
        """Remember a new reply (the port of that name)."""
        columns = {name: getattr(stored, name) for name in ("key", "owner", "stem", "created_at", "expires_at")}
        adding = RESPONSES.insert().values(**columns, **_state(stored))
        try:
            await self._database.write(lambda connection: connection.execute(adding))
        except IntegrityError:
            return False
        return True

    async def save(self, stored: StoredResponse) -> bool:
        """Write the next state of a live reply (the port of that name)."""
        is_live = and_(RESPONSES.c.status.in_(LIVE), RESPONSES.c.deleted_at.is_(None))
        writing_it = update(RESPONSES).where(RESPONSES.c.key == stored.key, is_live).values(**_state(stored))
        return await self._database.write(lambda connection: connection.execute(writing_it).rowcount) == 1

    async def find(self, key: str, owner: str, *, now: float) -> StoredResponse | None:
        """Return a reply to its owner (the port of that name)."""
        found = VIEWED.where(_is(key, owner, now))
        row = await self._database.read(lambda connection: connection.execute(found).one_or_none())
        stored = None if row is None else _view(*row)
        return stored and stored.seen(now)

    async def locate(self, picture_id: str, owner: str, *, now: float) -> str | None:
        """Return the name of a reply's picture (the port of that name)."""
        key = Id.IMAGE_CALL.key_in(picture_id)
        stored = None if key is None else await self.find(key, owner, now=now)
        return stored.drawn.name if stored and stored.drawn else None

    async def delete(self, key: str, owner: str, *, now: float) -> StoredResponse | None:
        """Hide a reply (the port of that name)."""
        hiding = update(RESPONSES).where(_is(key, owner, now)).values(deleted_at=now).returning(RESPONSES.c.document)
        document = await self._database.write(lambda connection: connection.execute(hiding).scalar_one_or_none())
        return None if document is None else _read(key, document)

    async def keeps(self, stems: Collection[str]) -> Collection[str]:
        """Return the stems that are replies' (the port of that name)."""
        kept = select(RESPONSES.c.stem).where(RESPONSES.c.stem.in_(stems))
        return set(await self._database.read(lambda connection: connection.execute(kept).scalars().all()))

    async def deleted_entries(self, *, before: float, limit: int) -> Sequence[DeletedEntry]:
        """Return what was deleted or has expired (the port of that name)."""
        is_gone = or_(RESPONSES.c.deleted_at < before, RESPONSES.c.expires_at < before)
        gone = VIEWED.where(is_gone).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(gone).all())
        return [DeletedEntry(key, (*_files(_read(key, document)), *_job_files(job))) for key, document, job in rows]

    async def forget(self, ids: Collection[str]) -> None:
        """Remove rows, and those of their jobs (the port of that name)."""
        jobs = [Id.IMAGE_JOB.of(key) for key in ids]
        is_over = JOBS.c.state.not_in(LIVE_JOBS)

        def forget(connection: Connection) -> None:
            connection.execute(delete(RESPONSES).where(RESPONSES.c.key.in_(ids)))
            connection.execute(delete(JOBS).where(JOBS.c.id.in_(jobs), is_over))

        await self._database.write(forget)


def _is(key: str, owner: str, now: float) -> ColumnElement[bool]:
    is_there = and_(RESPONSES.c.deleted_at.is_(None), RESPONSES.c.expires_at > now)
    return and_(RESPONSES.c.key == key, RESPONSES.c.owner == owner, is_there)


def _state(stored: StoredResponse) -> dict[str, object]:
    return {"status": stored.status, "document": _encoder.encode(stored)}


def _read(key: str, document: bytes) -> StoredResponse | None:
    """Return a row's reply; a row that cannot be read stops no other one."""
    try:
        return _decoder.decode(document)
    except msgspec.DecodeError as error:
        log.error("responses.unreadable", key=key, error=str(error))  # noqa: TRY400 - the text says where
        return None


def _view(key: str, document: bytes, job: bytes | None) -> StoredResponse | None:
    stored, image_job = _read(key, document), _read_job(job)
    return stored if stored is None or image_job is None else stored.following_image(image_job)


def _read_job(document: bytes | None) -> ImageJob | None:
    try:
        return None if document is None else _job_decoder.decode(document)
    except msgspec.DecodeError as error:
        log.error("responses.job_unreadable", error=str(error))  # noqa: TRY400 - the text says where
        return None


def _job_files(document: bytes | None) -> tuple[str, ...]:
    job = _read_job(document)
    return () if job is None else job.files


def _files(stored: StoredResponse | None) -> tuple[str, ...]:
    return (stored.drawn.name,) if stored and stored.drawn else ()
