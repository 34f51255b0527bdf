"""A picture that is made in the background: a job, and the only place where its state changes.

The order of the states is the order of the writes, as for a video: the intent is committed before the first byte goes
upstream. A provider answers with the picture itself, so there is nothing to ask about: a job that is found in
`submitting` may have been executed, is never sent again, and has failed unless its file is there.
"""

from typing import Final

import msgspec

from adapter.domain.finished_work import FREE, FinishedWork
from adapter.domain.job import (
    CANCELLED_CODE,
    DEADLINE_CODE,
    Failed,
    Failure,
    Intended,
    Job,
    JobState,
    NotSent,
    Phase,
    ProgressEvent,
)
from adapter.domain.media import MediaFormat
from adapter.domain.orders import ImageOrder
from adapter.domain.spending import Spending
from adapter.domain.stored_files import StoredImage, file_name
from adapter.domain.usage import Cost, Usage
from adapter.errors import JobFailed

#: Of a picture whose process ended while it was made.
LOST: Final = Failure(
    message="The server was stopped while the picture was being made. It may have been paid for and is not made again.",
    code="server_error",
    type="server_error",
    status=500,
    should_retry=False,
)


def called_off() -> Failure:
    """Return the failure of a picture that was cancelled."""
    return Failure.of(JobFailed("The picture was cancelled.", code=CANCELLED_CODE))


class ImageJob(Job, frozen=True, kw_only=True):
    """One paid picture that no connection waits for."""

    #: Its inputs are addresses and stored files: a job outlives its request.
    order: ImageOrder
    #: The names of the files that were stored for it to be made from.
    inputs: tuple[str, ...] = ()
    drawn: StoredImage | None = None
    #: Whether one that failed may have been paid for. Rows of older versions do not say it.
    may_be_paid: bool = False

    @property
    def phase(self) -> Phase:
        """Where it stands for its readers: it is being made from its intent on."""
        return Phase.IN_PROGRESS if self.state is JobState.SUBMITTING else super().phase

    @property
    def upstream_model(self) -> str:
        """The provider's name of the model (as `Job`)."""
        return self.order.upstream

    def spending(self, key: str | None) -> Spending:
        """Return what it spends: pictures (as `Job`)."""
        return self.order.spending(self.owner, key, self.created_at)

    def finished(self) -> FinishedWork:
        """Return what it made, and what it cost (as `Job`)."""
        usage = (self.drawn and self.drawn.usage) or Usage()
        return FinishedWork(
            spending=self.spending(self.key),
            at=self.finished_at or self.created_at,
            is_completed=self.state is JobState.COMPLETED,
            cost=self._real_cost,
            input_tokens=usage.input,
            output_tokens=usage.output,
            size=str(self.drawn.pixels) if self.drawn else "",
            source=self.order.origin,
        )

    @property
    def _real_cost(self) -> Cost | None:
        """What it cost in the end. One that was cancelled while it was made is paid for, as the price list says."""
        if self.failure is None:
            return self.drawn.known_cost if self.drawn else None
        if self.intended_at is None or self.failure.code == DEADLINE_CODE:
            return FREE
        if self.is_called_off:
            return self.spending(self.key).cost
        return None if self.may_be_paid else FREE

    @property
    def file(self) -> str:
        """The name of its picture in the media store."""
        return file_name(self.stem, self.order.format)

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files that may have been stored for it."""
        kinds = [kind for kind in MediaFormat if kind.is_picture]
        return (*(file_name(self.stem, kind) for kind in kinds), *self.inputs)

    @property
    def input_files(self) -> tuple[str, ...]:
        """The names of the pictures that came with the request (as `Job`)."""
        return self.inputs

    @property
    def is_called_off(self) -> bool:
        """Whether it was cancelled."""
        return self.failure is not None and self.failure.code == CANCELLED_CODE


class Made(msgspec.Struct, frozen=True):
    """The picture is made, and its file is ours."""

    drawn: StoredImage
    at: float


ImageEvent = Intended | NotSent | Made | Failed

IMAGE_TRANSITIONS: Final[dict[tuple[JobState, type[ImageEvent]], JobState]] = {
    (JobState.ACCEPTED, NotSent): JobState.ACCEPTED,
    (JobState.ACCEPTED, Intended): JobState.SUBMITTING,
    (JobState.ACCEPTED, Failed): JobState.FAILED,
    (JobState.SUBMITTING, NotSent): JobState.ACCEPTED,
    (JobState.SUBMITTING, Made): JobState.COMPLETED,
    (JobState.SUBMITTING, Failed): JobState.FAILED,
}


def advance_image(job: ImageJob, event: ImageEvent) -> ImageJob:
    """Return the job after an event.

    Raises:
        ValueError: the event cannot happen in the job's state.
    """
    state = IMAGE_TRANSITIONS.get((job.state, type(event)))
    if state is None:
        raise ValueError(f"{type(event).__name__} cannot happen to a picture that is {job.state}")
    moved = _moved(msgspec.structs.replace(job, state=state), event)
    told = ProgressEvent(moved.phase, 100 if state is JobState.COMPLETED else 0)
    return moved if told == job.history[-1] else msgspec.structs.replace(moved, history=(*job.history, told))


def _moved(job: ImageJob, event: ImageEvent) -> ImageJob:
    match event:
        case Intended(at=at):
            return msgspec.structs.replace(job, intended_at=at)
        case NotSent(is_try):
            return msgspec.structs.replace(job, misses=job.misses + is_try)
        case Made(drawn, at):
            return msgspec.structs.replace(job, drawn=drawn, finished_at=at)
        case Failed(failure, at, may_be_paid):
            return msgspec.structs.replace(job, failure=failure, finished_at=at, may_be_paid=may_be_paid)
