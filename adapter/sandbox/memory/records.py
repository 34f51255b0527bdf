"""What the sandbox remembers: the events of its journal, each a fact that was answered to somebody."""

from typing import Literal

import msgspec

MediaKind = Literal["upload", "image", "video"]
MediumUsage = Literal["", "start", "start_end", "reference"]


class SecretMade(msgspec.Struct, frozen=True, tag="secret"):
    """The key that signs media links, in hex; made at the first start."""

    secret: str


class Medium(msgspec.Struct, frozen=True, kw_only=True, tag="medium"):
    """A picture or clip. Uploads have bytes on file; the others are drawn again from these parameters."""

    id: str
    """The UUID in its links."""
    name: str
    """What Flow calls mediaGenerationId (see `media_names`)."""
    account: str
    """Project id of the owner."""
    kind: MediaKind
    width: int
    height: int
    mime: str
    prompt: str = ""
    seed: int = 0
    model: str = ""
    workflow: str = ""
    inputs: tuple[str, ...] = ()
    """Names of the media it was made from, in order: first frame, last frame, or references."""
    usage: MediumUsage = ""
    """What the inputs of a clip are."""


class Operation(msgspec.Struct, frozen=True, kw_only=True, tag="operation"):
    """A video job: it has no state of its own, its status is a function of the time since `at`."""

    name: str
    account: str
    scene_id: str
    medium: str
    """UUID of the clip."""
    at: float
    fails: bool = False


class Execution(msgspec.Struct, frozen=True, kw_only=True, tag="execution"):
    """Something that was carried out and cost money: the judge of tests counts these, not requests."""

    id: str
    kind: Literal["image", "video"]
    account: str
    """Project id; empty for Gemini."""
    scene_id: str
    operation: str
    prompt: str
    model: str
    at: float
    """Seconds since the epoch, by the sandbox's clock."""
    credits: int = 0
    """What it cost on Flow."""


Event = SecretMade | Medium | Operation | Execution
