"""The processes that share a database: until when each of them is believed to be alive."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Float, Table, bindparam, not_
from sqlalchemy.dialects import postgresql, sqlite

from adapter.database.address import POSTGRESQL
from adapter.database.tables import PROCESSES
from adapter.domain.executions import LivingProcess

#: The part of its lease for which a row may stay as it is: many transactions of a process renew one row.
FRESH_SHARE = 0.1

_Insert = TypeVar("_Insert", postgresql.Insert, sqlite.Insert)


def _keeping(insert: Callable[[Table], _Insert]) -> _Insert:
    """Return the statement that renews a lease, unless it is fresh."""
    until = bindparam("until", type_=Float())
    is_fresh = PROCESSES.c.alive_until.between(bindparam("fresh_from"), until)
    row = insert(PROCESSES).values(id=bindparam("process"), alive_until=until)
    return row.on_conflict_do_update(index_elements=[PROCESSES.c.id], set_={"alive_until": until}, where=not_(is_fresh))


KEEPING_ON_A_SERVER = _keeping(postgresql.insert)
KEEPING_IN_A_FILE = _keeping(sqlite.insert)


def keep_alive(connection: Connection, process: LivingProcess, there: float) -> None:
    """Renew the lease of a process, from a time of the database's clock on. Two transactions of it may do that at once.

    It is the last statement of its transaction, because the row is locked until the end.
    """
    until = there + process.lease
    keeping = KEEPING_ON_A_SERVER if connection.dialect.name == POSTGRESQL else KEEPING_IN_A_FILE
    fresh_from = until - FRESH_SHARE * process.lease
    connection.execute(keeping, {"process": process.process, "until": until, "fresh_from": fresh_from})
