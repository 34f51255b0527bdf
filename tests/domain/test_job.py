"""The table of states: every pair of state and event either moves the job as written or is a mistake."""

import itertools
from typing import get_args

import msgspec
import pytest

from adapter.domain.job import (
    LIVE,
    PHASES,
    TRANSITIONS,
    Ambiguity,
    BalanceReading,
    CreditsRead,
    EmptyPoll,
    Event,
    Failed,
    Failure,
    Intended,
    JobState,
    Missed,
    NotCharged,
    NotFetched,
    NotSent,
    Operation,
    Phase,
    Progressed,
    ProgressEvent,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    Unanswered,
    VideoJob,
    advance,
    estimate,
)
from adapter.domain.media import RemoteVideo
from adapter.errors import UpstreamBusy
from tests.fakes import video_job

NO = Failure(message="no", code=None, type="server_error", status=502)
EVENTS: list[Event] = [
    Intended("first", 1005.0, 680),
    NotSent(),
    Submitted(Operation("op", "mark"), at=1010.0),
    Missed(),
    Progressed(30),
    Rendered(RemoteVideo("https://example/video")),
    NotFetched(),
    Stored(StoredVideo(video="a.mp4", poster=None, size=1, sha256="00"), at=1100.0),
    Failed(NO, at=1100.0),
    Unanswered(Ambiguity(failure=NO, sender_saw_end=True, at=1006.0)),
    CreditsRead(BalanceReading(680, 1066.0)),
    NotCharged(),
    EmptyPoll(),
]


def job_in(state: JobState) -> VideoJob:
    """Return a job that came to a state by the ordinary way."""
    way = {
        JobState.ACCEPTED: [],
        JobState.SUBMITTING: EVENTS[:1],
        JobState.AMBIGUOUS: [EVENTS[0], EVENTS[9]],
        JobState.SUBMITTED: [EVENTS[0], EVENTS[2]],
        JobState.READY: [EVENTS[0], EVENTS[2], EVENTS[5]],
        JobState.COMPLETED: [EVENTS[0], EVENTS[2], EVENTS[5], EVENTS[7]],
        JobState.FAILED: [EVENTS[8]],
    }
    job = video_job()
    for event in way[state]:
        job = advance(job, event)
    return job


def test_the_events_of_this_test_are_all_there_are() -> None:
    """A new kind of event has to be added here."""
    assert {type(event) for event in EVENTS} == set(get_args(Event))


@pytest.mark.parametrize(("state", "event"), list(itertools.product(JobState, EVENTS)))
def test_a_job_moves_as_the_table_says_and_in_no_other_way(state: JobState, event: Event) -> None:
    """All 91 pairs."""
    job = job_in(state)
    leads_to = TRANSITIONS.get((state, type(event)))

    if leads_to is None:
        with pytest.raises(ValueError, match=f"cannot happen to a job that is {state}"):
            advance(job, event)
    else:
        assert advance(job, event).state is leads_to


def test_what_is_over_never_moves_again() -> None:
    """Nothing leads out of completed and failed."""
    assert {state for state, _ in TRANSITIONS} == set(LIVE)


def test_a_job_goes_back_to_accepted_by_proof_alone() -> None:
    """Not a byte left, or the credits show that nothing was executed."""
    back = {(state, event) for (state, event), leads_to in TRANSITIONS.items() if leads_to is JobState.ACCEPTED}

    assert back == {
        (JobState.ACCEPTED, NotSent),
        (JobState.SUBMITTING, NotSent),
        (JobState.AMBIGUOUS, NotCharged),
    }


def test_what_is_known_of_an_ambiguous_submission_is_kept() -> None:
    """Every reading, in order, until the next submission begins anew."""
    job = job_in(JobState.AMBIGUOUS)
    for reading in (BalanceReading(None, 1066.0), BalanceReading(680, 1126.0)):
        job = advance(job, CreditsRead(reading))

    assert (job.account, job.intended_at, job.credits) == ("first", 1005.0, 680)
    assert job.ambiguity == Ambiguity(
        failure=NO, sender_saw_end=True, at=1006.0, readings=(BalanceReading(None, 1066.0), BalanceReading(680, 1126.0))
    )
    again = advance(advance(job, NotCharged()), Intended("first", 1200.0))
    assert (again.ambiguity, again.credits, again.misses) == (None, None, 1)


def test_an_ambiguous_job_is_queued_for_its_reader() -> None:
    """Nothing happened that could be seen."""
    job = advance(job_in(JobState.AMBIGUOUS), EVENTS[10])

    assert job.history == (ProgressEvent(Phase.QUEUED, 0),)


def test_polls_that_come_empty_are_counted_in_all() -> None:
    """Not in a row: other trouble in between is no sign of a video."""
    job = job_in(JobState.SUBMITTED)
    for event in (EmptyPoll(), Missed(), Progressed(10), EmptyPoll()):
        job = advance(job, event)

    assert (job.empty_polls, job.misses) == (2, 1)


def test_progress_never_falls_and_reaches_100_only_with_the_file() -> None:
    """A late, lower report changes nothing; a report of 100 is not the end."""
    job = advance(advance(job_in(JobState.SUBMITTED), Progressed(40)), Progressed(20))
    assert job.progress == 40

    assert advance(job, Progressed(100)).progress == 99
    assert job_in(JobState.READY).progress == 99
    assert job_in(JobState.COMPLETED).progress == 100


def test_every_change_that_a_reader_could_see_is_kept_once() -> None:
    """Steps that show nothing add nothing; who comes back finds what was missed by its number."""
    job = job_in(JobState.SUBMITTED)
    for event in (Progressed(40), Progressed(40), Missed(), Progressed(20), *EVENTS[5:6], NotFetched(), *EVENTS[5:6]):
        job = advance(job, event)

    assert [(moment.phase.value, moment.progress) for moment in advance(job, EVENTS[7]).history] == [
        ("queued", 0),
        ("in_progress", 0),
        ("in_progress", 40),
        ("in_progress", 99),
        ("completed", 100),
    ]


def test_a_failed_job_keeps_the_progress_that_it_had() -> None:
    """Nobody was told that it was done."""
    job = advance(advance(job_in(JobState.SUBMITTED), Progressed(40)), EVENTS[8])

    assert (job.phase, job.progress) == (Phase.FAILED, 40)
    assert job.history[-1] == ProgressEvent(Phase.FAILED, 40)


def test_every_state_has_a_phase() -> None:
    """A reader is told something of each."""
    assert set(PHASES) == set(JobState)


def test_misses_are_counted_until_something_comes() -> None:
    """The count spaces out retries and starts again at zero after a success."""
    job = advance(advance(job_in(JobState.SUBMITTED), Missed()), Missed())
    assert job.misses == 2

    assert advance(job, Progressed(10)).misses == 0


def test_a_file_that_is_never_right_is_fetched_ever_more_rarely() -> None:
    """Being finished upstream does not reset the count: a fresh link to a broken file is no progress."""
    job = job_in(JobState.READY)
    for _ in range(3):
        job = advance(advance(job, NotFetched()), Rendered(RemoteVideo("https://example/video")))

    assert job.misses == 3


def test_fruitless_sends_are_counted_across_tries() -> None:
    """A job that cannot be sent does not start counting anew with every try."""
    job = video_job()
    for _ in range(3):
        job = advance(advance(job, Intended("first")), NotSent())

    assert job.misses == 3


def test_the_estimate_grows_and_stays_below_100() -> None:
    """Linear to 90 at the expected time, then ever slower."""
    guesses = [estimate(seconds, 100.0) for seconds in range(0, 2000, 10)]

    assert guesses == sorted(guesses)
    assert (guesses[0], estimate(50.0, 100.0), estimate(100.0, 100.0), guesses[-1]) == (0, 45, 90, 98)
    assert estimate(5.0, 0.0) <= 99


def test_a_failure_is_raised_again_as_it_happened() -> None:
    """What ended a job keeps its status, type, code, and word on retrying."""
    fault = Failure.of(UpstreamBusy("come back", retry_after=7)).as_fault()

    assert (fault.status, fault.type, fault.code) == (429, "rate_limit_error", "rate_limit_exceeded")
    assert (fault.should_retry, fault.retry_after) == (True, 7)


def test_a_job_names_files_of_which_it_does_not_know_whether_they_are_there() -> None:
    """A poster that was stored when the disk seemed to fail, or a video whose process died before it wrote that."""
    job = video_job()

    assert {f"{job.stem}.mp4", f"{job.stem}.jpg", f"{job.stem}.webp"} <= {*job.files}


def test_what_older_versions_wrote_of_a_provider_is_read() -> None:
    """A job of the time before dialects is asked about as it always was, and its link is a link."""
    operation = msgspec.json.decode(b'{"name":"op","mark":"scene"}', type=Operation)
    remote = msgspec.json.decode(b'{"url":"https://s/v","poster_url":null}', type=RemoteVideo)

    assert operation == Operation("op", "scene", dialect="seed", project="")
    assert (remote.file.url, remote.file.name, remote.poster) == ("https://s/v", "", None)


def test_a_dialect_is_remembered_with_its_job() -> None:
    """And a job without one is written as older versions write it: they may run beside this one."""
    newer = Operation("m1", "scene", dialect="media", project="p")
    job = msgspec.structs.replace(video_job(), operation=newer)

    assert msgspec.json.decode(msgspec.json.encode(job), type=VideoJob).operation == newer
    assert msgspec.json.encode(Operation("op", "scene")) == b'{"name":"op","mark":"scene"}'
