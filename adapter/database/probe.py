"""The probe of the database for `/ready`: a transaction that writes."""

from sqlalchemy import Connection, delete, func, select

from adapter.database.address import POSTGRESQL
from adapter.database.engine import Database
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
    await database.accept(_write_nothing, WriteTurn.UNDER_WAY)


def _write_nothing(connection: Connection) -> None:
    if connection.dialect.name == POSTGRESQL:
        connection.execute(delete(PROCESSES).where(PROCESSES.c.id == ""))
        connection.execute(select(func.txid_current()))
    else:
        found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        connection.exec_driver_sql(f"PRAGMA user_version = {(int(found) + 1) % MOST}")
