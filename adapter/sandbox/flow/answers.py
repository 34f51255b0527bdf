"""Flow's answers about video jobs, in all the shapes that seed 002 shows or warns of.

Submit: an object. Status while every job runs: a bare list. Status with an ended job: an object, with `metadata`
under `operation`, or beside it "in some cases" (seed 002, the last note of section 3): here for every fourth job, by
its name, so that it is the same at every poll.
"""

import msgspec
from msgspec import UNSET, UnsetType

from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.flow.wire import JobStatus, Message, VideoRatio

SUCCESSFUL: JobStatus = "MEDIA_GENERATION_STATUS_SUCCESSFUL"


class Video(Message, frozen=True, kw_only=True):
    """A finished clip."""

    seed: int
    media_generation_id: str
    prompt: str
    fife_url: str
    serving_base_uri: str
    model: str
    aspect_ratio: VideoRatio
    media_visibility: str = "PRIVATE"
    is_looped: bool = False


class Media(
    Message,
    frozen=True,
    kw_only=True,
    tag_field="@type",
    tag="type.googleapis.com/google.internal.labs.aisandbox.v1.Media",
):
    """The `metadata` of a finished job."""

    name: str
    video: Video


class JobError(Message, frozen=True, kw_only=True):
    """Why a job failed; `code` is a google.rpc code."""

    code: int
    message: str


class OperationState(Message, frozen=True, kw_only=True):
    """The job itself."""

    name: str
    metadata: Media | UnsetType = UNSET
    error: JobError | UnsetType = UNSET


class Job(Message, frozen=True, kw_only=True):
    """One item of a submit or status answer."""

    operation: OperationState
    scene_id: str
    status: JobStatus
    media_generation_id: str | UnsetType = UNSET
    #: Only in the flat shape.
    metadata: Media | UnsetType = UNSET


class JobList(Message, frozen=True, kw_only=True):
    """The object shape."""

    operations: list[Job]
    remaining_credits: int


def status_answer(jobs: list[Job], remaining_credits: int, mutation: ResponseMutation | None) -> bytes:
    """Return the status call's body in the shape of the documents, or in the one that a fault asks for."""
    jobs = [_placed(job, mutation) for job in jobs]
    if mutation == "omit":
        jobs = jobs[1:]
    ended = any(job.status == SUCCESSFUL or job.operation.error is not UNSET for job in jobs)
    if mutation == "list" or (mutation != "object" and not ended):
        return msgspec.json.encode(jobs)
    return msgspec.json.encode(JobList(operations=jobs, remaining_credits=remaining_credits))


def _placed(job: Job, mutation: ResponseMutation | None) -> Job:
    """Return the job with its metadata where this answer has it."""
    media = job.operation.metadata
    if media is UNSET:
        return job
    if mutation == "no_media":
        bare = msgspec.structs.replace(job.operation, metadata=UNSET)
        return msgspec.structs.replace(job, operation=bare, media_generation_id=UNSET)
    if mutation == "flat" or (mutation != "nested" and is_flat(job.operation.name)):
        bare = msgspec.structs.replace(job.operation, metadata=UNSET)
        return msgspec.structs.replace(job, operation=bare, metadata=media)
    return job


def is_flat(operation_name: str) -> bool:
    """Say whether this job's metadata stands beside `operation` unless a fault says otherwise: one in four."""
    return int(operation_name[-1], 16) % 4 == 0
