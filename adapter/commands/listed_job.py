"""A job as `adapter jobs list --json` prints it."""

from typing import Literal

import msgspec

from adapter.domain.image_job import ImageJob
from adapter.domain.job import JobState, VideoJob


class ListedJob(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator wants to know of many jobs. Times are Unix seconds."""

    id: str
    kind: Literal["video", "image"]
    owner: str
    state: JobState
    #: In per cent; null for a picture.
    progress: int | None
    model: str
    created_at: float
    finished_at: float | None
    #: The account or key that made a video.
    account: str | None
    #: The code and the message of a failure.
    error_code: str | None
    error: str | None
    #: `deleted` or `cancelled`.
    unwanted: str | None


def listed_job(job: VideoJob | ImageJob, unwanted: str | None) -> ListedJob:
    """Describe a job."""
    video = job if isinstance(job, VideoJob) else None
    return ListedJob(
        id=job.id,
        kind="video" if video else "image",
        owner=job.owner,
        state=job.state,
        progress=video.progress if video else None,
        model=job.order.model,
        created_at=job.created_at,
        finished_at=job.finished_at,
        account=video.account if video else None,
        error_code=job.failure.code if job.failure else None,
        error=job.failure.message if job.failure else None,
        unwanted=unwanted,
    )
