"""Compares the ratios of a run with recorded ones. Both are read from the tables that the bench prints."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.bench.table import table

#: The change in the bad direction that is still noise: "How noisy" in docs/measurements.md.
TOLERANCE = 0.15
#: The row that is compared.
OURS = "adapter"
NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?: x|%)?")


class BadTables(Exception):
    """A table, a row, a column or a number is missing or malformed."""


class Figure(NamedTuple):
    """A ratio that is compared."""

    #: The one table whose title has this in it.
    title: str
    column: str
    #: The row that ours is divided by; None: the column is a ratio already.
    against: str | None = None
    more_is_better: bool = False

    @property
    def name(self) -> str:
        """What the verdict calls it."""
        return f"{self.title}: {self.column}" + (f", of {self.against}" if self.against else "")


FIGURES = (
    Figure("A picture of 10 KB, 1 client", "added ms", "ideal"),
    Figure("A picture of 1.50 MB, 8 clients", "of ideal"),
    Figure("A picture of 1.50 MB, 8 clients", "of naive"),
    Figure("Pictures of four sizes", "of ideal"),
    Figure("by TLS", "of ideal's extra"),
    Figure("64 clients, upstream after 1 s", "pictures/s", "ideal", more_is_better=True),
    Figure("open streams of progress", "KB per stream", "bare"),
    Figure("open streams of progress", "CPU µs per event", "bare"),
)

#: Cells by column by row, of one table.
Rows = Mapping[str, Mapping[str, str]]


class Verdict(NamedTuple):
    """What comparing found."""

    #: A table: figure, recorded, now, change.
    text: str
    #: Figures that are worse beyond `TOLERANCE`.
    worse: Sequence[str]


def compare(recorded: Mapping[Figure, float], now: Mapping[Figure, float]) -> Verdict:
    """Compare the figures of two runs. A better figure is told, and is no fault."""
    rows = [["", "recorded", "now", "change", ""]]
    worse = []
    for figure, before in recorded.items():
        change = now[figure] / before - 1
        loss = -change if figure.more_is_better else change
        if loss > TOLERANCE:
            worse.append(figure.name)
        word = "WORSE" if loss > TOLERANCE else "better" if loss < -TOLERANCE else ""
        rows.append([figure.name, f"{before:.2f}", f"{now[figure]:.2f}", f"{change:+.0%}", word])
    return Verdict(table(f"Compared with what is recorded; {TOLERANCE:.0%} may be noise", rows), worse)


def figures_of(markdown: str, figures: Sequence[Figure] = FIGURES) -> Mapping[Figure, float]:
    """Read the figures from Markdown tables, each under a title of its own.

    Raises:
        BadTables: one is not there, is there twice, or is no number above 0.
    """
    tables = tables_of(markdown)
    return {figure: _value(tables, figure) for figure in figures}


def tables_of(markdown: str) -> Sequence[tuple[str, Rows]]:
    """Return the first table under each title of the third level.

    Raises:
        BadTables: a row has not as many cells as the head.
    """
    found = []
    for section in re.split(r"^### ", markdown, flags=re.MULTILINE)[1:]:
        title, _, rest = section.partition("\n")
        match = re.search(r"(?:^\|.*\n?)+", re.split(r"^#", rest, flags=re.MULTILINE)[0], re.MULTILINE)
        if match:
            found.append((title, _rows(title, match[0].splitlines())))
    return found


def _rows(title: str, lines: Sequence[str]) -> Rows:
    if len(lines) < 3:
        raise BadTables(f"'{title}': a table has a head, a rule and a row at least")
    head, _, *others = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in lines]
    for cells in others:
        if len(cells) != len(head):
            raise BadTables(f"'{title}', row '{cells[0]}': {len(cells)} cells, but the head has {len(head)}")
    return {cells[0]: dict(zip(head, cells, strict=True)) for cells in others}


def _value(tables: Sequence[tuple[str, Rows]], figure: Figure) -> float:
    found = [rows for title, rows in tables if figure.title in title]
    if len(found) != 1:
        raise BadTables(f"{len(found)} tables have '{figure.title}' in their title; one is needed")
    ours = _number(found[0], OURS, figure)
    return ours / _number(found[0], figure.against, figure) if figure.against else ours


def _number(rows: Rows, row: str, figure: Figure) -> float:
    place = f"'{figure.title}', row '{row}', column '{figure.column}'"
    try:
        cell = rows[row][figure.column]
    except KeyError as error:
        raise BadTables(f"{place}: not there") from error
    match = NUMBER.fullmatch(cell)
    if match is None or float(match[1]) == 0:
        raise BadTables(f"{place}: '{cell}' is no number above 0")
    return float(match[1])
