"""Pictures into `ImagesResponse`."""

from collections.abc import Sequence
from typing import Final, Literal

from adapter.domain.media import Image, MediaFormat
from adapter.openai_api.wire.images import ImageData, ImagesResponse

FORMATS: Final[dict[MediaFormat, Literal["png", "jpeg", "webp"]]] = {
    MediaFormat.PNG: "png",
    MediaFormat.JPEG: "jpeg",
    MediaFormat.WEBP: "webp",
}


def images_response(images: Sequence[Image], links: Sequence[str] | None, *, created: int) -> ImagesResponse:
    """Hand over pictures as base64, or as links where these are given."""
    data = [ImageData(b64_json=image.base64) for image in images]
    if links is not None:
        data = [ImageData(url=link) for link in links]
    first = images[0]
    return ImagesResponse(created=created, data=data, size=str(first.pixels), output_format=FORMATS[first.format])
