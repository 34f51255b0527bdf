"""Flow's JSON, as Google's side reads and writes it.

Sources: seed 002 (uploads, pictures, videos), seed 004 (references), `flow-media-dialect.md` (the media dialect).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ImageRatio = Literal["IMAGE_ASPECT_RATIO_LANDSCAPE", "IMAGE_ASPECT_RATIO_PORTRAIT", "IMAGE_ASPECT_RATIO_SQUARE"]
VideoRatio = Literal["VIDEO_ASPECT_RATIO_LANDSCAPE", "VIDEO_ASPECT_RATIO_PORTRAIT"]
ImageModelName = Literal["GEM_PIX", "GEM_PIX_2"]
Tier = Literal["", "PAYGATE_TIER_NOT_PAID", "PAYGATE_TIER_ONE", "PAYGATE_TIER_TWO"]
JobStatus = Literal[
    "MEDIA_GENERATION_STATUS_PENDING",
    "MEDIA_GENERATION_STATUS_ACTIVE",
    "MEDIA_GENERATION_STATUS_SUCCESSFUL",
    "MEDIA_GENERATION_STATUS_FAILED",
]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message with Flow's camelCase names."""


class ClientContext(Message, frozen=True, kw_only=True):
    """Who asks. The video endpoints need all four fields, the others a part of them (seed 002, clientContext)."""

    session_id: str = ""
    project_id: str = ""
    tool: Literal["", "ASSET_MANAGER", "PINHOLE"] = ""
    user_paygate_tier: Tier = ""


class ImageUpload(Message, frozen=True, kw_only=True):
    """The picture of an upload; `raw_image_bytes` is base64."""

    raw_image_bytes: str
    mime_type: str
    aspect_ratio: ImageRatio
    is_user_uploaded: bool = False


class UploadRequest(Message, frozen=True, kw_only=True):
    """`POST /v1:uploadUserImage`."""

    image_input: ImageUpload
    client_context: ClientContext


class MediaGenerationId(Message, frozen=True, kw_only=True):
    """The name of a medium, in its own object."""

    media_generation_id: str


class UploadResponse(Message, frozen=True, kw_only=True):
    """What an upload is called and how large it is."""

    media_generation_id: MediaGenerationId
    width: int
    height: int


class ImageInput(Message, frozen=True, kw_only=True):
    """A reference picture of a picture."""

    name: str
    image_input_type: Literal["IMAGE_INPUT_TYPE_REFERENCE"]


class ImageRequest(Message, frozen=True, kw_only=True):
    """One picture of a batch."""

    client_context: ClientContext
    seed: Seed
    image_model_name: ImageModelName
    image_aspect_ratio: ImageRatio
    prompt: str = ""
    image_inputs: list[ImageInput] = []


class ImageBatch(Message, frozen=True, kw_only=True):
    """`POST /v1/projects/{projectId}/flowMedia:batchGenerateImages`."""

    requests: list[ImageRequest] = []


class PromptInput(Message, frozen=True, kw_only=True):
    """The prompt, echoed."""

    text_input: str


class EmptyMessage(Message, frozen=True, kw_only=True):
    """`{}`."""


class RequestData(Message, frozen=True, kw_only=True):
    """What was asked, echoed."""

    prompt_inputs: list[PromptInput]
    image_generation_request_data: EmptyMessage = EmptyMessage()


class GeneratedImage(Message, frozen=True, kw_only=True):
    """A picture; msgspec writes bytes as standard base64."""

    encoded_image: bytes
    seed: int
    media_generation_id: str
    prompt: str
    model_name_type: str
    workflow_id: str
    fife_url: str
    aspect_ratio: ImageRatio
    request_data: RequestData
    media_visibility: str = "PRIVATE"


class ImageHolder(Message, frozen=True, kw_only=True):
    """The level between, as in the seed."""

    generated_image: GeneratedImage


class ImageResult(Message, frozen=True, kw_only=True):
    """One item of the bare array that answers a batch."""

    name: str
    workflow_id: str
    image: ImageHolder


class Credits(Message, frozen=True, kw_only=True):
    """`GET /v1/credits` (`flow.md` section 2)."""

    credits: int
    user_paygate_tier: str


class TextPart(Message, frozen=True, kw_only=True):
    """A part of a prompt."""

    text: str


class StructuredPrompt(Message, frozen=True, kw_only=True):
    """A prompt in parts: the media dialect's."""

    parts: list[TextPart] = []


class TextInput(Message, frozen=True, kw_only=True):
    """The prompt of a video, in one form or the other."""

    prompt: str = ""
    structured_prompt: StructuredPrompt | None = None

    @property
    def text(self) -> str:
        """What is asked for."""
        return "".join(part.text for part in self.structured_prompt.parts) if self.structured_prompt else self.prompt


class SceneMetadata(Message, frozen=True, kw_only=True):
    """The client's own name of the job."""

    scene_id: str = ""


class MediaRef(Message, frozen=True, kw_only=True):
    """A first or last frame."""

    media_id: str


class ReferenceImage(Message, frozen=True, kw_only=True):
    """A reference picture of a video (seed 004)."""

    media_id: str
    image_usage_type: Literal["IMAGE_USAGE_TYPE_ASSET"]


class PromptedVideo(Message, frozen=True, kw_only=True):
    """What every kind of video with a prompt has."""

    aspect_ratio: VideoRatio
    seed: Seed
    video_model_key: str
    text_input: TextInput = TextInput()


class TextVideo(PromptedVideo, frozen=True, kw_only=True):
    """One video from words."""

    metadata: SceneMetadata = SceneMetadata()


class StartVideo(TextVideo, frozen=True, kw_only=True):
    """One video from its first frame."""

    start_image: MediaRef


class StartEndVideo(StartVideo, frozen=True, kw_only=True):
    """One video from its first and last frame."""

    end_image: MediaRef


class ReferenceVideo(TextVideo, frozen=True, kw_only=True):
    """One video from reference pictures."""

    reference_images: list[ReferenceImage] = []


class MediaGenerationContext(Message, frozen=True, kw_only=True):
    """The media dialect's name of a batch."""

    batch_id: str = ""
    audio_failure_preference: Literal["", "BLOCK_SILENCED_VIDEOS"] = ""


class Batch(Message, frozen=True, kw_only=True):
    """What every batch of videos has. The last two are the media dialect's."""

    client_context: ClientContext = ClientContext()
    media_generation_context: MediaGenerationContext | None = None
    use_v2_model_config: bool = msgspec.field(default=False, name="useV2ModelConfig")


class TextBatch(Batch, frozen=True, kw_only=True):
    """`POST /v1/video:batchAsyncGenerateVideoText`."""

    requests: list[TextVideo] = []


class StartBatch(Batch, frozen=True, kw_only=True):
    """`POST /v1/video:batchAsyncGenerateVideoStartImage`."""

    requests: list[StartVideo] = []


class StartEndBatch(Batch, frozen=True, kw_only=True):
    """`POST /v1/video:batchAsyncGenerateVideoStartAndEndImage`."""

    requests: list[StartEndVideo] = []


class ReferenceBatch(Batch, frozen=True, kw_only=True):
    """`POST /v1/video:batchAsyncGenerateVideoReferenceImages`."""

    requests: list[ReferenceVideo] = []


class UpsampleVideo(Message, frozen=True, kw_only=True):
    """One finished video in a finer resolution (`flow.md` section 2). It has no prompt."""

    aspect_ratio: VideoRatio
    seed: Seed
    video_model_key: str
    resolution: Literal["VIDEO_RESOLUTION_1080P", "VIDEO_RESOLUTION_4K"]
    video_input: MediaRef
    metadata: SceneMetadata = SceneMetadata()


class UpsampleBatch(Batch, frozen=True, kw_only=True):
    """`POST /v1/video:batchAsyncGenerateVideoUpsampleVideo`."""

    requests: list[UpsampleVideo] = []


class WorkflowMetadata(Message, frozen=True, kw_only=True):
    """The work that a clip continues."""

    workflow_id: str = ""


class ExtendVideo(PromptedVideo, frozen=True, kw_only=True):
    """One clip that begins where a finished one ends (`flow.md` section 2)."""

    video_input: MediaRef
    metadata: WorkflowMetadata = WorkflowMetadata()


class ExtendBatch(Batch, frozen=True, kw_only=True):
    """`POST /v1/video:batchAsyncGenerateVideoExtendVideo`."""

    requests: list[ExtendVideo] = []


VideoBatch = TextBatch | StartBatch | StartEndBatch | ReferenceBatch


class OperationName(Message, frozen=True, kw_only=True):
    """The name of a job."""

    name: str


class JobQuestion(Message, frozen=True, kw_only=True):
    """One job of a status call; what the client believes of it is not looked at."""

    operation: OperationName
    scene_id: str = ""
    status: JobStatus | None = None


class MediaQuestion(Message, frozen=True, kw_only=True):
    """One medium of a status call."""

    name: str
    project_id: str = ""


class StatusRequest(Message, frozen=True, kw_only=True):
    """`POST /v1/video:batchCheckAsyncVideoGenerationStatus`, in the account's dialect."""

    operations: list[JobQuestion] = []
    media: list[MediaQuestion] = []
