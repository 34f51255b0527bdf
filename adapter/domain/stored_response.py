"""Stored responses: they can be looked up, followed up, waited for and cancelled. All times are Unix seconds."""

from enum import StrEnum

import msgspec

from adapter.domain.ids import Id
from adapter.domain.image_job import LOST, ImageJob
from adapter.domain.job import Failure, Phase, VideoJob
from adapter.domain.media import Image
from adapter.domain.stored_files import StoredImage, file_name


class ResponseStatus(StrEnum):
    """How far a reply is."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: Not the end yet.
LIVE = (ResponseStatus.QUEUED, ResponseStatus.IN_PROGRESS)


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: one picture, one video, or a message alone."""

    #: 32 hexadecimal digits; the ids on the wire are made of it.
    key: str
    owner: str
    #: The stem of its picture's name.
    stem: str
    created_at: float
    #: From then on it is hidden.
    expires_at: float
    #: As the client called it.
    model: str
    #: What was drawn, and whether it was drawn from pictures.
    prompt: str = ""
    edits: bool = False
    #: The echoed fields of the request, and the entries of its input: JSON that only `openai_api` reads.
    said: msgspec.Raw
    items: msgspec.Raw
    #: Whether it is worked on without anybody waiting.
    background: bool = False
    status: ResponseStatus = ResponseStatus.IN_PROGRESS
    #: The pictures that were in sight, as a client would name them: what the next turn means by "it" if none was drawn.
    sight: tuple[str, ...] = ()
    #: The job of a video, which has the rest. A picture in the background has one as well (`image_job_id`).
    video: str | None = None
    drawn: StoredImage | None = None
    failure: Failure | None = None
    finished_at: float | None = None
    #: Of rows of older versions: a live picture in the background, which had no job then, is lost from that time on.
    alive_until: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself; a video's job knows better."""
        return self.status not in LIVE

    @property
    def image_job_id(self) -> str:
        """The id of its job, if it is a picture in the background."""
        return Id.IMAGE_JOB.of(self.key)

    @property
    def is_text_only(self) -> bool:
        """Whether it is completed and nothing was made for it."""
        return self.status is ResponseStatus.COMPLETED and self.drawn is None and self.video is None

    def name_of(self, image: Image) -> str:
        """Return what its picture is called in the media store."""
        return file_name(self.stem, image.format, "response")

    def completed(self, image: Image, now: float) -> "StoredResponse":
        """Return it with its picture."""
        drawn = StoredImage.of(image, self.name_of(image))
        return msgspec.structs.replace(self, status=ResponseStatus.COMPLETED, drawn=drawn, finished_at=now)

    def answered(self, now: float) -> "StoredResponse":
        """Return it completed without a picture or a video: with a message alone."""
        return msgspec.structs.replace(self, status=ResponseStatus.COMPLETED, finished_at=now)

    def failed(self, failure: Failure, now: float) -> "StoredResponse":
        """Return it with the reason why there is no picture."""
        return msgspec.structs.replace(self, status=ResponseStatus.FAILED, failure=failure, finished_at=now)

    def following(self, job: VideoJob) -> "StoredResponse":
        """Return it as its video's job has it, unless it was cancelled itself."""
        if self.is_over:
            return self
        status = ResponseStatus(job.phase.value)
        if job.phase is Phase.QUEUED and not self.background:
            status = ResponseStatus.IN_PROGRESS
        return msgspec.structs.replace(self, status=status, failure=job.failure, finished_at=job.finished_at)

    def following_image(self, job: ImageJob) -> "StoredResponse":
        """Return it as the job of its picture has it."""
        if self.is_over:
            return self
        is_called_off = job.is_called_off
        return msgspec.structs.replace(
            self,
            status=ResponseStatus.CANCELLED if is_called_off else ResponseStatus(job.phase.value),
            failure=None if is_called_off else job.failure,
            drawn=job.drawn,
            finished_at=job.finished_at,
        )

    def seen(self, now: float) -> "StoredResponse":
        """Return it as it looks at that time: one of an older version whose process is gone has failed."""
        if self.is_over or self.alive_until is None or now < self.alive_until:
            return self
        return self.failed(LOST, self.alive_until)
