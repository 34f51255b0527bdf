"""Pictures into `ImagesResponse`."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from adapter.domain.media import Image, MediaFormat
from adapter.openai_api.wire.images import ImageData, ImagesResponse

FORMATS: Final[dict[MediaFormat, Literal["png", "jpeg", "webp"]]] = {
    MediaFormat.PNG: "png",
    MediaFormat.JPEG: "jpeg",
    MediaFormat.WEBP: "webp",
}

#: Stands for a picture where the rest is encoded; no other string of the answer looks like it.
PLACE: Final = msgspec.Raw(b'"picture"')


def images_response(images: Sequence[Image], links: Sequence[str] | None, *, created: int) -> ImagesResponse:
    """Hand over pictures as base64, or as links where these are given."""
    data = [ImageData(b64_json=image.base64) for image in images]
    if links is not None:
        data = [ImageData(url=link) for link in links]
    first = images[0]
    return ImagesResponse(created=created, data=data, size=str(first.pixels), output_format=FORMATS[first.format])


def in_pieces(images: Sequence[Image], *, created: int) -> Sequence[bytes | memoryview]:
    """Hand over pictures as base64: the JSON around them, and in between the pictures as they came, uncopied."""
    places = [msgspec.structs.replace(image, base64=PLACE) for image in images]
    before, *after = msgspec.json.encode(images_response(places, None, created=created)).split(memoryview(PLACE))
    pairs = zip((memoryview(image.base64) for image in images), after, strict=True)
    return [before, *(piece for pair in pairs for piece in pair)]
