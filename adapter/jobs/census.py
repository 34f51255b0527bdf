"""How many jobs are not over, for the operator."""

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec
from sqlalchemy import Connection, func, select

from adapter.database.engine import Database
from adapter.database.tables import JOBS
from adapter.domain.job import LIVE
from adapter.domain.job_kinds import KINDS

_ARE_OF_KIND = [JOBS.c.kind == kind.name for kind in KINDS]


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
    # Grouped by the index of states alone: a group of two columns would be sorted first.
    counted = [(func.count().filter(each), func.min(JOBS.c.created_at).filter(each)) for each in _ARE_OF_KIND]
    query = select(JOBS.c.state, *chain(*counted)).where(JOBS.c.state.in_(LIVE)).group_by(JOBS.c.state)

    def read(connection: Connection) -> Sequence[JobCount]:
        return [each for row in connection.execute(query) for each in _counts(row[0], row[1:])]

    return await database.read(read)


def _counts(state: str, values: Sequence[float | None]) -> Iterator[JobCount]:
    for kind, count, oldest_at in zip(KINDS, values[::2], values[1::2], strict=True):
        if count and oldest_at is not None:
            yield JobCount(kind.name, state, int(count), oldest_at)
