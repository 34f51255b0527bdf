"""The test of the tests: engines with one mistake each, and the checker finds every one of them."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.torture.bugs import BUGS
from tests.torture.nursery import Nursery
from tests.torture.plan import broken, unbroken
from tests.torture.runs import Outcome
from tests.torture.stage import Stage

#: What the checker has to say of each mistake: the promise that it breaks, or one of two if the first writer decides.
SAID = {
    "resends on a read time-out": "I2 twice",
    "resends after a 5xx": "I2 twice",
    "resends an interaction": "I2 twice",
    "fails on a question to Omni that is refused": "I3 paid for nothing",
    "sends before the intent is committed": "I2 twice",
    "writes without a fence": "I2 twice or I5 rewritten",
    "fails on a poll that is refused": "I3 paid for nothing",
    "polls with another account": "I1 not over",
    "knows no repeated request": "I9 two for one",
    "leaves a dead sender's job": "I1 not over",
    "drops an event": "I5 history",
    "completes before the file is whole": "I4 no file",
    "shows a file that still comes in": "I4 other bytes",
    "swallows a full disk": "I4 no file",
    "loses the end of a file": "I4 other bytes",
    "discards a live job's file": "I6 no reason",
    "takes an expired link for the end": "I3 paid for nothing",
    "leaves a deleted video's files": "I7 left behind",
    "shows a deleted video": "I10 not gone",
    "does not hear of a cancellation": "I11 not called off",
    "recalls nothing": "I9 another job",
    "forgets a live job's key": "I9 another job",
    "makes a lost picture again": "I2 picture twice",
    "forgets the intent of a picture": "I2 picture twice",
    "names uploads like pictures behind links": "I12 no owner",
    "loses events over a break": "I5 events",
}


@pytest.fixture(scope="module")
def outcomes(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    """Every trap with its mistake in it."""

    async def play(folder: Path) -> list[Outcome]:
        return await Stage(nursery, folder).play_all(broken(), lambda _: None)

    return {outcome.name: outcome for outcome in asyncio.run(play(tmp_path_factory.mktemp("bugs")))}


@pytest.mark.parametrize("bug", BUGS)
def test_a_seeded_bug_is_found(outcomes: Mapping[str, Outcome], bug: str) -> None:
    """By the promise that it breaks, and not by chance."""
    found = {violation.rule for violation in outcomes[bug].violations}
    assert found & {*SAID[bug].split(" or ")}, str(outcomes[bug])


async def test_the_unbroken_program_passes_the_very_same_trials(nursery: Nursery, tmp_path: Path) -> None:
    """So it is the mistake that was found."""
    outcomes = await Stage(nursery, tmp_path).play_all(unbroken(), lambda _: None)

    assert [str(outcome) for outcome in outcomes if outcome.violations] == []
