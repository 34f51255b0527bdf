"""The short form of the torture: what `make torture` does a hundred times, once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torture.nursery import Nursery
from tests.torture.plan import CRITICAL, Row, faults, kills, pairs, peace, raises, random_pairs, randoms
from tests.torture.runs import Outcome
from tests.torture.stage import Stage

#: Where money is spent, an answer comes in, a key is written down, a video goes.
FATAL = (
    "flow.submit:before",
    "flow.submit:after",
    "spool.note:after",
    "jobs.save.submitting:after",
    "jobs.save.submitted:before",
    "jobs.save.completed:after",
    "jobs.delete:after",
    "jobs.forget:before",
    "jobs.cancel:after",
    "image_jobs.admit:after",
    "image_jobs.save.submitting:after",
    "image_makers.make_images:after",
    "requests.begin:after",
    "requests.finish:before",
    "media.delete:after",
)
#: Around an interaction of Omni, which cannot be found again.
OMNI_EDGES = ("omni.submit:before", "omni.submit:after", "omni.poll:after", "omni.download:opened")
#: Between a file and its row. Which database it is does not matter.
STORED = ("media.put.upload:after", "media.put.response:after")

ON_SQLITE = pytest.mark.parametrize("new_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("new_url", ["postgresql"], indirect=True)


@pytest.fixture
def stage(nursery: Nursery, tmp_path: Path, new_url: Callable[[], str] | None) -> Stage:
    """Where trials are put on."""
    return Stage(nursery, tmp_path, new_url)


async def broken(stage: Stage, row: Row) -> list[str]:
    """Put a row of trials on and return those in which a promise was broken."""
    told: list[Outcome] = []
    await stage.play_all(row, told.append)
    print(*told, sep="\n")  # pytest shows it with -rP
    assert told
    assert sum(outcome.jobs for outcome in told) > len(told)  # a trial without jobs proves nothing
    return [str(outcome) for outcome in told if outcome.violations]


@ON_SQLITE
async def test_a_server_may_be_killed_where_it_matters(stage: Stage) -> None:
    """With a job of each kind in flight. The long form takes every edge."""
    assert await broken(stage, kills([*{*CRITICAL, *FATAL, *STORED}])) == []


@ON_SQLITE
async def test_a_server_may_be_killed_around_an_interaction_of_omni(stage: Stage) -> None:
    """Beside a video of Flow. What had no answer is never sent again, and says so."""
    assert await broken(stage, [*kills(OMNI_EDGES), *raises(OMNI_EDGES)]) == []


@ON_POSTGRESQL
async def test_a_server_may_be_killed_around_an_interaction_of_omni_on_postgresql(stage: Stage) -> None:
    """The same deaths; the failures are the program's own and the same on each database."""
    assert await broken(stage, kills(OMNI_EDGES)) == []


@ON_POSTGRESQL
async def test_a_server_may_be_killed_where_it_matters_most_on_postgresql(stage: Stage) -> None:
    """The long form takes every edge."""
    assert await broken(stage, kills(FATAL)) == []


@ON_SQLITE
async def test_calls_that_matter_most_may_fail(stage: Stage) -> None:
    """The long form takes every edge."""
    assert await broken(stage, raises(FATAL)) == []


@ON_SQLITE
async def test_a_server_may_be_killed_at_any_moment_while_google_misbehaves(stage: Stage) -> None:
    """Twenty jobs, pictures and files are in flight."""
    assert await broken(stage, [*randoms([1]), *faults(1)]) == []


@ON_POSTGRESQL
async def test_one_of_several_servers_may_die_at_any_moment_while_google_misbehaves(stage: Stage) -> None:
    """Alone, or one of two after both stood still."""
    assert await broken(stage, [*randoms([1]), *faults(1), *random_pairs([1])]) == []


@ON_POSTGRESQL
async def test_one_of_two_servers_may_sleep_past_its_lease(stage: Stage) -> None:
    """Between intent and submission, and after it. On SQLite the traps have one do it before the intent is written."""
    row = pairs(["flow.submit:before", "jobs.save.submitted:before"], ["pause"])
    assert await broken(stage, [*peace(), *row]) == []


@ON_POSTGRESQL
async def test_one_of_two_servers_may_die(stage: Stage) -> None:
    """Where money is spent."""
    assert await broken(stage, pairs(["flow.submit:after"], ["kill"])) == []
