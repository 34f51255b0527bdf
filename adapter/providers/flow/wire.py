"""Flow's JSON, as far as we send or read it.

Source: seed 002, sections 1 (uploads), 2 (pictures), 3 (videos and their status); seed 004 (reference images). Answers
are read in every shape that the seed shows or `flow.md` section 2 reports: an object or a bare list, `metadata` nested
under `operation` or flat.
"""

import msgspec


class ImageClientContext(msgspec.Struct, frozen=True, rename="camel"):
    """Who asks, for pictures."""

    #: `;` and Unix milliseconds.
    session_id: str


class UploadedImage(msgspec.Struct, frozen=True, rename="camel"):
    """A picture on its way to Flow."""

    #: Base64, a JSON string.
    raw_image_bytes: msgspec.Raw
    mime_type: str
    aspect_ratio: str
    is_user_uploaded: bool = True


class UploadClientContext(msgspec.Struct, frozen=True, rename="camel"):
    """Who uploads."""

    session_id: str
    tool: str


class UploadUserImage(msgspec.Struct, frozen=True, rename="camel"):
    """`POST /v1:uploadUserImage` (seed 002, section 1)."""

    image_input: UploadedImage
    client_context: UploadClientContext


class MediaGenerationId(msgspec.Struct, frozen=True, rename="camel"):
    """What Flow calls a picture."""

    media_generation_id: str


class Uploaded(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to an upload."""

    media_generation_id: MediaGenerationId


class ImageInput(msgspec.Struct, frozen=True, rename="camel"):
    """An uploaded picture that a new one is made from."""

    name: str
    image_input_type: str = "IMAGE_INPUT_TYPE_REFERENCE"


class ImageRequest(msgspec.Struct, frozen=True, rename="camel"):
    """One picture."""

    client_context: ImageClientContext
    seed: int
    image_model_name: str
    image_aspect_ratio: str
    prompt: str
    image_inputs: tuple[ImageInput, ...] = ()


class BatchGenerateImages(msgspec.Struct, frozen=True):
    """`POST /v1/projects/{projectId}/flowMedia:batchGenerateImages`."""

    requests: tuple[ImageRequest, ...]


class GeneratedImage(msgspec.Struct, frozen=True, rename="camel"):
    """A finished picture: base64, or only a link in the newer form."""

    #: A JSON string; empty where the key is absent.
    encoded_image: msgspec.Raw = msgspec.Raw()
    fife_url: str | None = None


class ImageHolder(msgspec.Struct, frozen=True, rename="camel"):
    """The wrapper that the seed shows."""

    generated_image: GeneratedImage


class ImageAnswer(msgspec.Struct, frozen=True):
    """One picture of the answer, in the order of the requests."""

    image: ImageHolder


class ImagesObject(msgspec.Struct, frozen=True):
    """The newer, wrapped form of the bare list."""

    media: tuple[ImageAnswer, ...]


class VideoClientContext(msgspec.Struct, frozen=True, rename="camel"):
    """Who asks, for videos."""

    session_id: str
    project_id: str
    tool: str
    user_paygate_tier: str


class TextInput(msgspec.Struct, frozen=True):
    """The prompt."""

    prompt: str


class SceneMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """Our own mark on a request; the answer repeats it."""

    scene_id: str


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
    text_input: TextInput
    video_model_key: str
    metadata: SceneMetadata
    start_image: PictureRef | None = None
    end_image: PictureRef | None = None
    reference_images: tuple[ReferenceImage, ...] = ()


class BatchAsyncGenerateVideo(msgspec.Struct, frozen=True, rename="camel"):
    """`POST /v1/video:batchAsyncGenerateVideo…`: Text, StartImage, StartAndEndImage or ReferenceImages."""

    client_context: VideoClientContext
    requests: tuple[VideoRequest, ...]


class OperationName(msgspec.Struct, frozen=True):
    """A reference to an operation."""

    name: str


class StatusRequestItem(msgspec.Struct, frozen=True, rename="camel"):
    """An operation to ask about."""

    operation: OperationName
    scene_id: str
    status: str


class BatchCheckStatus(msgspec.Struct, frozen=True):
    """`POST /v1/video:batchCheckAsyncVideoGenerationStatus`."""

    operations: tuple[StatusRequestItem, ...]


class VideoMedia(msgspec.Struct, frozen=True, rename="camel"):
    """Where a finished video and its poster lie."""

    fife_url: str | None = None
    serving_base_uri: str | None = None


class Metadata(msgspec.Struct, frozen=True):
    """What a finished operation carries."""

    video: VideoMedia | None = None


class OperationError(msgspec.Struct, frozen=True):
    """Why an operation failed; the message is a `PUBLIC_ERROR_*` word."""

    message: str | None = None


class Operation(msgspec.Struct, frozen=True):
    """The long-running operation itself."""

    name: str
    metadata: Metadata | None = None
    error: OperationError | None = None


class OperationState(msgspec.Struct, frozen=True):
    """One operation of a status answer."""

    operation: Operation
    status: str | None = None
    metadata: Metadata | None = None


class NamedOperation(msgspec.Struct, frozen=True):
    """One operation of a submission's answer: `operation.name` in the seed, plain `name` in the newer `media` list."""

    operation: OperationName | None = None
    media_name: str | None = msgspec.field(default=None, name="name")

    @property
    def name(self) -> str | None:
        """Whichever is there."""
        return self.operation.name if self.operation else self.media_name


class OperationsObject(msgspec.Struct, frozen=True):
    """The wrapped form of an answer. Each item is read by itself, so that one odd item costs only its own job."""

    operations: tuple[msgspec.Raw, ...] | None = None
    media: tuple[msgspec.Raw, ...] | None = None


class Credits(msgspec.Struct, frozen=True):
    """The answer of `GET /v1/credits` (`flow.md` section 2)."""

    credits: int
