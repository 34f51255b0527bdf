"""The processes that share a database: until when each of them is believed to be alive."""

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Float, bindparam, not_
from sqlalchemy.dialects import sqlite

from adapter.database.address import POSTGRESQL
from adapter.database.prepared import Prepared
from adapter.database.tables import PROCESSES
from adapter.domain.executions import LivingProcess

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

#: The part of its lease for which a row may stay as it is: many transactions of a process renew one row.
FRESH_SHARE = 0.1


@cache
def _keeping(dialect: str) -> Prepared:
    """Return the statement that renews a lease, unless it is fresh."""
    until = bindparam("until", type_=Float())
    is_fresh = PROCESSES.c.alive_until.between(bindparam("fresh_from"), until)
    row = _insert(dialect).values(id=bindparam("process"), alive_until=until)
    renewed = {"alive_until": until}
    return Prepared(row.on_conflict_do_update(index_elements=[PROCESSES.c.id], set_=renewed, where=not_(is_fresh)))


def _insert(dialect: str) -> "postgresql.Insert | sqlite.Insert":
    if dialect == POSTGRESQL:
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a server with SQLite needs none of its memory

        return postgresql.insert(PROCESSES)
    return sqlite.insert(PROCESSES)


def keep_alive(connection: Connection, process: LivingProcess, there: float) -> None:
    """Renew the lease of a process, from a time of the database's clock on. Two transactions of it may do that at once.

    It is the last statement of its transaction, because the row is locked until the end.
    """
    until = there + process.lease
    fresh_from = until - FRESH_SHARE * process.lease
    values = {"process": process.process, "until": until, "fresh_from": fresh_from}
    _keeping(connection.dialect.name).run(connection, values)
