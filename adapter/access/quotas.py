"""What keys have taken of their limits, in the database: exact for all processes that share it.

A limit has one row for each key and minute, day or month. One statement compares it with the limit and adds to it, and
the row stays locked until the transaction ends. Rows are locked in the order of their keys.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, cast

import structlog
from sqlalchemy import BigInteger, Connection, bindparam, case, delete, select, update
from sqlalchemy.dialects import sqlite

from adapter.database.address import POSTGRESQL
from adapter.database.engine import Database
from adapter.database.tables import KEY_COUNTS
from adapter.domain.allowance import (
    REQUESTS,
    Allowance,
    Charge,
    Limit,
    LimitState,
    Remaining,
    Taken,
    needs,
    written_time,
)
from adapter.domain.spending import Spending
from adapter.errors import AdapterError, CostUnknown, LimitReached, RateLimited, StorageFailed

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

log = structlog.get_logger()

_IS_ROW = (
    KEY_COUNTS.c.key == bindparam("of_key"),
    KEY_COUNTS.c.kind == bindparam("of_kind"),
    KEY_COUNTS.c.begins_at == bindparam("begins"),
)
COUNT = select(KEY_COUNTS.c.taken).where(*_IS_ROW)
#: What was given back twice, or after the limit began anew, is no credit.
GIVING = (
    update(KEY_COUNTS)
    .where(*_IS_ROW)
    .values(
        taken=case(
            (KEY_COUNTS.c.taken < bindparam("amount", type_=BigInteger()), 0),
            else_=KEY_COUNTS.c.taken - bindparam("amount", type_=BigInteger()),
        )
    )
)
COUNTS = select(KEY_COUNTS.c.kind, KEY_COUNTS.c.begins_at, KEY_COUNTS.c.taken).where(
    KEY_COUNTS.c.key == bindparam("of_key"), KEY_COUNTS.c.begins_at.in_(bindparam("begins", expanding=True))
)
PRUNING = delete(KEY_COUNTS).where(
    KEY_COUNTS.c.key == bindparam("of_key"),
    KEY_COUNTS.c.kind == bindparam("of_kind"),
    KEY_COUNTS.c.begins_at < bindparam("begins"),
)


@cache
def _taking(dialect: str) -> "postgresql.Insert | sqlite.Insert":
    """Return the statement that adds to a count, unless it would pass the limit. It returns the new count."""
    row = _insert(dialect).values(
        key=bindparam("of_key"), kind=bindparam("of_kind"), begins_at=bindparam("begins"), taken=bindparam("amount")
    )
    sums = KEY_COUNTS.c.taken + bindparam("amount", type_=BigInteger())
    is_within = sums <= bindparam("most", type_=BigInteger())
    columns = [KEY_COUNTS.c.key, KEY_COUNTS.c.kind, KEY_COUNTS.c.begins_at]
    adding = row.on_conflict_do_update(index_elements=columns, set_={"taken": sums}, where=is_within)
    return cast("postgresql.Insert | sqlite.Insert", adding.returning(KEY_COUNTS.c.taken))


def _insert(dialect: str) -> "postgresql.Insert | sqlite.Insert":
    if dialect == POSTGRESQL:
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a server with SQLite needs none of its memory

        return postgresql.insert(KEY_COUNTS)
    return sqlite.insert(KEY_COUNTS)


class SqlQuotas:
    """The counts in a database (the port `Quotas`)."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        """Take the database, and the clock in Unix seconds."""
        self._database = database
        self._clock = clock
        #: The newest known count of each limit of units, by key and kind, with the time when it began.
        self._known: dict[tuple[str, str], tuple[int, int]] = {}

    async def take(self, spending: Spending, allowance: Allowance) -> Charge | None:
        """Take what pictures or a text need (the port of that name), in a transaction of its own."""
        if not allowance.is_limited:
            return None
        return await self._database.accept(
            lambda connection: self.take_in(connection, spending, allowance), owner=spending.owner
        )

    def take_in(self, transaction: object, spending: Spending, allowance: Allowance) -> Charge | None:
        """Take what a job needs (the port of that name)."""
        if spending.key is None or not allowance.is_limited:
            return None
        connection, at = cast("Connection", transaction), self._now()
        try:
            needed = needs(allowance.limits, spending)
        except ValueError as error:
            raise CostUnknown(str(error), param="model") from error
        found = [(limit, *_take(connection, spending.key, limit, amount, at)) for limit, amount in needed]
        for limit, taken, count in found:
            self._known[spending.key, limit.kind] = taken.begins_at, count
        return Charge(spending.key, tuple(taken for _, taken, _ in found))

    async def look(self, key: str, allowance: Allowance) -> None:
        """Read what a key has taken (the port of that name)."""
        at = self._now()
        begins = {limit.kind: limit.window.begin(at) for limit in allowance.limits if limit.currency is None}
        values = {"of_key": key, "begins": [*begins.values()]}
        try:
            rows = await self._database.read(lambda connection: connection.execute(COUNTS, values).all())
        except StorageFailed as fault:
            log.warning("access.counts_not_read", key=key, code=fault.code)
            return
        for kind, begins_at in begins.items():
            taken = sum(row.taken for row in rows if (row.kind, row.begins_at) == (kind, begins_at))
            self._known[key, kind] = begins_at, taken

    def remaining(self, key: str, allowance: Allowance) -> Sequence[Remaining]:
        """Return what was last known (the port of that name)."""
        at = self._now()
        return [
            Remaining(limit, max(limit.most - self._taken(key, limit, at), 0), limit.window.end(at) - at)
            for limit in allowance.limits
            if limit.currency is None
        ]

    def _taken(self, key: str, limit: Limit, at: float) -> int:
        begins_at, taken = self._known.get((key, limit.kind), (0, 0))
        return taken if begins_at == limit.window.begin(at) else 0

    async def limit_states(self, keys: Mapping[str, Allowance]) -> Mapping[str, Sequence[LimitState]]:
        """Return what each of these keys has taken of each of its limits now, by the counts in the database.

        Raises:
            StorageFailed: they cannot be read.
        """
        at = self._now()
        return await self._database.read(
            lambda connection: {key: _limit_states(connection, key, keys[key].limits, at) for key in keys}
        )

    def _now(self) -> float:
        return self._clock() + self._database.clock_offset

    async def give(self, charge: Charge) -> None:
        """Give something back (the port of that name)."""
        if charge.taken:
            await self._database.write(lambda connection: self.give_in(connection, [charge]))

    def give_in(self, transaction: object, charges: Sequence[Charge]) -> None:
        """Give several back (the port of that name)."""
        connection = cast("Connection", transaction)
        rows = sorted(
            (charge.key, each.kind, each.begins_at, each.amount) for charge in charges for each in charge.taken
        )
        for key, kind, begins_at, amount in rows:
            connection.execute(GIVING, {**_row(key, kind, begins_at), "amount": amount})


def _row(key: str, kind: str, begins_at: int) -> dict[str, object]:
    return {"of_key": key, "of_kind": kind, "begins": begins_at}


def _limit_states(connection: Connection, key: str, limits: Sequence[Limit], at: float) -> Sequence[LimitState]:
    rows = ((limit, _row(key, limit.kind, limit.window.begin(at))) for limit in limits)
    return [
        LimitState(limit, connection.execute(COUNT, row).scalar() or 0, limit.window.end(at)) for limit, row in rows
    ]


def _take(connection: Connection, key: str, limit: Limit, amount: int, at: float) -> tuple[Taken, int]:
    """Add to one count, and return what was taken and the new count.

    Raises:
        RateLimited, LimitReached: it would pass the limit.
    """
    begins_at = limit.window.begin(at)
    row = _row(key, limit.kind, begins_at)
    # A new row is not compared with the limit by the statement.
    if amount > limit.most:
        raise _used_up(limit, amount, connection.execute(COUNT, row).scalar() or 0, at)
    values = {**row, "amount": amount, "most": limit.most}
    taken = connection.execute(_taking(connection.dialect.name), values).scalar()
    if taken is None:
        raise _used_up(limit, amount, connection.execute(COUNT, row).scalar() or 0, at)
    if taken == amount:  # the first in its minute, day or month
        connection.execute(PRUNING, {**row, "begins": limit.window.begin(begins_at - 1)})
    return Taken(limit.kind, begins_at, amount), int(taken)


def _used_up(limit: Limit, amount: int, taken: int, at: float) -> AdapterError:
    end = limit.window.end(at)
    if limit.kind == REQUESTS:
        return RateLimited(
            f"This key may begin {limit.write(limit.most)} a minute, and has begun {taken}. "
            f"The limit is reset at {written_time(end)}.",
            retry_after=end - at,
        )
    # The least amount stands for a cost that is known later.
    needed = "" if limit.currency is None or amount == 1 else f", and this request needs about {limit.write(amount)}"
    needed = f", and this request wants {limit.write(amount)}" if limit.currency is None and amount > 1 else needed
    return LimitReached(
        f"This key may have {limit.write(limit.most)} in a {limit.window}. {limit.write(taken)} are taken{needed}. "
        f"The limit is reset at {written_time(end)}.",
        retry_after=end - at,
    )
