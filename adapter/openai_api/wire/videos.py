"""`/v1/videos` (reference: `openai.md` section 5)."""

from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from adapter.openai_api.wire.media import RouteRequest

Status = Literal["queued", "in_progress", "completed", "failed"]
EventType = Literal["video.queued", "video.in_progress", "video.completed", "video.failed"]


class VideosRequest(RouteRequest, frozen=True, kw_only=True):
    """A request for a video. It has no fields of its own."""

    KNOWN: ClassVar[frozenset[str]] = frozenset({"prompt", "characters", "roles"})


class RemixRequest(RouteRequest, frozen=True, kw_only=True):
    """`POST /v1/videos/{id}/remix`: another prompt. All else is the same, and may be said so."""

    KNOWN: ClassVar[frozenset[str]] = frozenset({"prompt"})


class UpscaleRequest(RouteRequest, frozen=True, kw_only=True):
    """`POST /v1/videos/{id}/upscale`, ours: a resolution, which is known at every route."""


class VideoWorkRequest(RouteRequest, frozen=True, kw_only=True):
    """`POST /v1/videos/edits` and `/extensions`: a prompt, and the video to work on."""

    KNOWN: ClassVar[frozenset[str]] = frozenset({"prompt"})

    #: As it came: an id, an object with one, or the file of a form.
    video: object = None


class VideoError(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no video."""

    code: str
    message: str


class VideoTokenDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Output tokens by kind."""

    video_tokens: int


class VideoUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What a video costs: by the price list, after OpenRouter; and its tokens in the form of OpenAI's other usages."""

    #: Dollars.
    cost: float | UnsetType = UNSET
    #: Of a Flow account.
    credits: float | UnsetType = UNSET
    #: Of a finished video whose provider counts tokens.
    input_tokens: int | UnsetType = UNSET
    output_tokens: int | UnsetType = UNSET
    total_tokens: int | UnsetType = UNSET
    output_tokens_details: VideoTokenDetails | UnsetType = UNSET


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """A job. OpenAI's document requires all keys, the nullable ones too; the links and `usage` are ours."""

    id: str
    created_at: int
    completed_at: int | None
    expires_at: int | None
    model: str
    status: Status
    progress: int
    prompt: str | None
    seconds: str
    size: str
    remixed_from_video_id: str | None
    error: VideoError | None
    url: str | None
    thumbnail_url: str | None
    #: Left out if nothing is known, and of a video that failed.
    usage: VideoUsage | UnsetType = UNSET
    object: Literal["video"] = "video"


class VideoList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of them."""

    data: tuple[Video, ...]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: Literal["list"] = "list"


class VideoDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """It is gone."""

    id: str
    deleted: bool = True
    object: Literal["video.deleted"] = "video.deleted"


class VideoEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a job, in the style of `image_generation.*`; ours."""

    type: EventType
    #: From 1, without a gap.
    sequence_number: int
    #: As it stood then.
    video: Video
