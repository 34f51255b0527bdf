"""The answers that can be looked up. Rows become replies here and nowhere else."""

from collections.abc import Collection, Sequence

import msgspec
import structlog
from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from adapter.database.engine import Database, reading, writing
from adapter.database.tables import REPLIES
from adapter.domain.records import Remains
from adapter.domain.replies import LIVE, Reply

log = structlog.get_logger()

#: What the id of a drawn picture begins with; the reply's key follows.
DRAWN_PREFIX = "ig_"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Reply)


class SqlReplyStore:
    """Replies in a database (the port `ReplyStore`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, reply: Reply) -> bool:
        """Remember a new reply (the port of that name)."""
        columns = {name: getattr(reply, name) for name in ("key", "owner", "stem", "created_at", "expires_at")}
        try:
            async with writing(self._database) as connection:
                await connection.execute(REPLIES.insert().values(**columns, **_state(reply)))
        except IntegrityError:
            return False
        return True

    async def save(self, reply: Reply) -> bool:
        """Write the next state of a live reply (the port of that name)."""
        is_live = and_(REPLIES.c.status.in_(LIVE), REPLIES.c.deleted_at.is_(None))
        writing_it = update(REPLIES).where(REPLIES.c.key == reply.key, is_live).values(**_state(reply))
        async with writing(self._database) as connection:
            return (await connection.execute(writing_it)).rowcount == 1

    async def find(self, key: str, owner: str, *, now: float) -> Reply | None:
        """Return a reply to its owner (the port of that name)."""
        async with reading(self._database) as connection:
            found = await connection.execute(select(REPLIES.c.document).where(_is(key, owner, now)))
            document = found.scalar_one_or_none()
        reply = None if document is None else _read(key, document)
        return reply and reply.seen(now)

    async def locate(self, picture_id: str, owner: str, *, now: float) -> str | None:
        """Return the name of a reply's picture (the port of that name)."""
        if not picture_id.startswith(DRAWN_PREFIX):
            return None
        reply = await self.find(picture_id.removeprefix(DRAWN_PREFIX), owner, now=now)
        return reply.drawn.name if reply and reply.drawn else None

    async def delete(self, key: str, owner: str, *, now: float) -> Reply | None:
        """Hide a reply (the port of that name)."""
        hiding = update(REPLIES).where(_is(key, owner, now)).values(deleted_at=now).returning(REPLIES.c.document)
        async with writing(self._database) as connection:
            document = (await connection.execute(hiding)).scalar_one_or_none()
        return None if document is None else _read(key, document)

    async def keeps(self, stems: Collection[str]) -> Collection[str]:
        """Return the stems that are replies' (the port of that name)."""
        async with reading(self._database) as connection:
            return set((await connection.execute(select(REPLIES.c.stem).where(REPLIES.c.stem.in_(stems)))).scalars())

    async def remains(self, *, before: float, limit: int) -> Sequence[Remains]:
        """Return what was deleted or has expired (the port of that name)."""
        is_gone = or_(REPLIES.c.deleted_at < before, REPLIES.c.expires_at < before)
        async with reading(self._database) as connection:
            rows = await connection.execute(select(REPLIES.c.key, REPLIES.c.document).where(is_gone).limit(limit))
            return [Remains(key, _files(_read(key, document))) for key, document in rows]

    async def forget(self, ids: Collection[str]) -> None:
        """Remove rows (the port of that name)."""
        async with writing(self._database) as connection:
            await connection.execute(delete(REPLIES).where(REPLIES.c.key.in_(ids)))


def _is(key: str, owner: str, now: float) -> ColumnElement[bool]:
    is_there = and_(REPLIES.c.deleted_at.is_(None), REPLIES.c.expires_at > now)
    return and_(REPLIES.c.key == key, REPLIES.c.owner == owner, is_there)


def _state(reply: Reply) -> dict[str, object]:
    return {"status": reply.status, "document": _encoder.encode(reply)}


def _read(key: str, document: bytes) -> Reply | None:
    """Return a row's reply; a row that cannot be read stops no other one."""
    try:
        return _decoder.decode(document)
    except msgspec.DecodeError as error:
        log.error("replies.unreadable", key=key, error=str(error))  # noqa: TRY400 - the text says where
        return None


def _files(reply: Reply | None) -> tuple[str, ...]:
    return (reply.drawn.name,) if reply and reply.drawn else ()
