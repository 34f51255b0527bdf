"""Owners that were given a name: what belonged to the digest of a key belongs to the name from then on."""

from collections.abc import Collection

import msgspec
import structlog
from sqlalchemy import Connection, Table, bindparam, select, update

from adapter.database.engine import Database
from adapter.database.tables import FILES, JOBS, RESPONSES

log = structlog.get_logger()

#: Rows that are changed in one statement.
BATCH = 500


async def take_over(database: Database, digests: Collection[str], owner: str) -> int:
    """Give everything that belongs to the digests of some keys to an owner, and return how many rows that were.

    It is done in one transaction and may be repeated. Retries of requests that were sent before it do not find their
    first attempt, because the owner is a part of a request's identity.

    Raises:
        StorageFailed: the database does not answer; nothing is changed.
    """

    def move(connection: Connection) -> int:
        documents = sum(_documents(connection, table, digests, owner) for table in (JOBS, RESPONSES))
        files = connection.execute(update(FILES).where(FILES.c.owner.in_(digests)).values(owner=owner))
        return documents + files.rowcount

    total = await database.write(move)
    if total:
        log.info("access.owner_named", owner=owner, rows=total)
    return total


def _documents(connection: Connection, table: Table, digests: Collection[str], owner: str) -> int:
    """Change the owner in the column and in the document of a table's rows."""
    [key] = table.primary_key.columns
    some = select(key.label("row"), table.c.document).where(table.c.owner.in_(digests)).limit(BATCH)
    writing_it = update(table).where(key == bindparam("row")).values(owner=owner, document=bindparam("whole"))
    moved = 0
    while rows := connection.execute(some).all():
        connection.execute(writing_it, [{"row": row, "whole": _owned(document, owner)} for row, document in rows])
        moved += len(rows)
    return moved


def _owned(document: bytes, owner: str) -> bytes:
    """Return a document with another owner. Its other members stay as they are, also those of a newer version."""
    members = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**members, "owner": msgspec.Raw(msgspec.json.encode(owner))})
