"""The judge's rules for what is asked beside chats: deletions, cancellations, events, keys, stored files."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from adapter.domain.job import JobState, VideoJob
from adapter.domain.stored_files import stem_of
from tests.torture.calls import picture
from tests.torture.evidence import Evidence, Violation
from tests.torture.wishes import CANCELLED, LOST, PICTURE_ROUTES, UNKNOWN, Wish

#: A picture behind a link that a client has, or nearly had. It needs no row.
LINKED = re.compile(r"[0-9a-f]{32}\.(png|jpg|webp)")
#: The states in which a video that is called off is not fetched any more.
IN_TIME = {JobState.ACCEPTED, JobState.SUBMITTING, JobState.AMBIGUOUS, JobState.SUBMITTED}


def the_known_is_shown(evidence: Evidence) -> Iterator[Violation]:
    """I1: who was told of a video finds it, alone and in the list."""
    for wish in evidence.wishes:
        for told in wish.told:
            if told.what == "missing":
                yield Violation("I1 not listed", told.job_id, f"the list of '{wish.prompt}' does not have it")
            if told.what == "refused" and told.detail == "not_found":
                yield Violation("I1 denied", wish.job_id, f"'{wish.prompt}' was told that there is none")


def deleted_is_gone(evidence: Evidence) -> Iterator[Violation]:
    """I10: a video that was deleted is 404 for ever."""
    for wish in evidence.wishes:
        looks = [told.what for told in wish.told if told.what in {"gone", "there"}]
        if "there" in looks or (wish.is_deleted and len(looks) < 2):
            yield Violation("I10 not gone", wish.job_id, f"'{wish.prompt}' deleted it and saw {looks}")


def called_off_is_not_made(evidence: Evidence) -> Iterator[Violation]:
    """I11: a video that was called off in time is not fetched."""
    for job_id, state in evidence.called_off.items():
        job = evidence.last.jobs[job_id]
        code = job.failure.code if job.failure else None
        is_provoked = evidence.was_disturbed(job.created_at, job.finished_at or job.created_at)
        if state in IN_TIME and code != CANCELLED and not (code == UNKNOWN and is_provoked):
            yield Violation("I11 not called off", job_id, f"it was {state} and ended as {code or job.state}")


def events_have_no_gap(evidence: Evidence) -> Iterator[Violation]:
    """I5: over all connections of a reader, every change of a job was told once and in its order."""
    for wish in evidence.wishes:
        job = evidence.last.jobs.get(wish.job_id)
        if job is None or wish.kind.follows != "events":
            continue
        history = [(number, moment.phase.value, moment.progress) for number, moment in enumerate(job.history, start=1)]
        if wish.events != history:
            yield Violation("I5 events", job.id, f"{wish.events} were told of {history}")


def an_order_has_one_job(evidence: Evidence) -> Iterator[Violation]:
    """I9: an order that is repeated, by its key or as a retry, is one job, whoever died meanwhile."""
    for prompt in {wish.prompt for wish in evidence.wishes if wish.kind.route in {"json", "form", "edit"}}:
        ids = [job.id for job in evidence.last.jobs.values() if job.order.prompt == prompt and not _was_free(job)]
        if len(ids) > 1:
            yield Violation("I9 another job", prompt, f"{', '.join(ids)} were made for it")
        for wish in evidence.wishes:
            for told in wish.told:
                if wish.prompt == prompt and told.what == "again" and told.job_id != wish.job_id:
                    said = told.job_id or told.detail
                    yield Violation("I9 another job", wish.job_id, f"its order was answered with {said} at last")


def _was_free(job: VideoJob) -> bool:
    """Say whether a retry of the order makes another job: this one failed before anything was carried out."""
    return job.failure is not None and job.operation is None and job.failure.should_retry is not False


def a_picture_is_made_once(evidence: Evidence) -> Iterator[Violation]:
    """I2, I4, I6 of pictures: with a key once and never again, with one answer; or it is said that it was lost."""
    made = Counter(execution.prompt for execution in evidence.executions if execution.kind == "image")
    for wish in evidence.wishes:
        if wish.kind.route not in PICTURE_ROUTES:
            continue
        if made[wish.prompt] > (1 if wish.kind.keyed else 1 + wish.failures):
            yield Violation("I2 picture twice", wish.prompt, f"it was made {made[wish.prompt]} times")
        given = [told.detail for told in wish.told if told.what == "given"]
        for told in wish.told:
            is_lost = told.detail in LOST and _was_disturbed(wish, evidence)
            if told.what == "again" and told.detail not in given and not is_lost:
                yield Violation("I4 other picture", wish.prompt, f"{told.detail} was given after {given}")
            if told.what == "refused" and told.detail not in wish.kind.ends and not is_lost:
                yield Violation("I6 no reason", wish.prompt, f"it was refused as {told.detail}")


def _was_disturbed(wish: Wish, evidence: Evidence) -> bool:
    return evidence.was_disturbed(wish.told[0].at, wish.told[-1].at)


def a_file_is_kept(evidence: Evidence) -> Iterator[Violation]:
    """I4 of uploads: who was told of a file gets the bytes that it sent, until it is deleted."""
    for wish in evidence.wishes:
        if wish.kind.route != "file":
            continue
        sent = hashlib.sha256(picture(wish.prompt)).hexdigest()
        for told in wish.told:
            if told.what in {"given", "again"} and told.detail != sent:
                yield Violation("I4 other file", told.job_id, f"{told.detail} was given, {sent} was sent")
            if told.what == "refused":
                yield Violation("I6 no reason", wish.prompt, f"its upload was refused as {told.detail}")


def every_file_has_an_owner(evidence: Evidence) -> Iterator[Violation]:
    """I12: what a sweep leaves belongs to a row of the database, or is behind a link; and no file is missing."""
    found = evidence.inventory
    strangers = [name for name in found.media if stem_of(name) not in found.owners]
    links = [name for name in strangers if LINKED.fullmatch(name)]
    asked = sum(
        told.what in {"given", "unknown", "later"}
        for wish in evidence.wishes
        for told in wish.told * (wish.kind.route == "picture chat")
    )
    unowned = {*strangers, *found.without_owner} - {*links}
    for name in sorted(unowned):
        yield Violation("I12 no owner", name, "no row has it, and the sweep left it")
    if len(links) > asked:
        yield Violation("I12 no owner", f"{len(links)} pictures", f"clients got or nearly got {asked} links")
    for name in found.spool:
        yield Violation("I12 no owner", name, "its process is dead, and no other one took its answers")
    for name in found.missing:
        yield Violation("I12 missing", name, "a row has it, and it is not there")


def each_end_is_counted_once(evidence: Evidence) -> Iterator[Violation]:
    """I13: a video that ended is counted once in the table of usage, whatever died meanwhile."""
    ended = sum(job.is_over for job in evidence.last.jobs.values())
    if evidence.counted not in {None, ended}:
        yield Violation("I13 usage", f"{ended} videos ended", f"{evidence.counted} are counted")


REST_RULES = (
    the_known_is_shown,
    deleted_is_gone,
    called_off_is_not_made,
    events_have_no_gap,
    an_order_has_one_job,
    a_picture_is_made_once,
    a_file_is_kept,
    every_file_has_an_owner,
    each_end_is_counted_once,
)
