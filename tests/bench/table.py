"""Numbers in columns."""

from collections.abc import Sequence


def table(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table under a title; the first row is the head, the first column is flush left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [" | ".join(_aligned(row, widths)) for row in (rows[0], rule, *rows[1:])]
    return "\n".join([f"### {title}", "", *(f"| {line} |" for line in lines), ""])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = row
    return [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
