"""What the sandbox remembers: the events of its journal, each was part of an answer."""

from typing import Literal

import msgspec

MediaKind = Literal["upload", "image", "video"]
MediumUsage = Literal["", "start", "start_end", "reference", "extended"]


class SecretMade(msgspec.Struct, frozen=True, tag="secret"):
    """The key that signs media links, in hex; made at the first start."""

    secret: str


class Medium(msgspec.Struct, frozen=True, kw_only=True, tag="medium"):
    """A picture or clip. Uploads have bytes on file; the others are drawn again from these parameters."""

    #: The UUID in its links.
    id: str
    #: What Flow calls mediaGenerationId (`flow.names`).
    name: str
    #: Project id of the owner.
    account: str
    kind: MediaKind
    width: int
    height: int
    mime: str
    prompt: str = ""
    seed: int = 0
    model: str = ""
    workflow: str = ""
    #: Names of the media it was made from, in order: first frame, last frame, or references.
    inputs: tuple[str, ...] = ()
    #: What the inputs of a clip are.
    usage: MediumUsage = ""
    #: Where a video of Google Cloud is left: `inline`, in answers, or the `gs://` address of a file.
    place: str = ""
    #: Length of a video that was uploaded to Omni or made by it.
    seconds: float = 0.0


class Operation(msgspec.Struct, frozen=True, kw_only=True, tag="operation"):
    """A video job: it has no state of its own, its status is a function of the time since `at`."""

    name: str
    account: str
    scene_id: str
    #: UUID of the clip.
    medium: str
    at: float
    fails: bool = False


class InteractionEnded(msgspec.Struct, frozen=True, kw_only=True, tag="interaction_ended"):
    """An interaction that its owner cancelled or deleted."""

    name: str
    how: Literal["cancelled", "deleted"]


class Execution(msgspec.Struct, frozen=True, kw_only=True, tag="execution"):
    """An execution that cost money. Tests count these, not requests."""

    id: str
    kind: Literal["image", "video", "text"]
    #: Project id; empty for Gemini.
    account: str
    scene_id: str
    operation: str
    prompt: str
    model: str
    #: Unix seconds, by the sandbox's clock.
    at: float
    #: What it cost on Flow.
    credits: int = 0


Event = SecretMade | Medium | Operation | InteractionEnded | Execution
