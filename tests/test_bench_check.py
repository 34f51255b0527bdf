"""Comparing the ratios of a bench run with recorded ones."""

import asyncio

import pytest

from tests.bench.check import BadTables, Figure, compare, figures_of
from tests.bench.patience import StillWaiting, run
from tests.bench.table import table
from tests.support import ROOT

COST = Figure("A picture", "of ideal")
RATE = Figure("64 clients", "of rate", more_is_better=True)
ADDED = Figure("A picture", "ms", "ideal")


def printed(cost: str = "1.50 x", rate: str = "98%", added: str = "0.40") -> str:
    """Return what a run prints."""
    pictures = table(
        "A picture of 1 MB (5 x 2 s)", [["", "of ideal", "ms"], ["adapter", cost, added], ["ideal", "", "0.10"]]
    )
    return f"Python\n\n{pictures}\n{table('64 clients, slow', [['', 'of rate'], ['adapter', rate]])}"


def test_the_recorded_tables_have_every_ratio_that_is_compared() -> None:
    """The document and `FIGURES` name the same things."""
    assert all(value > 0 for value in figures_of((ROOT / "docs" / "measurements.md").read_text()).values())


def test_ratios_are_read_from_the_tables_that_a_run_prints() -> None:
    """A figure against a row is divided by it."""
    assert figures_of(printed(), [COST, RATE, ADDED]) == {COST: 1.5, RATE: 98.0, ADDED: pytest.approx(4.0)}


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        (printed(cost="1.70 x"), []),
        (printed(cost="1.74 x"), [COST.name]),
        (printed(cost="0.90 x"), []),
        (printed(rate="84%"), []),
        (printed(rate="80%"), [RATE.name]),
        (printed(added="0.50"), [ADDED.name]),
    ],
)
def test_a_ratio_is_worse_beyond_15_percent_in_its_bad_direction_only(now: str, worse: list[str]) -> None:
    """An improvement is no fault."""
    figures = [COST, RATE, ADDED]
    assert compare(figures_of(printed(), figures), figures_of(now, figures)).worse == worse


def test_the_verdict_tells_recorded_now_and_change_of_each_ratio() -> None:
    """With a word where it is more than noise."""
    told = compare({COST: 1.48, RATE: 80.0}, {COST: 1.98, RATE: 99.0}).text
    for cell in ("1.48 |", "1.98 |", "+34% |  WORSE |", "+24% | better |"):
        assert cell in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 tables have 'A picture' in their title"),
        (printed() + "\n" + printed(), "2 tables have 'A picture'"),
        (printed(cost="fast"), "'A picture', row 'adapter', column 'of ideal': 'fast' is no number above 0"),
        (printed(cost="0.00 x"), "'0.00 x' is no number above 0"),
        (printed().replace("adapter", "another"), "row 'adapter', column 'of ideal': not there"),
        (printed().replace("of ideal", "of other"), "column 'of ideal': not there"),
        (
            "### A picture\n\n| | of ideal |\n| - | -: |\n| adapter | 1 x | 2 |\n",
            "row 'adapter': 3 cells, but the head has 2",
        ),
        ("### A picture\n\n| | of ideal |\n", "a head, a rule and a row at least"),
    ],
)
def test_a_missing_or_malformed_table_is_named(text: str, message: str) -> None:
    """A check that compares nothing must not pass."""
    with pytest.raises(BadTables) as raised:
        figures_of(text, [COST])
    assert message in str(raised.value)


def test_a_wait_of_the_bench_that_takes_too_long_says_what_it_waited_for() -> None:
    """A bench that stands still tells nothing."""
    with pytest.raises(StillWaiting, match=r"waited 0.01 s for the last stream"):
        run("the last stream", asyncio.Event().wait(), seconds=0.01)
