"""Tables for people: columns of one width each, and on a terminal no line that is broken."""

import sys
from collections.abc import Iterator, Sequence
from typing import Final

import click

from adapter.terminal import columns

#: Between two columns.
_GAP: Final = "  "
#: The last column is cut to no less than this.
_SHORTEST: Final = 16
_CUT: Final = "…"


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their headings. On a terminal the last column is cut where the line ends; a pipe gets all."""
    for line in lines([headings, *rows], columns(sys.stdout)):
        click.echo(line)


def lines(rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Yield rows as lines that are no longer than `width`, as far as the last column can be cut; None: not cut."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    before = sum(each + len(_GAP) for each in widths[:-1])
    last = widths[-1] if width is None else max(min(widths[-1], width - before), min(widths[-1], _SHORTEST))
    for row in rows:
        cells = [cell.ljust(each) for cell, each in zip(row, [*widths[:-1], 0], strict=True)]
        cells[-1] = row[-1] if len(row[-1]) <= last else row[-1][: last - 1] + _CUT
        yield _GAP.join(cells).rstrip()
