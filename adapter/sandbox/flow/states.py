"""A video job as it stands, in both dialects."""

from typing import Final

import msgspec

from adapter.sandbox.flow import media_answers
from adapter.sandbox.flow.answers import Job, JobError, Media, OperationState, Video
from adapter.sandbox.flow.wire import JobStatus, OperationName, VideoRatio
from adapter.sandbox.memory.records import Medium, Operation
from adapter.sandbox.state import SandboxState

TIMED_OUT: Final = "PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT"


def job(sandbox: SandboxState, base: str, operation: Operation) -> Job:
    """Return the job as it stands now, with its metadata under `operation`."""
    status = status_of(sandbox, operation)
    if status in {"MEDIA_GENERATION_STATUS_PENDING", "MEDIA_GENERATION_STATUS_ACTIVE"}:
        return plain(operation, status)
    if status == "MEDIA_GENERATION_STATUS_FAILED":
        failed = OperationState(name=operation.name, error=JobError(code=4, message=TIMED_OUT))
        return Job(operation=failed, scene_id=operation.scene_id, status=status)
    medium = sandbox.ledger.clip(operation)
    return Job(
        operation=OperationState(name=operation.name, metadata=_media(sandbox, base, medium)),
        scene_id=operation.scene_id,
        media_generation_id=medium.name,
        status="MEDIA_GENERATION_STATUS_SUCCESSFUL",
    )


def medium_state(sandbox: SandboxState, operation: Operation) -> media_answers.Medium:
    """Return the job as it stands now, in the media dialect."""
    status, medium = status_of(sandbox, operation), sandbox.ledger.clip(operation)
    told = media_answers.MediaStatus(media_generation_status=status)
    if status == "MEDIA_GENERATION_STATUS_FAILED":
        error = JobError(code=4, message=TIMED_OUT)
        told = msgspec.structs.replace(told, error=error, failure_reasons=[TIMED_OUT])
    made = media_answers.GeneratedVideo(model=medium.model, aspect_ratio=_ratio(medium))
    return media_answers.Medium(
        name=operation.name,
        project_id=operation.account,
        media_metadata=media_answers.MediaMetadata(media_status=told),
        video=media_answers.MediumVideo(operation=OperationName(name=medium.workflow), generated_video=made),
    )


def accepted(sandbox: SandboxState, taken: list[Operation], batch_id: str, left: int) -> media_answers.MediaAccepted:
    """Return the media dialect's answer to a submission."""
    return media_answers.MediaAccepted(
        remaining_credits=left,
        workflows=[
            media_answers.Workflow(
                name=sandbox.ledger.clip(each).workflow,
                metadata=media_answers.WorkflowMetadata(primary_media_id=each.name, batch_id=batch_id),
                project_id=each.account,
            )
            for each in taken
        ],
        media=[media_answers.NamedMedium(name=each.name, project_id=each.account) for each in taken],
    )


def status_of(sandbox: SandboxState, operation: Operation) -> JobStatus:
    """Return how a job stands: a function of the time since it was taken."""
    age = sandbox.clock() - operation.at
    if age < sandbox.rules.pending_seconds:
        return "MEDIA_GENERATION_STATUS_PENDING"
    if age < sandbox.rules.pending_seconds + sandbox.rules.active_seconds:
        return "MEDIA_GENERATION_STATUS_ACTIVE"
    return "MEDIA_GENERATION_STATUS_FAILED" if operation.fails else "MEDIA_GENERATION_STATUS_SUCCESSFUL"


def plain(operation: Operation, status: JobStatus) -> Job:
    """Return a job without any details."""
    return Job(operation=OperationState(name=operation.name), scene_id=operation.scene_id, status=status)


def _media(sandbox: SandboxState, base: str, medium: Medium) -> Media:
    video = Video(
        seed=medium.seed,
        media_generation_id=medium.name,
        prompt=medium.prompt,
        fife_url=sandbox.links.signed(base, f"/video/{medium.id}"),
        serving_base_uri=sandbox.links.signed(base, f"/image/{medium.id}"),
        model=medium.model,
        aspect_ratio=_ratio(medium),
    )
    return Media(name=medium.name, video=video)


def _ratio(medium: Medium) -> VideoRatio:
    return "VIDEO_ASPECT_RATIO_LANDSCAPE" if medium.width > medium.height else "VIDEO_ASPECT_RATIO_PORTRAIT"
