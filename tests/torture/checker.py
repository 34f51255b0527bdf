"""The judge: a pure function over what everybody saw. It knows the promises, and nothing of how they are kept.

Its rules are those of `reliability.md` section 5 item 4, by number.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter

from adapter.domain.job import JobState, Phase, ProgressEvent, VideoJob
from tests.torture.checker_rest import REST_RULES
from tests.torture.evidence import Evidence, Violation
from tests.torture.wishes import CANCELLED, COMPLETED, PICTURE_ROUTES, UNKNOWN, Wish

#: A picture that a video is made from, or that an answer is remembered by; and the film of an edit.
PICTURE = re.compile(r"[0-9a-f]{32}((_\d+|_upload|_response|_answer\d+)?\.(png|jpg|webp)|_source\.mp4)")
#: Where files are stored without a video.
STORING_ROUTES = {*PICTURE_ROUTES, "file"}
#: What may follow what in the eyes of a reader.
NEXT = {
    Phase.QUEUED: {Phase.QUEUED, Phase.IN_PROGRESS, Phase.FAILED},
    Phase.IN_PROGRESS: {Phase.IN_PROGRESS, Phase.COMPLETED, Phase.FAILED},
    Phase.COMPLETED: set[Phase](),
    Phase.FAILED: set[Phase](),
}


def check(evidence: Evidence) -> list[Violation]:
    """Return every broken promise."""
    return [violation for rule in RULES for violation in rule(evidence)]


def ends_once(evidence: Evidence) -> Iterator[Violation]:
    """I1: what was accepted is over in the end, and what is over never changes."""
    jobs = evidence.last.jobs
    for wish in evidence.wishes:
        for told in wish.told:
            if told.what == "accepted" and told.job_id not in jobs:
                yield Violation("I1 lost", told.job_id, f"it was accepted for '{wish.prompt}' and is not known")
    for job in jobs.values():
        if not job.is_over:
            yield Violation("I1 not over", job.id, f"it is still {job.state} after {len(job.history)} changes")
    for look in evidence.looks:
        for job in look.jobs.values():
            if job.is_over and jobs.get(job.id) != job:
                yield Violation("I1 changed", job.id, f"it was {job.state} and over, and is {_shown(jobs.get(job.id))}")


def executed_once(evidence: Evidence) -> Iterator[Violation]:
    """I2: no job was carried out twice, and nothing without a job."""
    marks = {job.mark: job for job in evidence.last.jobs.values()}
    videos = [execution.scene_id for execution in evidence.flow_videos]
    for mark, times in Counter(videos).items():
        if mark not in marks:
            yield Violation("I2 stranger", mark, "it was carried out and no job is behind it")
        elif times > 1:
            yield Violation("I2 twice", marks[mark].id, f"it was carried out {times} times: {_shown(marks[mark])}")


def interactions_are_sent_once(evidence: Evidence) -> Iterator[Violation]:
    """I2, I6: each job of Omni sends one interaction. Those without an answer are jobs that say that it is unknown.

    An interaction carries no mark of ours: it is known by its prompt, and by its name once that was told.
    """
    for prompt, times in Counter(map(evidence.prompt_of, evidence.interactions)).items():
        jobs = [job for job in evidence.last.jobs.values() if job.order.prompt == prompt]
        sent = [job for job in jobs if job.intended_at is not None]
        unanswered = times - sum(job.operation is not None for job in sent)
        unknown = sum(job.failure is not None and job.failure.code == UNKNOWN for job in sent)
        if not sent:
            yield Violation("I2 stranger", prompt, "an interaction was carried out and no job is behind it")
        elif times > len(sent):
            yield Violation("I2 twice", prompt, f"{len(sent)} jobs sent {times} interactions")
        elif unanswered > unknown:
            said = f"{unanswered} interactions had no answer, and {unknown} jobs say so"
            yield Violation("I6 unflagged", prompt, said)


def known_is_kept(evidence: Evidence) -> Iterator[Violation]:
    """I3: an operation that we know ends as a video, or by Google's own word."""
    kinds = _kinds(evidence)
    for job in evidence.last.jobs.values():
        wish = kinds.get(job.order.prompt)
        if job.operation is None or wish is None or not job.is_over:
            continue
        is_called_off = job.failure is not None and job.failure.code == CANCELLED and CANCELLED in wish.kind.ends
        if (job.failure is not None) is not wish.kind.given_up and not is_called_off:
            yield Violation("I3 paid for nothing", job.id, f"a job of the kind '{wish.kind.name}' is {_shown(job)}")
        if job.operation.name not in {execution.operation for execution in evidence.executions}:
            yield Violation("I3 invented", job.id, f"nobody carried out {job.operation.name}")


def bytes_are_equal(evidence: Evidence) -> Iterator[Violation]:
    """I4: what we store under its name, at any time, and what a client gets is what Google made."""
    jobs = evidence.last.jobs
    for job in jobs.values():
        if job.media is None or job.operation is None:
            continue
        truth = evidence.truth.get(job.operation.name)
        if evidence.last.files.get(job.media.video) is None and job.id not in evidence.deleted:
            yield Violation("I4 no file", job.id, f"it is completed and {job.media.video} is not there")
        for look in evidence.looks:
            seen = look.files.get(job.media.video)
            if seen not in {None, truth}:
                yield Violation("I4 other bytes", job.id, f"{job.media.video} was seen with {seen}, Google has {truth}")
    for wish in evidence.wishes:
        for told in wish.told:
            given = evidence.meant(told)
            if told.what == "given" and given is not None and given.operation is not None:
                truth = evidence.truth.get(given.operation.name)
                if told.detail != truth:
                    yield Violation("I4 other bytes", given.id, f"a client was given {told.detail}, Google has {truth}")


def history_is_whole(evidence: Evidence) -> Iterator[Violation]:
    """I5: no change is missing in a history, none is taken back, and progress never falls."""
    for job in evidence.last.jobs.values():
        if said := _wrong_in(job.history, job):
            yield Violation("I5 history", job.id, f"{said}: {[*map(tuple, map(_pair, job.history))]}")
    longest: dict[str, tuple[ProgressEvent, ...]] = {}
    for look in evidence.looks:
        for job in look.jobs.values():
            before = longest.get(job.id, ())
            if job.history[: len(before)] != before:
                yield Violation("I5 rewritten", job.id, f"{len(before)} changes were told and are others now")
            longest[job.id] = job.history


def _pair(moment: ProgressEvent) -> tuple[str, int]:
    return (moment.phase.value, moment.progress)


def _wrong_in(history: Sequence[ProgressEvent], job: VideoJob) -> str:
    if not history or history[0] != ProgressEvent(Phase.QUEUED, 0):
        return "it does not begin at the beginning"
    if history[-1] != ProgressEvent(job.phase, job.progress):
        return "it does not end where the job is"
    for one, next_one in pairwise(history):
        if next_one.phase not in NEXT[one.phase]:
            return f"{next_one.phase} follows {one.phase}"
        if next_one.progress < one.progress:
            return "progress falls"
    return ""


def nothing_is_silent(evidence: Evidence) -> Iterator[Violation]:
    """I6: every client has its answer, and a job without a video says why, truly."""
    executed = {execution.scene_id for execution in evidence.flow_videos}
    kinds = _kinds(evidence)
    for wish in evidence.wishes:
        if not wish.is_over:
            yield Violation("I6 no answer", wish.prompt, f"its client was told {[told.what for told in wish.told]}")
    for job in evidence.last.jobs.values():
        if job.failure is None:
            continue
        code = job.failure.code
        kind = kinds[job.order.prompt].kind if job.order.prompt in kinds else None
        if job.mark in executed and job.operation is None and code != UNKNOWN:
            yield Violation("I6 unflagged", job.id, f"it was carried out, and failed as {code}: {job.failure.message}")
        if kind and code not in kind.ends and not (code == UNKNOWN and _is_provoked(job, evidence)):
            yield Violation("I6 no reason", job.id, f"a job of the kind '{kind.name}' failed as {code}")


def _is_provoked(job: VideoJob, evidence: Evidence) -> bool:
    return evidence.was_disturbed(job.created_at, job.finished_at or job.created_at)


def nothing_is_left(evidence: Evidence) -> Iterator[Violation]:
    """I7: every file belongs to a job that was not deleted, or to a picture; and none is half a file.

    A picture that was stored for a job which was then not admitted, or for an answer which was then not remembered,
    because the process died in between or the database did not take it, is the janitor's: one for each such attempt.
    """
    jobs = evidence.last.jobs
    known = {name for job in jobs.values() for name in job.files if job.id not in evidence.deleted}
    stems = {job.stem for job in jobs.values()}
    strangers = [name for name in evidence.last.files if name not in known]
    pictures = [name for name in strangers if PICTURE.fullmatch(name) and name[:32] not in stems]
    allowed = sum(
        told.what in {"unknown", "later"} or (told.what == "given" and wish.kind.route in STORING_ROUTES)
        for wish in evidence.wishes
        for told in wish.told * (wish.kind.pictures or wish.kind.route in {*STORING_ROUTES, "edit"})
    )
    for name in strangers:
        if name not in pictures:
            yield Violation("I7 left behind", name, "it belongs to no job, or to a deleted one")
    if len(pictures) > allowed:
        said = f"{allowed} attempts broke before their job was known, or got a picture"
        yield Violation("I7 left behind", f"{len(pictures)} pictures", said)


def credits_are_executions(evidence: Evidence) -> Iterator[Violation]:
    """I8: the books of the other side are right, or nothing above means anything."""
    videos = len(evidence.flow_videos)
    if evidence.spent != evidence.price * videos:
        yield Violation("I8 credits", str(evidence.spent), f"{videos} executions at {evidence.price}")


def one_wish_one_job(evidence: Evidence) -> Iterator[Violation]:
    """I9: a client that asks again gets the job that lives, or the video that no client was given yet.

    Clients that want the same at once have a job each. The note of a delivery may die with its process; then two of
    them may be given the same video.
    """
    chats = [wish for wish in evidence.wishes if wish.kind.route == "chat"]
    for prompt, clients in Counter(wish.prompt for wish in chats).items():
        most = 1 if any(wish.kind.keyed for wish in chats if wish.prompt == prompt) else clients
        for look in evidence.looks:
            live = [job.id for job in look.jobs.values() if job.order.prompt == prompt and not job.is_over]
            if len(live) > most:
                yield Violation("I9 two for one", prompt, f"{', '.join(live)} were alive together")
                break
        same = [job for job in evidence.last.jobs.values() if job.order.prompt == prompt]
        lost = [job.id for job in same if job.state is JobState.COMPLETED and not _was_given(evidence, job.id)]
        if len(lost) > _given_twice(evidence, prompt) and len(same) > most:
            told = [[each.what for each in wish.told] for wish in chats if wish.prompt == prompt]
            said = f"nobody was given {', '.join(lost)} of {len(same)} jobs; clients were told {told}"
            yield Violation("I9 two for one", prompt, said)


def _given_twice(evidence: Evidence, prompt: str) -> int:
    """Return how many clients were given a video that another client had been given just before something happened."""
    of_prompt = [told for wish in evidence.wishes if wish.prompt == prompt for told in wish.told]
    given = [(job.id, told.at) for told in of_prompt if told.what == "given" and (job := evidence.meant(told))]
    first = dict(sorted(given, key=itemgetter(1), reverse=True))
    times = Counter(job_id for job_id, _ in given)
    return sum(times[job_id] - 1 for job_id, at in first.items() if evidence.was_disturbed(at, at))


def _was_given(evidence: Evidence, job_id: str) -> bool:
    """Say whether the video was handed to a client, or may have been: the line broke after a stream had begun."""
    job = evidence.last.jobs[job_id]
    told = [told for wish in evidence.wishes if wish.prompt == job.order.prompt for told in wish.told]
    may_be = any(each.what == "unknown" and (each.job_id == job_id or each.detail == "opened") for each in told)
    return may_be or any(each.what == "given" and evidence.meant(each) == job for each in told)


def _kinds(evidence: Evidence) -> Mapping[str, Wish]:
    return {wish.prompt: wish for wish in evidence.wishes}


def _shown(job: VideoJob | None) -> str:
    if job is None:
        return "not known"
    operation = job.operation.name if job.operation else "no operation"
    return f"{job.state} ({job.failure.code if job.failure else COMPLETED if job.media else 'live'}, {operation})"


RULES = (
    ends_once,
    executed_once,
    interactions_are_sent_once,
    known_is_kept,
    bytes_are_equal,
    history_is_whole,
    nothing_is_silent,
    nothing_is_left,
    credits_are_executions,
    one_wish_one_job,
    *REST_RULES,
)
