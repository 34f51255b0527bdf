"""Statements that are executed most. On SQLite they do not pass SQLAlchemy, which would take most of their time."""

import sqlite3
from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import CompoundSelect, Connection, Insert, Select, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

Values: TypeAlias = Mapping[str, Any]

DIALECT: Final = sqlite.dialect()
#: Texts of one statement that are kept: there is one for each length of the lists among its values.
KNOWN_TEXTS: Final = 64


class Prepared:
    """A statement, all of whose parameters are named and are given at each execution.

    SQLite's driver gets the values as they are. So an insert has to name each column that has a default in Python.
    """

    def __init__(self, statement: Select[Any] | CompoundSelect[Any] | Insert | Update) -> None:
        self._statement = statement
        names = [name or "" for name in statement.exported_columns.keys()]  # noqa: SIM118 - it is no mapping
        #: A tuple whose items have names, as SQLAlchemy's rows are.
        self._row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc] # noqa: PYI024
        self._text = lru_cache(KNOWN_TEXTS)(self._make_text)

    @cached_property
    def _lists(self) -> Sequence[str]:
        """The parameters that are lists."""
        return sorted({parameter.key for parameter in self._statement.compile(dialect=DIALECT).post_compile_params})

    def rows(self, connection: Connection, values: Values) -> Sequence[Any]:
        """Execute it and return all of its rows."""
        if (opened := sqlite_of(connection)) is None:
            return connection.execute(self._statement, values).all()
        with SqliteErrors():
            return [*map(self._row._make, self._execute(opened, values).fetchall())]

    def run(self, connection: Connection, values: Values) -> None:
        """Execute it."""
        if (opened := sqlite_of(connection)) is None:
            connection.execute(self._statement, values)
            return
        with SqliteErrors():
            self._execute(opened, values)

    def run_each(self, connection: Connection, many: Sequence[Values]) -> None:
        """Execute it with each of some values, which have no lists."""
        if (opened := sqlite_of(connection)) is None:
            connection.execute(self._statement, many)
            return
        text = self._text()
        with SqliteErrors():
            opened.executemany(text.sql, [text.ordered(values) for values in many])

    def _execute(self, opened: sqlite3.Connection, values: Values) -> sqlite3.Cursor:
        text = self._text(*(len(values[name]) for name in self._lists))
        return opened.execute(text.sql, text.ordered(values))

    def _make_text(self, *lengths: int) -> "_Text":
        """Write the statement for lists of such lengths."""
        lists = {name: range(length) for name, length in zip(self._lists, lengths, strict=True)}
        compiled = self._statement.compile(dialect=DIALECT)
        made = compiled.construct_expanded_state({**compiled.params, **lists})
        constants = {name: each.value for name, each in compiled.binds.items() if not each.required}
        return _Text(made.statement, made.positiontup or (), constants, made.parameter_expansion)


class _Text(NamedTuple):
    """The text of a statement, and the order of its values."""

    sql: str
    order: Sequence[str]
    #: Values that the statement has itself.
    constants: Values
    #: The names of the items of each list.
    items: Mapping[str, Sequence[str]]

    def ordered(self, values: Values) -> Sequence[object]:
        known = {**self.constants, **values}
        for name, items in self.items.items():
            known.update(zip(items, values[name], strict=True))
        return [known[name] for name in self.order]


def sqlite_of(connection: Connection) -> sqlite3.Connection | None:
    """Return the connection of SQLite's driver; None: it leads to a server."""
    opened: Any = connection.connection.dbapi_connection
    return opened if isinstance(opened, sqlite3.Connection) else None


class SqliteErrors:
    """Raises the errors of SQLite's driver as SQLAlchemy does, without the values.

    A class, because each statement needs one, and a generator costs four times as much.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise such an error."""
        if isinstance(error, sqlite3.Error):
            fault = DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True, dialect=DIALECT)
            raise fault from error
