"""The JSON of the Interactions and Files APIs, as far as we send or read it (`omni.md` section 2)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

#: Names go into addresses.
Name = Annotated[str, Meta(min_length=1, max_length=1024)]
Word = Annotated[str, Meta(max_length=100)]


class TextContent(msgspec.Struct, frozen=True, tag="text"):
    """The prompt."""

    text: str


class ImageContent(msgspec.Struct, frozen=True, tag="image"):
    """A picture, by the address of its upload, or as base64."""

    uri: str | msgspec.UnsetType
    mime_type: str
    data: str | msgspec.UnsetType = msgspec.UNSET


class Delivery(msgspec.Struct, frozen=True):
    """Where a video is left: `uri`, at Google or in a folder of a bucket, or `inline`, in the answer."""

    delivery: str = "uri"
    gcs_uri: str | msgspec.UnsetType = msgspec.UNSET


class VideoContent(msgspec.Struct, frozen=True, tag="video"):
    """An uploaded video to work on."""

    uri: str
    mime_type: str = "video/mp4"


Content = TextContent | ImageContent | VideoContent


class VideoFormat(msgspec.Struct, frozen=True, kw_only=True):
    """What the video shall be like, and where it is left."""

    type: str = "video"
    aspect_ratio: str
    resolution: str
    duration: str
    delivery: str = "uri"
    gcs_uri: str | msgspec.UnsetType = msgspec.UNSET


class VideoConfig(msgspec.Struct, frozen=True):
    """What the inputs are to the video."""

    task: str


class GenerationConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How it is made."""

    video_config: VideoConfig
    seed: int | None = None


class InteractionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /{version}/interactions`."""

    model: str
    input: tuple[Content, ...]
    response_format: VideoFormat
    generation_config: GenerationConfig
    background: bool = True
    store: bool = True
    #: The work whose video is edited or extended. It has to be of the same project.
    previous_interaction_id: str | msgspec.UnsetType = msgspec.UNSET


class NamedInteraction(msgspec.Struct, frozen=True):
    """What is read of the answer to a submission: its name, and nothing else."""

    id: Name


class WordError(msgspec.Struct, frozen=True):
    """An error whose code is a word."""

    code: Word = ""
    message: str = ""


class OutputContent(msgspec.Struct, frozen=True):
    """A piece of an output. A video comes as an address, or as base64 where it is small."""

    type: str = ""
    uri: str = ""
    #: A JSON string, which is not copied.
    data: msgspec.Raw = msgspec.Raw()


class Step(msgspec.Struct, frozen=True):
    """A step of an interaction. Only those of the type `model_output` have results."""

    type: str = ""
    #: Each piece is read by itself.
    content: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


Count = Annotated[int, Meta(ge=0)]


class ModalityTokens(msgspec.Struct, frozen=True):
    """Tokens of one kind."""

    modality: str = ""
    tokens: Count = 0


class TokenCount(msgspec.Struct, frozen=True):
    """What an interaction took."""

    total_input_tokens: Count = 0
    total_output_tokens: Count | None = None
    output_tokens_by_modality: tuple[ModalityTokens, ...] = ()


class Interaction(msgspec.Struct, frozen=True):
    """How an interaction stands. What may come in odd forms is read by itself."""

    status: str
    steps: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    usage: msgspec.Raw = msgspec.Raw()


class NewFile(msgspec.Struct, frozen=True):
    """A file that is about to be uploaded."""

    display_name: str
    mime_type: str
    size_bytes: int


class UploadRequest(msgspec.Struct, frozen=True):
    """`POST /upload/{version}/files`."""

    file: NewFile


class File(msgspec.Struct, frozen=True, rename="camel"):
    """A file at Google. These answers are in camelCase."""

    name: Name
    uri: str = ""
    mime_type: str = ""
    state: Literal["STATE_UNSPECIFIED", "PROCESSING", "ACTIVE", "FAILED"] = "STATE_UNSPECIFIED"
    error: msgspec.Raw = msgspec.Raw()


class Uploaded(msgspec.Struct, frozen=True):
    """The answer to the last part of an upload."""

    file: File
