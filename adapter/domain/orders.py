"""What was asked for, in our own words, checked and complete: nothing in an order needs the catalogue any more."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal

import msgspec

from adapter.domain.media import Frame, MediaFormat, Pixels, Ratio
from adapter.domain.prices import Quote, cost_of
from adapter.domain.spending import Spending
from adapter.domain.thinking import ThinkingLevel
from adapter.domain.usage import Cost

#: Seeds travel as 32-bit signed integers in Google's documents (`generationConfig.seed`, seed 003).
MAX_SEED = 2**31 - 1


class InlineSource(msgspec.Struct, frozen=True, tag="inline"):
    """An input picture whose bytes came with the request."""

    data: bytes
    #: The field that it came in, for errors.
    param: str
    #: What else a client can do if it cannot be had: the conversation may show it for ever.
    advice: str = ""


class LinkSource(msgspec.Struct, frozen=True, tag="link"):
    """An input picture that lies somewhere on the web."""

    url: str
    param: str
    advice: str = ""


class StoredSource(msgspec.Struct, frozen=True, tag="stored"):
    """An input picture that we handed out ourselves, by its name in the media store."""

    name: str
    param: str
    advice: str = ""


class FileIdSource(msgspec.Struct, frozen=True, tag="file_id"):
    """An input picture with an id, uploaded or made before. Its owner's `StoredSource` is looked up for it."""

    file_id: str
    param: str
    advice: str = ""


#: Where an input picture comes from. The tags stand in the documents of jobs.
Source = InlineSource | LinkSource | StoredSource | FileIdSource


class TurnPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an earlier turn: words, or a picture."""

    text: str = ""
    #: The place of the picture in `ImageOrder.sources`.
    picture: int | None = None
    #: The provider's signature of a part that it made. It goes back unchanged.
    signature: str = ""


class EarlierTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn before the one that has the prompt."""

    role: Literal["user", "model"]
    parts: tuple[TurnPart, ...]


class ImageOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures from a text, or from a text and pictures."""

    #: The name that the client used.
    model: str
    provider: str
    #: The provider's name of the model.
    upstream: str
    prompt: str
    #: How many pictures, 1 to 10.
    n: int
    frame: Frame
    #: The pictures to work from, in the order in which the prompt counts them.
    sources: tuple[Source, ...] = ()
    #: The formats in which the provider takes them.
    input_formats: tuple[MediaFormat, ...] = ()
    #: The very size in pixels, where the provider's own will not do.
    exact: Pixels | None = None
    #: The first picture's seed; further pictures count up from it. None leaves it to chance.
    seed: int | None = None
    #: Whether the adjustable content filters shall be off.
    lenient: bool = False
    #: How long the model thinks first. None leaves it to the model.
    thinking: ThinkingLevel | None = None
    #: Whether the model searches the web first.
    grounded: bool = False
    format: MediaFormat = MediaFormat.PNG
    #: Quality of a JPEG or WebP, 0 to 100.
    compression: int = 100
    #: What one picture costs, as the model's card has it.
    quotes: tuple[Quote, ...] = ()
    #: The turns before the prompt, if the provider signed the pictures in them. Their pictures are the first sources.
    turns: tuple[EarlierTurn, ...] = ()
    #: Whether the provider's signatures belong to the answer.
    is_signed: bool = False

    @property
    def origin(self) -> str:
        """How its pictures come to be, as OpenAI's statistics call it."""
        return "image.edit" if self.sources else "image.generation"

    def spending(self, owner: str, key: str | None, at: float) -> Spending:
        """Return what its execution spends, whose it is, and what it probably costs if it is begun at that time."""
        each = cost_of(self.quotes, at)
        return Spending(
            owner=owner,
            key=key,
            model=self.model,
            provider=self.provider,
            kind="image",
            units=self.n,
            cost=None if each is None else each.times(self.n),
        )


class VideoInput(StrEnum):
    """What a video is made from beside its text."""

    TEXT = "text"
    #: Its first frame.
    FRAME = "frame"
    #: Its first and its last frame.
    FRAMES = "frames"
    #: Pictures of what shall be seen in it.
    REFERENCES = "references"
    #: An earlier video, which is changed as the text says.
    EDIT = "edit"
    #: An earlier video, which goes on after its end as the text says.
    EXTEND = "extend"
    #: An earlier video. Only its resolution changes.
    UPSCALE = "upscale"


#: Kinds of videos that are made from an earlier video and a text.
FROM_VIDEOS = frozenset({VideoInput.EDIT, VideoInput.EXTEND})


class StoredInput(msgspec.Struct, frozen=True):
    """A file that a video is made from: its name in the media store, and the SHA-256 of its bytes in hex."""

    name: str
    sha256: str


class VideoSource(msgspec.Struct, frozen=True):
    """An earlier video at the provider: its name there, and the account that it belongs to."""

    #: The name of its job, or of the video itself: what the provider works on.
    operation: str
    account: str
    #: As of `Operation`, where the provider asks for it.
    workflow: str = ""


class VideoOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A video from a text, and from pictures where `input` says so."""

    model: str
    provider: str
    upstream: str
    prompt: str
    ratio: Ratio
    #: The clip's, as the model's card has it; None in the documents of jobs that are older than this field.
    size: Pixels | None = None
    #: What the provider is asked for, of a model that has several resolutions.
    resolution: str = ""
    #: Length of what is made.
    seconds: int
    #: Length of the earlier video that this one goes on from; 0 for any other.
    seconds_before: int = 0
    seed: int | None = None
    #: How long such a video usually takes, in seconds, as the model's card has it.
    typical_seconds: float
    input: VideoInput = VideoInput.TEXT
    #: In their order: first frame, last frame; or as the prompt counts them.
    pictures: tuple[StoredInput, ...] = ()
    #: The job whose video this one varies, changes or goes on from.
    remix_of: str | None = None
    #: That video at the provider, where the provider works on it instead of making one anew.
    source: VideoSource | None = None
    #: The file of a video to work on that the provider does not have.
    video: StoredInput | None = None

    @property
    def whole_seconds(self) -> int:
        """Length of the clip, with the earlier video that it goes on from."""
        return self.seconds_before + self.seconds

    def spending(self, owner: str, key: str | None, cost: Cost | None = None) -> Spending:
        """Return what its execution spends, and whose it is."""
        return Spending(
            owner=owner,
            key=key,
            model=self.model,
            provider=self.provider,
            kind="video",
            units=self.seconds,
            cost=cost,
        )


class VideoDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An order for a video whose input pictures are not loaded yet. They may decide its shape."""

    #: Complete but for its pictures and its video, and for its shape where that is open.
    order: VideoOrder
    sources: tuple[Source, ...] = ()
    #: The video to work on, where it came with the request.
    video: InlineSource | None = None
    #: The formats in which the provider takes pictures.
    input_formats: tuple[MediaFormat, ...] = ()
    #: Where the shape is open: the provider's model name for each that there is.
    shapes: Mapping[Ratio, str] = {}
    #: The size of a clip for each of them.
    sizes: Mapping[Ratio, Pixels] = {}
    #: What it costs, as the model's card has it.
    quotes: tuple[Quote, ...] = ()

    @property
    def has_files(self) -> bool:
        """Whether files have to be stored for it."""
        return bool(self.sources) or self.video is not None

    def with_pictures(self, pictures: Sequence[StoredInput], first: Pixels) -> VideoOrder:
        """Return the order with its pictures; an open shape becomes the one that looks most like the first of them."""
        order = msgspec.structs.replace(self.order, pictures=tuple(pictures))
        if not self.shapes:
            return order
        ratio = min(self.shapes, key=first.distance)
        return msgspec.structs.replace(order, ratio=ratio, upstream=self.shapes[ratio], size=self.sizes.get(ratio))
