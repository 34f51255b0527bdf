"""What is sent and read of OpenAI's API. Fields that are not used are not read."""

from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

#: The states of a video in their order. Nothing comes after the last two.
ORDER: Final = ("queued", "in_progress", "completed", "failed")
ENDS: Final = frozenset({"completed", "failed"})


class InputPicture(msgspec.Struct, frozen=True):
    """A picture that comes along: a `data:` URL or an https address."""

    image_url: str


class ImageCommand(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/images/generations`, and `/v1/images/edits` if there are pictures."""

    prompt: str
    output_format: str
    n: int
    response_format: Literal["b64_json"] = "b64_json"
    model: str | UnsetType = UNSET
    size: str | UnsetType = UNSET
    quality: str | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    images: tuple[InputPicture, ...] | UnsetType = UNSET


class Picture(msgspec.Struct, frozen=True):
    """One picture of an answer."""

    b64_json: str | None = None


class Pictures(msgspec.Struct, frozen=True):
    """The answer to a request for pictures."""

    data: tuple[Picture, ...]
    size: str | None = None
    usage: msgspec.Raw | UnsetType = UNSET


class VideoCommand(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/videos`."""

    prompt: str
    model: str | UnsetType = UNSET
    size: str | UnsetType = UNSET
    seconds: str | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    input_reference: tuple[InputPicture, ...] | UnsetType = UNSET


class Problem(msgspec.Struct, frozen=True):
    """What went wrong with a request or a video."""

    message: str
    code: str | None = None


class ProblemAnswer(msgspec.Struct, frozen=True):
    """The body of an error."""

    error: Problem


class VideoStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A video as it is at a moment."""

    id: str
    status: Literal["queued", "in_progress", "completed", "failed"]
    model: str = ""
    #: From 0 to 100.
    progress: int = 0
    seconds: str = ""
    size: str = ""
    error: Problem | None = None
    usage: msgspec.Raw | UnsetType = UNSET

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens."""
        return self.status in ENDS

    @property
    def place(self) -> tuple[int, int]:
        """How far it is, to compare: the state, then the progress."""
        return ORDER.index(self.status), self.progress


class VideoChange(msgspec.Struct, frozen=True, kw_only=True):
    """An event of `/v1/videos/{id}/events`; an error in the stream has no video."""

    sequence_number: int = 0
    video: VideoStatus | None = None
