"""Sums of what was made and spent, in the database."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select
from sqlalchemy.dialects import sqlite

from adapter.database.address import POSTGRESQL
from adapter.database.engine import Database
from adapter.database.prepared import Prepared
from adapter.database.tables import USAGE
from adapter.domain.usage_counts import UsageCounts, UsageLabels, UsageQuery, UsageSum

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

LABELS = UsageLabels.__struct_fields__
COUNTS = UsageCounts.__struct_fields__


class SqlUsageStore:
    """The sums (the port `UsageStore`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, sums: Mapping[UsageLabels, UsageCounts]) -> None:
        """Add to the sums, in one transaction (the port of that name)."""
        await self._database.write(lambda connection: add_in(connection, sums))

    async def sums(self, query: UsageQuery) -> Sequence[UsageSum]:
        """Return sums (the port of that name)."""
        step = query.step or query.until
        split = [(USAGE.c.hour - USAGE.c.hour % step).label("start"), *(USAGE.c[name] for name in query.by)]
        wanted = (
            select(*split, *(func.sum(USAGE.c[name]).label(name) for name in COUNTS))
            .where(*_conditions(query))
            .group_by("start", *(USAGE.c[name] for name in query.by))
        )
        rows = await self._database.read(lambda connection: connection.execute(wanted).all())
        found = [_sum(row, query) for row in rows]
        return sorted(found, key=lambda each: (each.start, *each.labels.values()))

    async def forget(self, *, before: float) -> int:
        """Delete the sums of hours that began before a time (the port of that name)."""
        forgetting = delete(USAGE).where(USAGE.c.hour < int(before))
        return await self._database.write(lambda connection: connection.execute(forgetting).rowcount)


def add_in(connection: Connection, sums: Mapping[UsageLabels, UsageCounts]) -> None:
    """Add to the sums in an open transaction.

    It is its last statement but for notifications, because the rows are locked until the end. They are locked in one
    order: two transactions must not wait for each other.
    """
    if not sums:
        return
    ordered = sorted(sums.items(), key=lambda each: msgspec.structs.astuple(each[0]))
    _adding(connection.dialect.name).run_each(connection, [_row(labels, counts) for labels, counts in ordered])


def _row(labels: UsageLabels, counts: UsageCounts) -> Mapping[str, object]:
    return {**msgspec.structs.asdict(labels), **{f"add_{name}": getattr(counts, name) for name in COUNTS}}


@cache
def _adding(dialect: str) -> Prepared:
    """Return the statement that adds to a row, or makes it."""
    added = {name: bindparam(f"add_{name}", type_=USAGE.c[name].type) for name in COUNTS}
    row = _insert(dialect).values(**{name: bindparam(name) for name in LABELS}, **added)
    sums = {name: USAGE.c[name] + row.excluded[name] for name in COUNTS}
    return Prepared(row.on_conflict_do_update(index_elements=[USAGE.c[name] for name in LABELS], set_=sums))


def _insert(dialect: str) -> "postgresql.Insert | sqlite.Insert":
    if dialect == POSTGRESQL:
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a server with SQLite needs none of its memory

        return postgresql.insert(USAGE)
    return sqlite.insert(USAGE)


def _conditions(query: UsageQuery) -> Sequence[ColumnElement[bool]]:
    only = [USAGE.c[name].in_(values) for name, values in query.only.items()]
    return [USAGE.c.hour >= query.since, USAGE.c.hour < query.until, *only]


def _sum(row: Row[Any], query: UsageQuery) -> UsageSum:
    found = row._mapping  # noqa: SLF001 - SQLAlchemy's public name of it
    return UsageSum(
        start=query.since if query.step is None else int(found["start"]),
        labels={name: str(found[name]) for name in query.by},
        # PostgreSQL's sums are decimals.
        counts=UsageCounts(**{name: int(found[name]) for name in COUNTS}),
    )
