"""Flow's JSON of videos, as far as we send or read it, in two dialects.

`seed`: seed 002 section 3 and seed 004. `media`: the newer form, reference `flow-media-dialect.md`. Answers are read in
every shape that these show: an object or a bare list, `operations` or `media`, `metadata` nested under `operation` or
flat.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from adapter.providers.flow.wire import CreditCount, Name, Url

#: The dialects by name, as accounts and operations have them.
SEED: Final = "seed"
MEDIA: Final = "media"


#: The items of an answer, unread. All videos of an account that are asked about at once are fewer.
Items = Annotated[tuple[msgspec.Raw, ...], Meta(max_length=10_000)]


class VideoClientContext(msgspec.Struct, frozen=True, rename="camel"):
    """Who asks, for videos."""

    session_id: str
    project_id: str
    tool: str
    user_paygate_tier: str


class TextInput(msgspec.Struct, frozen=True):
    """The prompt."""

    prompt: str


class TextPart(msgspec.Struct, frozen=True):
    """A part of a prompt."""

    text: str


class StructuredPrompt(msgspec.Struct, frozen=True):
    """The prompt in parts."""

    parts: tuple[TextPart, ...]


class StructuredTextInput(msgspec.Struct, frozen=True, rename="camel"):
    """The prompt, in the media dialect."""

    structured_prompt: StructuredPrompt


class NoMetadata(msgspec.Struct, frozen=True):
    """The media dialect sends `{}` here."""


class SceneMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """Our own mark on a request; the answer repeats it."""

    scene_id: str


class VideoRef(msgspec.Struct, frozen=True, rename="camel"):
    """A finished video of the account."""

    media_id: str


class WorkflowMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """The work that a clip continues."""

    workflow_id: str


class ExtendRequest(msgspec.Struct, frozen=True, rename="camel"):
    """A clip that begins where a finished one ends (`flow.md` section 2)."""

    aspect_ratio: str
    seed: int
    text_input: StructuredTextInput
    video_model_key: str
    video_input: VideoRef
    metadata: WorkflowMetadata


class UpscaleRequest(msgspec.Struct, frozen=True, rename="camel"):
    """One finished video in a finer resolution (`flow.md` section 2). It has no prompt."""

    aspect_ratio: str
    seed: int
    video_model_key: str
    resolution: str
    video_input: VideoRef
    metadata: SceneMetadata


class PictureRef(msgspec.Struct, frozen=True, rename="camel"):
    """An uploaded picture that is a frame of the video."""

    media_id: str


class ReferenceImage(msgspec.Struct, frozen=True, rename="camel"):
    """An uploaded picture of what shall be seen in the video (seed 004)."""

    media_id: str
    image_usage_type: str = "IMAGE_USAGE_TYPE_ASSET"


class VideoRequest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One video from a text, and from pictures where these are given."""

    aspect_ratio: str
    seed: int
    text_input: TextInput | StructuredTextInput
    video_model_key: str
    metadata: SceneMetadata | NoMetadata
    start_image: PictureRef | None = None
    end_image: PictureRef | None = None
    reference_images: tuple[ReferenceImage, ...] = ()


class MediaGenerationContext(msgspec.Struct, frozen=True, rename="camel"):
    """What the media dialect says of a batch. Its id is our own mark; the answer repeats it."""

    batch_id: str
    audio_failure_preference: str = "BLOCK_SILENCED_VIDEOS"


class BatchAsyncGenerateVideo(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`POST /v1/video:batchAsyncGenerateVideo…`, with the endings of `videos.DESKS`."""

    client_context: VideoClientContext
    requests: tuple[VideoRequest | ExtendRequest | UpscaleRequest, ...]
    #: These two in the media dialect only.
    media_generation_context: MediaGenerationContext | None = None
    use_v2_model_config: bool = msgspec.field(default=False, name="useV2ModelConfig")


class OperationName(msgspec.Struct, frozen=True):
    """A reference to an operation."""

    name: Name


class StatusRequestItem(msgspec.Struct, frozen=True, rename="camel"):
    """An operation to ask about."""

    operation: OperationName
    scene_id: str
    status: str


class BatchCheckStatus(msgspec.Struct, frozen=True):
    """`POST /v1/video:batchCheckAsyncVideoGenerationStatus`."""

    operations: tuple[StatusRequestItem, ...]


class MediaRequestItem(msgspec.Struct, frozen=True, rename="camel"):
    """A medium to ask about."""

    name: str
    project_id: str


class BatchCheckMedia(msgspec.Struct, frozen=True):
    """The same question in the media dialect."""

    media: tuple[MediaRequestItem, ...]


class VideoMedia(msgspec.Struct, frozen=True, rename="camel"):
    """Where a finished video and its poster lie."""

    fife_url: Url | None = None
    serving_base_uri: Url | None = None
    #: A `Name`. It is read by itself: a finished video is not lost for it.
    media_generation_id: msgspec.Raw = msgspec.Raw()


class Metadata(msgspec.Struct, frozen=True):
    """What a finished operation carries."""

    video: VideoMedia | None = None


class OperationError(msgspec.Struct, frozen=True):
    """Why an operation failed; the message is a `PUBLIC_ERROR_*` word."""

    message: str | None = None


class Operation(msgspec.Struct, frozen=True):
    """The long-running operation itself."""

    name: Name
    metadata: Metadata | None = None
    error: OperationError | None = None


class OperationState(msgspec.Struct, frozen=True):
    """One operation of a status answer."""

    operation: Operation
    status: str | None = None
    metadata: Metadata | None = None


class NamedOperation(msgspec.Struct, frozen=True, rename="camel"):
    """One item of a submission's answer: `operation.name` in the seed, plain `name` in the media dialect."""

    operation: OperationName | None = None
    name: Name | None = None
    #: A `Name`. It is read by itself: the name of a paid operation is not lost for it.
    project_id: msgspec.Raw = msgspec.Raw()


class PrimaryMedium(msgspec.Struct, frozen=True, rename="camel"):
    """Which medium a workflow made last."""

    primary_media_id: str = ""


class Workflow(msgspec.Struct, frozen=True):
    """The work around a video: Flow's pages show it as one thing."""

    name: Name
    metadata: PrimaryMedium = PrimaryMedium()


class MediaStatus(msgspec.Struct, frozen=True, rename="camel"):
    """How a medium stands."""

    media_generation_status: str | None = None
    error: OperationError | None = None
    #: A list of words. No source shows one with anything in it, so it is read by itself.
    failure_reasons: msgspec.Raw = msgspec.Raw()


class MediaMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """What is told of a medium."""

    media_status: MediaStatus | None = None


class MediaVideo(msgspec.Struct, frozen=True, rename="camel"):
    """The `video` of a medium. Since May 2026 it has no link any more."""

    operation: OperationName | None = None
    generated_video: VideoMedia | None = None


class MediaState(msgspec.Struct, frozen=True, rename="camel"):
    """One item of a status answer in the media dialect."""

    name: Name
    media_metadata: MediaMetadata | None = None
    #: Read by itself: a medium is asked for by its name, whatever stands here.
    video: msgspec.Raw = msgspec.Raw()


class EncodedVideo(msgspec.Struct, frozen=True, rename="camel"):
    """A video as base64."""

    encoded_video: str


class MediaFile(msgspec.Struct, frozen=True):
    """The answer of `GET /v1/media/{name}`."""

    video: EncodedVideo


class Remaining(msgspec.Struct, frozen=True, rename="camel"):
    """What an answer says of the account's credits, beside its items."""

    remaining_credits: CreditCount


class OperationsObject(msgspec.Struct, frozen=True):
    """The wrapped form of an answer. Each item is read by itself, so that one odd item costs only its own job."""

    operations: Items | None = None
    media: Items | None = None
    #: `Items` as well, of a submission's answer. Nothing that is paid for is lost for them.
    workflows: msgspec.Raw = msgspec.Raw()
