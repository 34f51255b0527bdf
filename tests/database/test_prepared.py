"""Statements that do not pass SQLAlchemy on SQLite: they do the same on both engines."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from adapter.database.engine import Database, open_database
from adapter.database.prepared import Prepared
from adapter.database.tables import DISABLED_CREDENTIALS as TABLE
from tests.postgres import BOTH_ENGINES

ADDING = Prepared(TABLE.insert().values({column.name: bindparam(column.name) for column in TABLE.c}))
FINDING = Prepared(
    select(TABLE.c.name, (TABLE.c.disabled_at + 1.0).label("later"))
    .where(TABLE.c.provider == "flow", TABLE.c.name.in_(bindparam("names", expanding=True)))
    .order_by(TABLE.c.name)
)
MOVING = Prepared(
    update(TABLE)
    .where(TABLE.c.name == bindparam("known"))
    .values(disabled_at=bindparam("at"))
    .returning(TABLE.c.name, TABLE.c.disabled_at)
)

pytestmark = BOTH_ENGINES


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Return a database with three rows."""
    opened = await open_database(database_url)
    rows = [{"provider": "flow", "name": name, "disabled_at": 1.0} for name in ("a", "b", "c")]
    await opened.write(lambda connection: ADDING.run_each(connection, rows))
    yield opened
    await opened.dispose()


@pytest.mark.parametrize("names", [[], ["b"], ["a", "c"], ["a", "b", "c", "d"]])
async def test_a_list_may_have_any_length(database: Database, names: list[str]) -> None:
    """Also none."""
    rows = await database.read(lambda connection: FINDING.rows(connection, {"names": names}))

    assert [row.name for row in rows] == [name for name in names if name != "d"]


async def test_rows_have_the_names_of_their_columns(database: Database) -> None:
    """As SQLAlchemy's, and they are tuples too."""
    [row] = await database.look_up(lambda connection: FINDING.rows(connection, {"names": ["a"]}))

    assert (row.name, row.later) == tuple(row) == ("a", 2.0)


async def test_an_update_returns_the_rows_that_it_changed(database: Database) -> None:
    """And they are changed for the next reader."""
    moved = await database.write(lambda connection: MOVING.rows(connection, {"known": "b", "at": 5.0}))
    rows = await database.read(lambda connection: FINDING.rows(connection, {"names": ["a", "b"]}))

    assert [tuple(row) for row in moved] == [("b", 5.0)]
    assert [row.later for row in rows] == [2.0, 6.0]


async def test_a_broken_constraint_is_the_error_of_sqlalchemy_and_leaves_nothing(database: Database) -> None:
    """Its message does not tell the values."""
    new, known = ({"provider": "flow", "name": name, "disabled_at": 7.0} for name in ("d", "secret-a"))
    await database.write(lambda connection: ADDING.run(connection, known))

    with pytest.raises(IntegrityError) as caught:
        await database.write(lambda connection: ADDING.run_each(connection, [new, known]))

    assert "7.0" not in str(caught.value)
    assert await database.read(lambda connection: FINDING.rows(connection, {"names": ["d"]})) == []


async def test_a_value_that_is_missing_is_a_mistake(database: Database) -> None:
    """It is not taken for NULL."""
    with pytest.raises((KeyError, StatementError), match="known"):
        await database.write(lambda connection: MOVING.rows(connection, {"at": 5.0}))
