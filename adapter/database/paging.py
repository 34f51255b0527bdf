"""Pages of a list, in the order of `created_at`."""

from sqlalchemy import ColumnElement, Table, UnaryExpression, literal, tuple_


def in_order(table: Table, *, newest_first: bool) -> list[UnaryExpression[object]]:
    """Return the order of a table with the columns `created_at` and `id`."""
    columns = table.c.created_at, table.c.id
    return [column.desc() if newest_first else column.asc() for column in columns]


def is_behind(table: Table, last: tuple[float, str], *, newest_first: bool) -> ColumnElement[bool]:
    """Return whether a row comes behind the time and the id of another one in that order."""
    place, limit = tuple_(table.c.created_at, table.c.id), tuple_(*map(literal, last))
    return place < limit if newest_first else place > limit
