"""What the Interactions and Files APIs take and answer (`omni.md` section 2)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapter.sandbox.omni.refusals import Refusal

FileState = Literal["PROCESSING", "ACTIVE", "FAILED"]
Task = Literal["text_to_video", "image_to_video", "reference_to_video", "edit", "extend", "upscale"]


class TextContent(msgspec.Struct, frozen=True, tag="text", forbid_unknown_fields=True):
    """The prompt."""

    text: Annotated[str, Meta(min_length=1)]


class ImageContent(msgspec.Struct, frozen=True, tag="image", forbid_unknown_fields=True):
    """A picture, inline or uploaded."""

    mime_type: str
    uri: str = ""
    data: str = ""


class VideoContent(msgspec.Struct, frozen=True, tag="video", forbid_unknown_fields=True):
    """A video to work on."""

    uri: str
    mime_type: str = "video/mp4"


Content = TextContent | ImageContent | VideoContent


class UserInput(msgspec.Struct, frozen=True, tag="user_input", forbid_unknown_fields=True):
    """How Google's clients wrap a list of contents."""

    content: tuple[Content, ...]


class VideoFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the video shall be like."""

    type: Literal["video"]
    aspect_ratio: Literal["16:9", "9:16"] = "16:9"
    resolution: Literal["360p", "720p", "1080p", "4k"] = "720p"
    duration: Annotated[str, Meta(pattern=r"^\d{1,4}(\.\d{1,9})?s\Z")] = "10s"
    delivery: Literal["inline", "uri"] = "inline"


class VideoConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the inputs are to the video."""

    task: Task = "text_to_video"


class GenerationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it is made."""

    video_config: VideoConfig = VideoConfig()
    seed: int = 0


class InteractionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /{version}/interactions`."""

    model: str
    input: str | tuple[Content | UserInput, ...]
    response_format: VideoFormat | None = None
    generation_config: GenerationConfig = GenerationConfig()
    background: bool = False
    store: bool = True
    stream: bool = False
    previous_interaction_id: str = ""
    labels: dict[str, str] = {}
    service_tier: str = "standard"

    @property
    def contents(self) -> tuple[Content, ...]:
        """The inputs, however they are wrapped."""
        if isinstance(self.input, str):
            return (TextContent(self.input),)
        return tuple(
            content for each in self.input for content in (each.content if isinstance(each, UserInput) else (each,))
        )

    @property
    def prompt(self) -> str:
        """The words of it."""
        return "\n".join(each.text for each in self.contents if isinstance(each, TextContent))


class MadeVideo(msgspec.Struct, frozen=True, tag="video", omit_defaults=True):
    """A finished video."""

    mime_type: str
    uri: str = ""
    data: str = ""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of an interaction."""

    type: str
    content: tuple[MadeVideo, ...] = ()
    signature: str = ""


class ModalityTokens(msgspec.Struct, frozen=True):
    """Tokens of one kind."""

    modality: str
    tokens: int


class Usage(msgspec.Struct, frozen=True):
    """What it took."""

    total_input_tokens: int
    total_output_tokens: int
    total_tokens: int
    output_tokens_by_modality: tuple[ModalityTokens, ...] = ()


class Interaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An interaction as it stands."""

    id: str
    object: str
    status: str
    model: str
    created: str
    updated: str
    service_tier: str
    steps: tuple[Step, ...] = ()
    usage: Usage | None = None
    errors: tuple[Refusal, ...] = ()


class Nothing(msgspec.Struct, frozen=True):
    """An empty object."""


class NewFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a file before it comes."""

    display_name: str = ""
    mime_type: str = ""
    size_bytes: int | str = 0
    name: str = ""


class UploadRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /upload/{version}/files`."""

    file: NewFile = NewFile()


class File(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A file."""

    name: str
    uri: str
    mime_type: str
    size_bytes: str
    create_time: str
    update_time: str
    expiration_time: str
    sha256_hash: str
    state: FileState
    source: Literal["UPLOADED", "GENERATED"]
    #: Of a generated file.
    download_uri: str = ""


class Uploaded(msgspec.Struct, frozen=True):
    """The answer to the bytes of a file."""

    file: File
