"""Which files the database knows: those of jobs, uploads, responses and answers that are kept."""

from collections.abc import AsyncIterator, Collection, Sequence
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from adapter.database.engine import Database
from adapter.database.tables import EXECUTIONS, FILES, JOBS, RESPONSES
from adapter.domain.job import JobState
from adapter.domain.ports import Ownership
from adapter.records.sizes import read_files, stem_in

_Query: TypeAlias = Select[str, Any]

#: Rows that are read at once.
PAGE = 1000
#: The files of such a job were deleted with it.
IS_GIVEN_UP = and_(JOBS.c.deleted_at.is_not(None), JOBS.c.due_at.is_(None))


class SqlFileRegistry:
    """The owners of files (the port `FileRegistry`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ownership(self, stems: Collection[str]) -> Ownership:
        """Return what is known of some stems (the port of that name)."""
        # A process of an older version writes no stem of a job.
        of_jobs = select(JOBS.c.stem, JOBS.c.document, IS_GIVEN_UP).where(
            or_(JOBS.c.stem.in_(stems), JOBS.c.stem.is_(None))
        )
        others = (
            select(FILES.c.stem).where(FILES.c.stem.in_(stems)),
            select(RESPONSES.c.stem).where(RESPONSES.c.stem.in_(stems)),
            select(EXECUTIONS.c.id).where(EXECUTIONS.c.id.in_(stems)),
        )
        owned: set[str | None] = set()
        given_up: set[str | None] = set()

        def look(connection: Connection) -> None:
            for stem, document, is_given_up in connection.execute(of_jobs):
                (given_up if is_given_up else owned).add(stem or stem_in(document))
            for query in others:
                owned.update(connection.execute(query).scalars())

        await self._database.read(look)
        return Ownership(owned={stem for stem in owned if stem}, given_up={stem for stem in given_up - owned if stem})

    async def expected(self, *, since: float, now: float) -> AsyncIterator[Sequence[str]]:
        """Yield the names of files that have to be there (the port of that name)."""
        completed = and_(JOBS.c.state == JobState.COMPLETED, JOBS.c.deleted_at.is_(None), JOBS.c.finished_at > since)
        async for rows in self._pages(select(JOBS.c.id, JOBS.c.document).where(completed), JOBS.c.id):
            yield [name for _, document in rows for name in read_files(bytes(document))]
        shown = and_(RESPONSES.c.deleted_at.is_(None), RESPONSES.c.expires_at > now)
        async for rows in self._pages(select(RESPONSES.c.key, RESPONSES.c.document).where(shown), RESPONSES.c.key):
            yield [name for _, document in rows for name in read_files(bytes(document))]
        there = and_(FILES.c.deleted_at.is_(None), or_(FILES.c.expires_at.is_(None), FILES.c.expires_at > now))
        async for rows in self._pages(select(FILES.c.id, FILES.c.name).where(there), FILES.c.id):
            yield [str(name) for _, name in rows]

    async def _pages(self, query: _Query, key: ColumnElement[str]) -> AsyncIterator[Sequence[tuple[str, Any]]]:
        """Yield all rows of a query in pages, in the order of its first column."""
        last = ""
        while True:
            page = query.where(key > last).order_by(key).limit(PAGE)
            rows = await self._database.read(partial(_rows, page))
            if not rows:
                return
            yield rows
            last = rows[-1][0]


def _rows(page: _Query, connection: Connection) -> Sequence[tuple[str, Any]]:
    return [(row[0], row[1]) for row in connection.execute(page)]
