"""Jobs, and the only place where the state of a video job changes.

Rule: a state changes by `advance(job, event)` and nowhere else; a pair that the table lacks is a programming error.
The order of the states is the order of the writes (reference: `reliability.md` section 2.2): the intent is committed
before the first byte goes upstream, so a job found in `submitting` may have been executed and is never sent again.
One whose sender got no answer is `ambiguous`; it goes back to `accepted` only by a proof that it was not charged.
"""

from enum import StrEnum
from typing import Final

import msgspec

from adapter.domain.allowance import Charge
from adapter.domain.finished_work import FREE, FinishedWork
from adapter.domain.media import MediaFormat, RemoteVideo
from adapter.domain.orders import VideoOrder
from adapter.domain.spending import Spending
from adapter.domain.stored_files import file_name
from adapter.domain.usage import Cost, VideoTokens
from adapter.errors import AdapterError, JobFailed


class JobState(StrEnum):
    """Where a job stands."""

    ACCEPTED = "accepted"  # remembered; nothing sent
    SUBMITTING = "submitting"  # the intent is written; the request may be on its way
    AMBIGUOUS = "ambiguous"  # sent, and no answer that tells what became of it; the account's credits may tell
    SUBMITTED = "submitted"  # the provider gave it a name and works on it
    READY = "ready"  # finished upstream; the bytes are still there
    COMPLETED = "completed"  # the bytes are ours
    FAILED = "failed"


#: Codes of failures, which tell what is known of the charge: nothing; the job was paid for; it may have been.
SUBMIT_UNKNOWN_CODE: Final = "upstream_submit_unknown"
CANCELLED_CODE: Final = "cancelled"
DEADLINE_CODE: Final = "deadline_exceeded"

LIVE: Final = (JobState.ACCEPTED, JobState.SUBMITTING, JobState.AMBIGUOUS, JobState.SUBMITTED, JobState.READY)
#: The states in which it is unknown whether the provider takes the job.
UNSETTLED: Final = (JobState.SUBMITTING, JobState.AMBIGUOUS)


class Phase(StrEnum):
    """The state of a job as a reader sees it."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


PHASES: Final = {
    JobState.ACCEPTED: Phase.QUEUED,
    JobState.SUBMITTING: Phase.QUEUED,
    JobState.AMBIGUOUS: Phase.QUEUED,
    JobState.SUBMITTED: Phase.IN_PROGRESS,
    JobState.READY: Phase.IN_PROGRESS,
    JobState.COMPLETED: Phase.COMPLETED,
    JobState.FAILED: Phase.FAILED,
}


class ProgressEvent(msgspec.Struct, frozen=True, array_like=True):
    """What a reader can be told of a job; its number is its place in the job's history, from 1."""

    phase: Phase
    progress: int


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the provider calls a submitted job. `mark` is the mark that we gave it ourselves."""

    name: str
    mark: str
    #: In which of the provider's forms it has to be asked about. The default is the only one of older rows.
    dialect: str = "seed"
    #: The provider's project that it belongs to, where the form needs one and the answer named one.
    project: str = ""
    #: The provider's name of the work around the video, where the answer named one: an extension asks for it.
    workflow: str = ""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed, in the form in which its reader gets it."""

    message: str
    code: str | None
    type: str
    status: int
    should_retry: bool | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, fault: AdapterError) -> "Failure":
        """Remember a fault."""
        return cls(
            message=fault.message,
            code=fault.code,
            type=fault.type,
            status=fault.status,
            should_retry=fault.should_retry,
            retry_after=fault.retry_after,
        )

    def as_fault(self) -> JobFailed:
        """Return it as the exception to raise before the job's reader."""
        fault = JobFailed(self.message, code=self.code, retry_after=self.retry_after)
        fault.status, fault.type, fault.should_retry = self.status, self.type, self.should_retry
        return fault


class BalanceReading(msgspec.Struct, frozen=True):
    """What an account had at a time; None if it could not be read."""

    credits: int | None
    at: float


class Ambiguity(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a submission that got no answer."""

    #: What its sender met, or what was found in its place.
    failure: Failure
    #: Whether the living sender saw it end itself. If not, it may only be paused and send later.
    sender_saw_end: bool = msgspec.field(name="witnessed")
    at: float
    readings: tuple[BalanceReading, ...] = ()
    #: Seconds from `at`, or from the last reading, to the next question; None: what the operator set.
    pause: float | None = None


class StoredVideo(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes that are ours, by their names in the media store."""

    video: str
    poster: str | None
    size: int
    #: In hex, as versions up to 28 November 2026 stored it. Processes of these versions read no job without it.
    sha256: str = ""


class Variant(StrEnum):
    """Which of a finished video's files is wanted."""

    VIDEO = "video"
    THUMBNAIL = "thumbnail"
    SPRITESHEET = "spritesheet"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What every kind of paid work has, from the order to the file. All times are Unix seconds."""

    id: str
    owner: str
    #: The id of the key that it came with; None without a key, and in rows of older versions.
    key: str | None = None
    created_at: float
    #: The unguessable part of its files' names; fixed, so that storing again overwrites instead of piling up.
    stem: str
    state: JobState = JobState.ACCEPTED
    #: When the last submission began: written before anything was sent.
    intended_at: float | None = None
    #: Sends, polls or downloads in a row that came to nothing.
    misses: int = 0
    finished_at: float | None = None
    failure: Failure | None = None
    #: Every change that a reader could see, so that one who comes back misses none; about a hundred at most.
    history: tuple[ProgressEvent, ...] = (ProgressEvent(Phase.QUEUED, 0),)
    #: The span of the request that it came with (`Tracer.current`). Empty: none.
    trace: str = ""
    #: What it took of the limits of its key, until it is over.
    charge: Charge | None = None

    @property
    def phase(self) -> Phase:
        """Where it stands for its readers."""
        return PHASES[self.state]

    @property
    def upstream_model(self) -> str:
        """The provider's name of the model that does the work."""
        raise NotImplementedError  # each kind says it

    def spending(self, key: str | None) -> Spending:
        """Return what it spends, for a request with the key of that id."""
        raise NotImplementedError  # each kind says it

    def finished(self) -> FinishedWork:
        """Return what a job that is over made, and what it cost."""
        raise NotImplementedError  # each kind says it

    @property
    def excess(self) -> Charge | None:
        """What it took too much of the limits of its key, once it is over."""
        if self.charge is None or not self.is_over:
            return None
        cost = self.finished().cost
        is_free = self.failure is not None and cost is not None and not cost.amount
        return self.charge.given_back if is_free else self.charge.excess(cost)

    @property
    def took_seconds(self) -> float | None:
        """How long the provider took, of completed jobs that an estimate is made of."""
        return None

    @property
    def input_files(self) -> tuple[str, ...]:
        """The names of the files that were stored for it to be made from."""
        return ()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in LIVE

    @property
    def is_refused(self) -> bool:
        """Whether it failed before anything was executed, for a reason that passes."""
        return self.failure is not None and self.failure.should_retry is not False

    def is_older_than(self, other: "Job") -> bool:
        """Say whether another state of the same job is further on, as far as a reader could see."""
        return len(self.history) < len(other.history)

    def is_news_to(self, known: "Job") -> bool:
        """Say whether a reader who knows another state of the same job could see a difference, and not an older one."""
        return not self.is_older_than(known) and (self.state, self.history) != (known.state, known.history)


class VideoJob(Job, frozen=True, kw_only=True):
    """One paid video, from the order to the file."""

    order: VideoOrder
    #: Our own mark on the upstream request, and the seed: chosen before anything is sent.
    mark: str
    seed: int
    #: How long it will probably take from submission, in seconds.
    expected_seconds: float
    #: Whose credential carries the job: it is polled with the one that submitted it.
    account: str | None = None
    #: What the account had just after `intended_at`: read before anything was sent.
    credits: int | None = None
    ambiguity: Ambiguity | None = msgspec.field(default=None, name="doubt")
    submitted_at: float | None = None
    operation: Operation | None = None
    #: 0 to 100; never falls, and 100 means that the media are ours.
    progress: int = 0
    #: How often the provider called it finished and gave no video.
    empty_polls: int = msgspec.field(default=0, name="blanks")
    remote: RemoteVideo | None = None
    media: StoredVideo | None = None
    #: By the price list of the time when it was accepted. None: unknown, or accepted by a version without prices.
    cost: Cost | None = None
    #: What it took, where the provider counts.
    tokens: VideoTokens | None = None

    @property
    def upstream_model(self) -> str:
        """The provider's name of the model (as `Job`)."""
        return self.order.upstream

    def spending(self, key: str | None) -> Spending:
        """Return what it spends: seconds of video (as `Job`)."""
        return self.order.spending(self.owner, key, self.cost)

    def finished(self) -> FinishedWork:
        """Return what it made, and what it cost (as `Job`)."""
        tokens = self.tokens or VideoTokens()
        return FinishedWork(
            spending=self.spending(self.key),
            at=self.finished_at or self.created_at,
            is_completed=self.state is JobState.COMPLETED,
            cost=self._real_cost,
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            size=str(self.order.size) if self.order.size and self.media else "",
        )

    @property
    def _real_cost(self) -> Cost | None:
        """What it cost in the end. Of a video that the provider gave up, nothing: it charges for finished ones."""
        if self.failure is None or self.remote is not None:
            return self.cost
        if self.operation is None:
            return None if self.failure.code == SUBMIT_UNKNOWN_CODE else FREE
        if self.failure.code == CANCELLED_CODE or self.empty_polls:
            return self.cost
        return None if self.failure.code == DEADLINE_CODE else FREE

    @property
    def took_seconds(self) -> float | None:
        """How long a completed one took from submission to the end (as `Job`)."""
        if self.state is not JobState.COMPLETED or self.finished_at is None or self.submitted_at is None:
            return None
        return self.finished_at - self.submitted_at

    @property
    def is_refused(self) -> bool:
        """Whether it failed before the provider took it, for a reason that passes."""
        return self.operation is None and super().is_refused

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files that may have been stored for it, whatever the job came to know of it."""
        made = tuple(file_name(self.stem, kind) for kind in MediaFormat)
        return (*made, *self.input_files, self.thumbnail, self.spritesheet)

    @property
    def input_files(self) -> tuple[str, ...]:
        """The names of the files that it is made from (as `Job`)."""
        video = () if self.order.video is None else (self.order.video,)
        return tuple(each.name for each in (*self.order.pictures, *video))

    @property
    def thumbnail(self) -> str:
        """The name of its small picture, which is made when it is first asked for."""
        return f"{self.stem}_thumbnail.webp"

    @property
    def spritesheet(self) -> str:
        """The name of the sheet of its frames, which is made when it is first asked for."""
        return f"{self.stem}_spritesheet.jpg"

    def elapsed(self, now: float) -> float:
        """Seconds since it was submitted, or until it was finished."""
        return max(0.0, (self.finished_at or now) - (self.submitted_at or self.created_at))


class Intended(msgspec.Struct, frozen=True):
    """The request is about to be sent with this account, which had so many credits at that time or just after it.

    Without the time nothing can be proved by the credits later.
    """

    account: str
    at: float = 0.0
    credits: int | None = None


class NotSent(msgspec.Struct, frozen=True):
    """Provably nothing was sent, so it may be tried again."""

    #: Whether it counts as a try. A lease that ran out before anything could be sent does not.
    is_try: bool = True


class Unanswered(msgspec.Struct, frozen=True):
    """It was sent, or may have been, and the outcome is unknown."""

    ambiguity: Ambiguity


class CreditsRead(msgspec.Struct, frozen=True):
    """The account was asked what it has. The next question comes after so many seconds; None: what the operator set."""

    reading: BalanceReading
    pause: float | None = None


class NotCharged(msgspec.Struct, frozen=True):
    """Provably it was not executed, so it may be tried again."""


class Submitted(msgspec.Struct, frozen=True):
    """The provider took the job."""

    operation: Operation
    at: float


class Missed(msgspec.Struct, frozen=True):
    """A poll told nothing of the job. The money is spent, so this never fails it."""


class EmptyPoll(msgspec.Struct, frozen=True):
    """The provider called the job finished and gave no video: it may come later."""


class Progressed(msgspec.Struct, frozen=True):
    """The provider is still at it."""

    progress: int


class Rendered(msgspec.Struct, frozen=True):
    """The provider finished the video, and may tell what it cost."""

    remote: RemoteVideo
    tokens: VideoTokens | None = None


class NotFetched(msgspec.Struct, frozen=True):
    """The file could not be brought home whole; the provider is asked for a fresh link."""


class Stored(msgspec.Struct, frozen=True):
    """The bytes are ours."""

    media: StoredVideo
    at: float


class Failed(msgspec.Struct, frozen=True):
    """It will never become a video."""

    failure: Failure
    at: float
    #: Whether money may have been spent, of a picture. A video's operation and code tell it.
    may_be_paid: bool = False


Event = (
    Intended
    | NotSent
    | Unanswered
    | CreditsRead
    | NotCharged
    | Submitted
    | Missed
    | EmptyPoll
    | Progressed
    | Rendered
    | NotFetched
    | Stored
    | Failed
)

TRANSITIONS: Final[dict[tuple[JobState, type[Event]], JobState]] = {
    (JobState.ACCEPTED, NotSent): JobState.ACCEPTED,
    (JobState.ACCEPTED, Intended): JobState.SUBMITTING,
    (JobState.ACCEPTED, Failed): JobState.FAILED,
    (JobState.SUBMITTING, NotSent): JobState.ACCEPTED,
    (JobState.SUBMITTING, Submitted): JobState.SUBMITTED,
    (JobState.SUBMITTING, Unanswered): JobState.AMBIGUOUS,
    (JobState.SUBMITTING, Failed): JobState.FAILED,
    (JobState.AMBIGUOUS, CreditsRead): JobState.AMBIGUOUS,
    (JobState.AMBIGUOUS, NotCharged): JobState.ACCEPTED,
    (JobState.AMBIGUOUS, Submitted): JobState.SUBMITTED,
    (JobState.AMBIGUOUS, Failed): JobState.FAILED,
    (JobState.SUBMITTED, Missed): JobState.SUBMITTED,
    (JobState.SUBMITTED, EmptyPoll): JobState.SUBMITTED,
    (JobState.SUBMITTED, Progressed): JobState.SUBMITTED,
    (JobState.SUBMITTED, Rendered): JobState.READY,
    (JobState.SUBMITTED, Failed): JobState.FAILED,
    (JobState.READY, NotFetched): JobState.SUBMITTED,
    (JobState.READY, EmptyPoll): JobState.SUBMITTED,
    (JobState.READY, Stored): JobState.COMPLETED,
    (JobState.READY, Failed): JobState.FAILED,
}


def advance(job: VideoJob, event: Event) -> VideoJob:
    """Return the job after an event.

    Raises:
        ValueError: the event cannot happen in the job's state.
    """
    moved = _moved(job, event)
    progress_event = ProgressEvent(moved.phase, moved.progress)
    return (
        moved
        if progress_event == job.history[-1]
        else msgspec.structs.replace(moved, history=(*job.history, progress_event))
    )


def _moved(job: VideoJob, event: Event) -> VideoJob:
    state = TRANSITIONS.get((job.state, type(event)))
    if state is None:
        raise ValueError(f"{type(event).__name__} cannot happen to a job that is {job.state}")
    moved = msgspec.structs.replace(job, state=state, misses=_misses(job, event))
    match event:
        case NotSent() | NotCharged() | Missed():
            return moved
        case Intended() | Unanswered() | CreditsRead() | Submitted():
            return _sent(moved, event)
        case EmptyPoll():
            return msgspec.structs.replace(moved, empty_polls=job.empty_polls + 1, remote=None)
        case Progressed(progress):
            return msgspec.structs.replace(moved, progress=max(job.progress, min(progress, 99)))
        case Rendered(remote, tokens):
            return msgspec.structs.replace(moved, remote=remote, progress=99, tokens=tokens or job.tokens)
        case NotFetched():
            return msgspec.structs.replace(moved, remote=None)
        case Stored(media, at):
            return msgspec.structs.replace(moved, media=media, finished_at=at, progress=100)
        case Failed(failure, at):
            return msgspec.structs.replace(moved, failure=failure, finished_at=at)


def _misses(job: VideoJob, event: Event) -> int:
    match event:
        case NotSent(is_try=True) | NotCharged() | Missed() | EmptyPoll() | NotFetched():
            return job.misses + 1
        case NotSent() | Intended() | Unanswered() | CreditsRead() | Rendered():
            return job.misses
        case _:
            return 0


def _sent(job: VideoJob, event: Intended | Unanswered | CreditsRead | Submitted) -> VideoJob:
    match event:
        case Intended(account, at, credits_before):
            return msgspec.structs.replace(job, account=account, intended_at=at, credits=credits_before, ambiguity=None)
        case Unanswered(ambiguity):
            return msgspec.structs.replace(job, ambiguity=ambiguity)
        case CreditsRead(reading, pause):
            known = job.ambiguity and msgspec.structs.replace(
                job.ambiguity, readings=(*job.ambiguity.readings, reading), pause=pause
            )
            return msgspec.structs.replace(job, ambiguity=known)
        case Submitted(operation, at):
            return msgspec.structs.replace(job, operation=operation, submitted_at=at)


def estimate(elapsed: float, expected: float) -> int:
    """Guess a percentage from the time, because the provider gives none.

    Linear up to 90 at the expected time; after it, each further expected time halves what is left to 99.
    """
    share = elapsed / max(expected, 1.0)
    if share <= 1.0:
        return int(90 * share)
    return min(99, int(99 - 9 * 0.5 ** (share - 1.0)))
