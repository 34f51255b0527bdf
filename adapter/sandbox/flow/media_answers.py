"""Flow's answers about videos in the media dialect (`flow-media-dialect.md`): no operations, and no links."""

import msgspec
from msgspec import UNSET, UnsetType

from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.flow.answers import JobError
from adapter.sandbox.flow.wire import JobStatus, Message, OperationName, VideoRatio


class WorkflowMetadata(Message, frozen=True, kw_only=True):
    """What a workflow is about."""

    primary_media_id: str
    batch_id: str


class Workflow(Message, frozen=True, kw_only=True):
    """What Flow's pages show a batch as."""

    name: str
    metadata: WorkflowMetadata
    project_id: str


class NamedMedium(Message, frozen=True, kw_only=True):
    """A medium that will be made."""

    name: str
    project_id: str


class MediaAccepted(Message, frozen=True, kw_only=True):
    """The answer to a submission."""

    remaining_credits: int
    workflows: list[Workflow]
    media: list[NamedMedium]


class MediaStatus(Message, frozen=True, kw_only=True):
    """How a medium stands."""

    media_generation_status: JobStatus
    error: JobError | UnsetType = UNSET
    failure_reasons: list[str] | UnsetType = UNSET


class MediaMetadata(Message, frozen=True, kw_only=True):
    """What is told of a medium."""

    media_status: MediaStatus


class GeneratedVideo(Message, frozen=True, kw_only=True):
    """A clip without any link to it."""

    model: str
    aspect_ratio: VideoRatio


class MediumVideo(Message, frozen=True, kw_only=True):
    """The clip of a medium."""

    operation: OperationName
    generated_video: GeneratedVideo


class Medium(Message, frozen=True, kw_only=True):
    """One item of a status answer."""

    name: str
    project_id: str
    media_metadata: MediaMetadata
    video: MediumVideo


class MediaList(Message, frozen=True, kw_only=True):
    """The answer to a status question."""

    media: list[Medium]


class EncodedVideo(Message, frozen=True, kw_only=True):
    """A clip; msgspec writes bytes as standard base64."""

    encoded_video: bytes | UnsetType = UNSET


class MediaFile(Message, frozen=True, kw_only=True):
    """`GET /v1/media/{name}`."""

    video: EncodedVideo


def status_answer(media: list[Medium], mutation: ResponseMutation | None) -> bytes:
    """Return the status call's body, or what a fault makes of it."""
    told = media[1:] if mutation == "omit" else media
    return msgspec.json.encode(told if mutation == "list" else MediaList(media=told))
