"""The judge, on evidence made by hand: what no seeded bug shows."""

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec
import pytest

from adapter.domain.job import (
    Failed,
    Failure,
    Intended,
    JobState,
    Operation,
    Progressed,
    Rendered,
    Stored,
    StoredVideo,
    Submitted,
    VideoJob,
    advance,
)
from adapter.domain.media import RemoteVideo
from adapter.sandbox.memory.records import Execution
from tests.fakes import video_job
from tests.torture.calls import picture
from tests.torture.checker import check
from tests.torture.evidence import Disturbance, Evidence, Inventory, Look
from tests.torture.wishes import OMNI_MODEL, TEXT, UNKNOWN, UPLOADED, Kind, Told, Wish

LIVE = advance(
    advance(advance(video_job(), Intended("first")), Submitted(Operation("op-1", "scene-1"), 1001.0)), Progressed(40)
)
VIDEO = StoredVideo(video=f"{LIVE.stem}.mp4", poster=None, size=3, sha256="bytes")
DONE = advance(advance(LIVE, Rendered(RemoteVideo("https://storage/1"))), Stored(VIDEO, 1100.0))
PAID = Execution(
    id="1", kind="video", account="a", scene_id="scene-1", operation="op-1", prompt="", model="", at=1001.0, credits=20
)
HAPPY = Wish(
    TEXT,
    DONE.order.prompt,
    [
        Told(at=1001.0, what="accepted", job_id=DONE.id),
        Told(at=1101.0, what="given", job_id=DONE.id, detail="bytes"),
    ],
)


def evidence(
    *jobs: VideoJob, wish: Wish = HAPPY, executions: Sequence[Execution] = (PAID,), files: Sequence[str] = ()
) -> Evidence:
    """Return the evidence of a trial in which those jobs were seen one after the other, the last one at the end."""
    names = dict.fromkeys((VIDEO.video, *files), "bytes")
    return Evidence(
        wishes=[wish],
        looks=[Look({job.id: job}, names) for job in jobs] or [Look({}, {})],
        executions=executions,
        spent=20 * len(executions),
        price=20,
        truth={"op-1": "bytes"},
        disturbances=[],
    )


def rules(given: Evidence) -> set[str]:
    """Return the promises that are found broken."""
    return {violation.rule for violation in check(given)}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    """Else everything below would mean nothing."""
    assert check(evidence(LIVE, DONE)) == []


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (evidence(executions=()), "I1 lost"),
        (evidence(DONE, LIVE), "I1 changed"),
        (evidence(LIVE), "I1 not over"),
        (evidence(DONE, executions=(PAID, PAID)), "I2 twice"),
        (evidence(DONE, executions=(PAID, msgspec.structs.replace(PAID, scene_id="x"))), "I2 stranger"),
        (evidence(DONE, executions=()), "I3 invented"),
        (evidence(msgspec.structs.replace(DONE, progress=40)), "I5 history"),
        (evidence(LIVE, msgspec.structs.replace(DONE, history=DONE.history[:1] + DONE.history[2:])), "I5 rewritten"),
        (evidence(DONE, wish=Wish(TEXT, DONE.order.prompt, HAPPY.told[:1])), "I6 no answer"),
        (evidence(DONE, files=[f"{DONE.stem}.mp4#1"]), "I7 left behind"),
        (evidence(DONE, files=["0123456789abcdef_0.png"]), "I7 left behind"),
        (msgspec.structs.replace(evidence(DONE), spent=40), "I8 credits"),
        (msgspec.structs.replace(evidence(DONE), counted=2), "I13 usage"),
        (msgspec.structs.replace(evidence(DONE), counted=0), "I13 usage"),
        (msgspec.structs.replace(evidence(DONE), truth={"op-1": "others"}), "I4 other bytes"),
    ],
)
def test_a_broken_promise_is_found(broken: Evidence, rule: str) -> None:
    """By its number."""
    assert rule in rules(broken)


def second(job: VideoJob) -> VideoJob:
    """Return another job of the same wish."""
    other = msgspec.structs.replace(video_job(2), order=job.order)
    return msgspec.structs.replace(job, id=other.id, mark=other.mark, stem=other.stem)


def test_a_video_that_nobody_was_given_is_found() -> None:
    """Two clients were given the other one. That may be if a process died just after the first of them had it."""
    other, third = second(DONE), msgspec.structs.replace(LIVE, id="video_3")
    jobs = {job.id: job for job in (DONE, other, third)}
    lost = msgspec.structs.replace(
        evidence(DONE), wishes=[HAPPY, HAPPY], looks=[Look(jobs, {VIDEO.video: "bytes", f"{other.stem}.mp4": "bytes"})]
    )
    killed = msgspec.structs.replace(lost, disturbances=[Disturbance(1101.5, 1101.6, "victim killed")])

    assert "I9 two for one" in rules(lost)
    assert "I9 two for one" not in rules(killed)


ORDER = Kind(name="order", route="json", keyed=True, follows="events")
EVENTS = [(number, moment.phase.value, moment.progress) for number, moment in enumerate(DONE.history, start=1)]


def order(*more: Told, events: Sequence[tuple[int, str, int]] = EVENTS, kind: Kind = ORDER) -> Wish:
    """Return a wish that was ordered by `/v1/videos`, with what was told beside the video."""
    return Wish(kind, DONE.order.prompt, [*HAPPY.told, *more], [*events])


def told(what: Literal["deleted", "gone", "there", "again", "missing"], job_id: str = DONE.id) -> Told:
    """Return what was told at the end."""
    return Told(at=1102.0, what=what, job_id=job_id)


DELETED = msgspec.structs.replace(ORDER, then="deleted")
CALLED_OFF = msgspec.structs.replace(evidence(DONE, wish=order()), called_off={DONE.id: JobState.SUBMITTED})


def test_a_deleted_video_leaves_nothing() -> None:
    """Neither itself nor a file."""
    gone = order(told("deleted"), told("gone"), told("gone"), kind=DELETED)
    whole = evidence(DONE, wish=gone)
    empty = msgspec.structs.replace(whole, looks=[Look({DONE.id: DONE}, {})])

    assert check(empty) == []
    assert rules(whole) == {"I7 left behind"}


@pytest.mark.parametrize(
    ("wish", "rule"),
    [
        (order(events=[*EVENTS[:1], *EVENTS[2:]]), "I5 events"),
        (order(events=[*EVENTS, EVENTS[-1]]), "I5 events"),
        (order(told("again", "video_other")), "I9 another job"),
        (order(told("missing")), "I1 not listed"),
        (order(told("deleted"), told("gone"), told("there"), kind=DELETED), "I10 not gone"),
        (order(told("deleted"), kind=DELETED), "I10 not gone"),
    ],
)
def test_a_promise_of_the_videos_api_is_found_broken(wish: Wish, rule: str) -> None:
    """By its number."""
    assert rule in rules(evidence(DONE, wish=wish))


def test_an_order_is_kept_track_of() -> None:
    """Nothing is found where nothing is wrong; a video that was called off in time and made is."""
    assert check(evidence(DONE, wish=order(told("again")))) == []
    assert rules(CALLED_OFF) == {"I11 not called off"}


STEM = "0123456789abcdef" * 2
FROM_CHAT = Kind(name="picture in a chat", route="picture chat")


def left(*media: str, owners: Sequence[str] = (DONE.stem,), wish: Wish = HAPPY, **more: Sequence[str]) -> Evidence:
    """Return the evidence of a trial after which a sweep left those files."""
    inventory = msgspec.structs.replace(Inventory(media=media, owners=owners), **more)
    return msgspec.structs.replace(evidence(DONE, wish=wish), inventory=inventory)


def test_what_a_sweep_leaves_has_an_owner() -> None:
    """A row of the database, or a client that has the link."""
    linked = Wish(FROM_CHAT, DONE.order.prompt, [*HAPPY.told])

    assert check(left(VIDEO.video, f"{DONE.stem}_0.png")) == []
    assert check(left(f"{STEM}_upload.png", owners=[STEM])) == []
    assert "I12 no owner" not in rules(left(f"{STEM}.png", wish=linked))


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (left(f"{STEM}_upload.png"), "I12 no owner"),
        (left(f"{STEM}.mp4"), "I12 no owner"),
        (left(f"{STEM}.png"), "I12 no owner"),
        (left("notes.txt"), "I12 no owner"),
        (left(VIDEO.video, without_owner=[VIDEO.video]), "I12 no owner"),
        (left(spool=["0123.answers"]), "I12 no owner"),
        (left(missing=[VIDEO.video]), "I12 missing"),
    ],
)
def test_a_file_without_an_owner_and_one_that_is_missing_are_found(broken: Evidence, rule: str) -> None:
    """Each alone."""
    assert rules(broken) == {rule}


def test_an_upload_comes_back_as_it_was_sent() -> None:
    """Now and at the end."""
    sent = hashlib.sha256(picture("fox")).hexdigest()
    given = [Told(at=1.0, what="given", job_id="file_1", detail=sent)]
    lost = Told(at=2.0, what="again", job_id="file_1", detail="no file")

    assert rules(left(wish=Wish(UPLOADED, "fox", given))) == set()
    assert rules(left(wish=Wish(UPLOADED, "fox", [*given, lost]))) == {"I4 other file"}


OMNI_WISH = Wish(Kind(name="omni", model=OMNI_MODEL), DONE.order.prompt, HAPPY.told)


def interaction(name: str = "op-1") -> Execution:
    """Return an interaction that was carried out."""
    prompt = f"<FIRST_FRAME> {DONE.order.prompt}"
    return msgspec.structs.replace(PAID, model=OMNI_MODEL, operation=name, prompt=prompt, scene_id="edit", credits=0)


def unanswered() -> VideoJob:
    """Return a job of which it is unknown whether it was carried out."""
    sent = advance(video_job(), Intended("first", 1001.0))
    failure = Failure(message="It is unknown.", code=UNKNOWN, type="server_error", status=502)
    return advance(sent, Failed(failure, 1010.0))


@pytest.mark.parametrize(
    ("jobs", "executions", "rule"),
    [
        ([DONE], [interaction()], None),
        ([unanswered()], [interaction()], None),
        ([unanswered()], [], None),
        ([DONE], [interaction(), interaction("op-2")], "I2 twice"),
        ([msgspec.structs.replace(unanswered(), failure=None)], [interaction()], "I6 unflagged"),
        ([video_job()], [interaction()], "I2 stranger"),
    ],
)
def test_an_interaction_is_counted_by_its_prompt(
    jobs: list[VideoJob], executions: list[Execution], rule: str | None
) -> None:
    """It carries no mark of ours."""
    given = msgspec.structs.replace(evidence(*jobs, wish=OMNI_WISH, executions=executions), spent=0)
    found = {each for each in rules(given) if each.startswith(("I2", "I6 unflagged"))}

    assert found == ({rule} if rule else set())
