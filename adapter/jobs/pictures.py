"""The input pictures of a video: stored with it, because a job outlives its request."""

from adapter.domain.media import Image, image_from_bytes
from adapter.domain.orders import StoredInput
from adapter.domain.pieces import find_whole
from adapter.domain.ports import MediaStore
from adapter.errors import JobFailed


async def read_picture(media: MediaStore, kept: StoredInput) -> Image:
    """Return a kept picture.

    Raises:
        StorageFailed: the media store does not give it at the moment.
        JobFailed: it is gone.
    """
    image = image_from_bytes(await find_whole(media, kept.name) or b"")
    if image is None:
        raise JobFailed("A picture that the video was to be made from is not stored any more.", code="picture_gone")
    return image
