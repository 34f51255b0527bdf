"""How many jobs are not over, for the operator."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, func, select

from adapter.database.engine import Database
from adapter.database.tables import JOBS
from adapter.domain.job import LIVE


class JobCount(msgspec.Struct, frozen=True):
    """The jobs of one kind in one state."""

    kind: str
    state: str
    count: int
    #: When the oldest was accepted, in Unix seconds.
    oldest_at: float


async def count_live(database: Database) -> Sequence[JobCount]:
    """Return how many jobs there are in each state that is not the last one. States without jobs are missing.

    Raises:
        StorageFailed: the database cannot be read.
    """
    query = (
        select(JOBS.c.kind, JOBS.c.state, func.count(), func.min(JOBS.c.created_at))
        .where(JOBS.c.state.in_(LIVE))
        .group_by(JOBS.c.kind, JOBS.c.state)
    )

    def read(connection: Connection) -> Sequence[JobCount]:
        return [JobCount(*row) for row in connection.execute(query)]

    return await database.read(read)
