"""The processes that share a database: until when each of them is believed to be alive."""

from sqlalchemy import not_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from adapter.database.address import POSTGRESQL
from adapter.database.tables import PROCESSES
from adapter.domain.executions import LivingProcess

#: The part of its lease for which a row may stay as it is: many transactions of a process renew one row.
FRESH_SHARE = 0.1


async def keep_alive(connection: AsyncConnection, process: LivingProcess, there: float) -> None:
    """Renew the lease of a process, from a time of the database's clock on. Two transactions of it may do that at once.

    It is the last statement of its transaction, because the row is locked until the end.
    """
    until = there + process.lease
    insert = postgresql.insert if connection.dialect.name == POSTGRESQL else sqlite.insert
    is_fresh = PROCESSES.c.alive_until.between(until - FRESH_SHARE * process.lease, until)
    row = insert(PROCESSES).values(id=process.process, alive_until=until)
    await connection.execute(
        row.on_conflict_do_update(index_elements=[PROCESSES.c.id], set_={"alive_until": until}, where=not_(is_fresh))
    )
