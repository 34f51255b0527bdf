"""What requests for pictures and videos have in common, whatever their route."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """A picture to work from."""

    #: As it came: an address, an object, or a part of a form. A conversation has read its pictures already: a source.
    value: object
    #: Where it stands in the request, as the client spells it.
    name: str
    #: What it is to a video, where its name or its object says so.
    role: str | None = None


class MediaRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of the media that it wants: the one form between the routes' requests and orders.

    `read/media.py` fills it from all the names that there are. `read/images.py` and `read/videos.py` make orders of it.
    """

    model: str | None = None
    #: The words to make something of. In a conversation they are those of its last turn.
    prompt: str | None = None
    n: int | None = None
    #: Pixels, a ratio, a resolution, or `auto`.
    size: str | None = None
    aspect_ratio: str | None = None
    #: Gemini's word for a picture (`2K`), everybody's for a video (`720p`).
    resolution: str | None = None
    quality: str | None = None
    #: Of pictures `png`, `jpeg` or `webp`; a video is always `mp4`.
    output_format: str | None = None
    output_compression: int | None = None
    seconds: float | None = None
    seed: int | None = None
    #: The pictures to work from, in their order.
    pictures: tuple[Picture, ...] = ()
    #: Ours: what the pictures are to a video, in their order. Forms have no other place for it.
    roles: tuple[str, ...] | str | None = None
    background: str | None = None
    moderation: str | None = None
    style: str | None = None
    partial_images: int | None = None
    #: Of what has pictures to work from.
    input_fidelity: str | None = None
    #: Ours: what a size in pixels is worth.
    size_policy: str | None = None
    #: How long to think: Gemini's own word, and OpenAI's words for pictures and for chats.
    thinking_level: str | None = None
    complexity: str | None = None
    reasoning_effort: str | None = None
    #: Whether to search the web first.
    search: bool | None = None
    #: Wishes of OpenAI's youngest models, read only to be refused.
    frame_count: object = None
    frame_duration_ms: object = None
    svg: object = None
    #: OpenAI's own word for recurring figures, read only to be refused.
    characters: object = None
    #: Under which name each field of the request came, as the client spells it.
    names: Mapping[str, str] = {}

    def called(self, field: str) -> str:
        """Return the name that the client used for a field."""
        return self.names.get(field, field)


class RouteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a request: fields of the route's own, and what it says of media."""

    #: The fields of media that the route knows beside those of `read/names.py`, which are known at every route.
    KNOWN: ClassVar[frozenset[str]] = frozenset()

    media: MediaRequest = MediaRequest()

    def called(self, field: str) -> str:
        """Return the name that the client used for a field of the route's own."""
        return self.media.called(field)
