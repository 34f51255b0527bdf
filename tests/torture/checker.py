"""The judge: a pure function over what everybody saw. It knows the promises, and nothing of how they are kept.

Its rules are those of `reliability.md` section 5 item 4, by number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from adapter.domain.job import JobState, Moment, Phase, VideoJob
from adapter.sandbox.memory.records import Execution
from tests.torture.wishes import COMPLETED, UNKNOWN, Wish

#: How far apart two events may be in time and still belong together, in seconds.
NEAR_SECONDS = 1.0
#: What may follow what in the eyes of a reader.
NEXT = {
    Phase.QUEUED: {Phase.QUEUED, Phase.IN_PROGRESS, Phase.FAILED},
    Phase.IN_PROGRESS: {Phase.IN_PROGRESS, Phase.COMPLETED, Phase.FAILED},
    Phase.COMPLETED: set[Phase](),
    Phase.FAILED: set[Phase](),
}


class Disturbance(msgspec.Struct, frozen=True):
    """Somebody was killed, paused or refused, between those Unix times."""

    since: float
    until: float
    what: str


class Look(msgspec.Struct, frozen=True):
    """What our database and our files held at a moment: a restart may have been next."""

    jobs: Mapping[str, VideoJob]
    #: SHA-256 by name; the end of a name that is no whole file's is `#` and a number.
    files: Mapping[str, str]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a trial when it is over."""

    wishes: Sequence[Wish]
    #: In their order; the last one was taken when everything had come to rest.
    looks: Sequence[Look]
    executions: Sequence[Execution]
    #: Credits that Google took, and what one video costs.
    spent: int
    price: int
    #: SHA-256 of each video as Google has it, by operation.
    truth: Mapping[str, str]
    disturbances: Sequence[Disturbance]

    @property
    def last(self) -> Look:
        """How everything ended."""
        return self.looks[-1]


class Violation(msgspec.Struct, frozen=True):
    """A broken promise."""

    rule: str
    subject: str
    said: str

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.rule}: {self.subject}: {self.said}"


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
    for mark, times in Counter(execution.scene_id for execution in evidence.executions).items():
        if mark not in marks:
            yield Violation("I2 stranger", mark, "it was carried out and no job is behind it")
        elif times > 1:
            yield Violation("I2 twice", marks[mark].id, f"it was carried out {times} times: {_shown(marks[mark])}")


def known_is_kept(evidence: Evidence) -> Iterator[Violation]:
    """I3: an operation that we know ends as a video, or by Google's own word."""
    kinds = _kinds(evidence)
    for job in evidence.last.jobs.values():
        wish = kinds.get(job.order.prompt)
        if job.operation is None or wish is None or not job.is_over:
            continue
        if (job.failure is not None) is not wish.kind.given_up:
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
        if evidence.last.files.get(job.media.video) is None:
            yield Violation("I4 no file", job.id, f"it is completed and {job.media.video} is not there")
        for look in evidence.looks:
            seen = look.files.get(job.media.video)
            if seen not in {None, truth}:
                yield Violation("I4 other bytes", job.id, f"{job.media.video} was seen with {seen}, Google has {truth}")
    for wish in evidence.wishes:
        for told in wish.told:
            given = jobs.get(told.job_id)
            if told.what == "given" and given is not None and given.operation is not None:
                truth = evidence.truth.get(given.operation.name)
                if told.detail != truth:
                    yield Violation("I4 other bytes", given.id, f"a client was given {told.detail}, Google has {truth}")


def history_is_whole(evidence: Evidence) -> Iterator[Violation]:
    """I5: no change is missing in a history, none is taken back, and progress never falls."""
    for job in evidence.last.jobs.values():
        if said := _wrong_in(job.history, job):
            yield Violation("I5 history", job.id, f"{said}: {[*map(tuple, map(_pair, job.history))]}")
    longest: dict[str, tuple[Moment, ...]] = {}
    for look in evidence.looks:
        for job in look.jobs.values():
            before = longest.get(job.id, ())
            if job.history[: len(before)] != before:
                yield Violation("I5 rewritten", job.id, f"{len(before)} changes were told and are others now")
            longest[job.id] = job.history


def _pair(moment: Moment) -> tuple[str, int]:
    return (moment.phase.value, moment.progress)


def _wrong_in(history: Sequence[Moment], job: VideoJob) -> str:
    if not history or history[0] != Moment(Phase.QUEUED, 0):
        return "it does not begin at the beginning"
    if history[-1] != Moment(job.phase, job.progress):
        return "it does not end where the job is"
    for one, next_one in pairwise(history):
        if next_one.phase not in NEXT[one.phase]:
            return f"{next_one.phase} follows {one.phase}"
        if next_one.progress < one.progress:
            return "progress falls"
    return ""


def nothing_is_silent(evidence: Evidence) -> Iterator[Violation]:
    """I6: every client has its answer, and a job without a video says why, truly."""
    executed = {execution.scene_id for execution in evidence.executions}
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
    until = (job.finished_at or job.created_at) + NEAR_SECONDS
    since = job.created_at - NEAR_SECONDS
    return any(each.since <= until and each.until >= since for each in evidence.disturbances)


def nothing_is_left(evidence: Evidence) -> Iterator[Violation]:
    """I7: every file belongs to a job, and none is half a file.

    A picture that was stored for a job which was then not admitted, because the process died in between or the database
    did not take it, is the janitor's: one for each such attempt of a client.
    """
    known = {name for job in evidence.last.jobs.values() for name in job.files}
    stems = {job.stem for job in evidence.last.jobs.values()}
    strangers = [name for name in evidence.last.files if name not in known]
    pictures = [name for name in strangers if "_" in name and name.partition("_")[0] not in stems]
    broken = [
        wish.prompt
        for wish in evidence.wishes
        for told in wish.told * wish.kind.pictures
        if told.what in {"unknown", "later"}
    ]
    for name in strangers:
        if name not in pictures:
            yield Violation("I7 left behind", name, "it belongs to no job")
    if len(pictures) > len(broken):
        said = f"{len(broken)} attempts broke before their job was known"
        yield Violation("I7 left behind", f"{len(pictures)} pictures", said)


def credits_are_executions(evidence: Evidence) -> Iterator[Violation]:
    """I8: the books of the other side are right, or nothing above means anything."""
    if evidence.spent != evidence.price * len(evidence.executions):
        yield Violation("I8 credits", str(evidence.spent), f"{len(evidence.executions)} executions at {evidence.price}")


def one_wish_one_job(evidence: Evidence) -> Iterator[Violation]:
    """I9: who asks again gets the job that lives, or the video that nobody was given yet."""
    for prompt in {wish.prompt for wish in evidence.wishes}:
        for look in evidence.looks:
            live = [job.id for job in look.jobs.values() if job.order.prompt == prompt and not job.is_over]
            if len(live) > 1:
                yield Violation("I9 two for one", prompt, f"{', '.join(live)} were alive together")
                break
        same = [job for job in evidence.last.jobs.values() if job.order.prompt == prompt]
        lost = [job.id for job in same if job.state is JobState.COMPLETED and not _was_given(evidence, job.id)]
        if lost and len(same) > 1:
            yield Violation("I9 two for one", prompt, f"nobody was given {', '.join(lost)} of {len(same)} jobs")


def _was_given(evidence: Evidence, job_id: str) -> bool:
    """Say whether the video was handed to a client, or may have been: the line broke after its job was named."""
    told = [told for wish in evidence.wishes for told in wish.told if told.job_id == job_id]
    return any(each.what in {"given", "unknown"} for each in told)


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
    known_is_kept,
    bytes_are_equal,
    history_is_whole,
    nothing_is_silent,
    nothing_is_left,
    credits_are_executions,
    one_wish_one_job,
)
