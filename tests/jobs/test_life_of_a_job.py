"""Lives of videos and of pictures in the background, which hypothesis makes up."""

from collections.abc import Callable, Sequence

import pytest

from adapter.domain.finished_work import FinishedWork
from adapter.records.usage_recorder import CountedWork
from tests.jobs.life import LifeOfJobs, find_broken_promise, life_settings
from tests.torture.bugs import SendsFirst
from tests.torture.bugs_rest import IgnoresCancellation, RecallsNothing, ShowsDeleted

#: Mistakes of the job store, and the promise of `docs/reliability.md` that each breaks.
BUGS = [(RecallsNothing, "8:"), (ShowsDeleted, "9:"), (IgnoresCancellation, "2:")]
PICTURE_BUGS = [(SendsFirst, "2:"), (RecallsNothing, "8:")]


def test_every_promise_holds_whatever_happens_in_the_lives_of_jobs() -> None:
    """Each life has its clients, operators, processes that die or stand still, and a Google that is ill at times."""
    assert find_broken_promise(LifeOfJobs, life_settings(examples=25, steps=30, is_random=False)) is None


@pytest.mark.parametrize(("bug", "promise"), BUGS)
def test_a_mistake_of_the_store_is_found(bug: Callable[[object], object], promise: str) -> None:
    """By the promise that it breaks."""

    class BrokenLives(LifeOfJobs):
        """Lives with the mistake."""

    BrokenLives.bug = bug

    found = find_broken_promise(BrokenLives, life_settings(examples=60, steps=30, is_random=False))

    assert (found or "").startswith(promise)


@pytest.mark.parametrize(("bug", "promise"), PICTURE_BUGS)
def test_a_mistake_of_the_store_of_pictures_is_found(bug: Callable[[object], object], promise: str) -> None:
    """As for videos."""

    class BrokenLives(LifeOfJobs):
        """Lives with the mistake."""

    BrokenLives.picture_bug = bug

    found = find_broken_promise(BrokenLives, life_settings(examples=60, steps=30, is_random=False))

    assert (found or "").startswith(promise)


class CountsTwice(CountedWork):
    """Counts a video again that has failed."""

    def finished_in(self, transaction: object, works: Sequence[FinishedWork]) -> None:
        super().finished_in(transaction, works)
        super().finished_in(transaction, [work for work in works if not work.is_completed])


def test_a_mistake_of_the_counting_is_found() -> None:
    """By the promise that it breaks."""

    class BrokenLives(LifeOfJobs):
        """Lives with the mistake."""

        counted = CountsTwice

    found = find_broken_promise(BrokenLives, life_settings(examples=60, steps=30, is_random=False))

    assert (found or "").startswith("11:")
