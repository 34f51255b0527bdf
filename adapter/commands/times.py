"""How commands write times."""

from datetime import UTC, datetime


def minute(at: float) -> str:
    """Write a time in Unix seconds, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
