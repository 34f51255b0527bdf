"""What all requests for pictures and videos have in common, whatever their route."""

from collections.abc import Mapping

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """A picture that a request brings along, as it came: an address, an object, or a part of a form."""

    value: object
    #: Where it stands in the request, as the client spells it.
    name: str
    #: What it is to a video, where its name or its object says so.
    role: str | None = None


class MediaRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What every request may say of what shall be made. `read/media.py` fills it from all the names that there are."""

    model: str | None = None
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
    #: Under which name each of these fields came, as the client spells it.
    names: Mapping[str, str] = {}

    def called(self, field: str) -> str:
        """Return the name that the client used for a field."""
        return self.names.get(field, field)
