"""Addresses of databases, and what of them may be shown."""

import pytest

from adapter.database.address import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///var/adapter.db", "sqlite:///var/adapter.db"),
        ("postgresql://ada@db:5432/adapter", "postgresql://ada@db:5432/adapter"),
        ("postgresql:///adapter?host=/run/postgresql", "postgresql:///adapter?host=/run/postgresql"),
        ("postgresql://ada:se-cret@db/adapter", "postgresql://ada@db/adapter"),
        ("postgres://ada:se-cret@one,two:5433/adapter", "postgres://ada@one,two:5433/adapter"),
        ("postgresql://ada:x@y/z?se-cret#@db/adapter", "postgresql://ada@db/adapter"),
        ("postgresql://db/adapter?password=se-cret", "postgresql://db/adapter"),
        ("postgresql://db/a?user=ada&password=se-cret&sslmode=require", "postgresql://db/a?user=ada&&sslmode=require"),
        ("postgresql://db/a?sslpassword=se-cret&sslmode=require", "postgresql://db/a?sslmode=require"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    """Wherever it stands, escaped or not."""
    assert without_password(url) == shown
