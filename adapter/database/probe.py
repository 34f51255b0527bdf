"""The probe of the database for `/ready`: a transaction that writes."""

from sqlalchemy import delete, func, select

from adapter.database.address import POSTGRESQL
from adapter.database.engine import Database, accepting
from adapter.database.tables import PROCESSES
from adapter.database.write_queue import WriteTurn

#: The largest number that fits into a SQLite file's header.
MOST = 2**31 - 1


async def probe(database: Database) -> None:
    """Commit something of no meaning.

    In SQLite that is `user_version`, a number in the file's header that has no other use here. On PostgreSQL it is a
    deletion that finds no row, which a read-only database refuses, and a transaction id, so that the commit is written.

    Raises:
        StorageFailed: the database does not take it.
    """
    async with accepting(database, WriteTurn.UNDER_WAY) as connection:
        if connection.dialect.name == POSTGRESQL:
            await connection.execute(delete(PROCESSES).where(PROCESSES.c.id == ""))
            await connection.execute(select(func.txid_current()))
        else:
            found = (await connection.exec_driver_sql("PRAGMA user_version")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA user_version = {(int(found) + 1) % MOST}")
