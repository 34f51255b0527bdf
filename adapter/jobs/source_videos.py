"""The file of the video that a video is made from: stored with it, because a job outlives its request."""

from adapter.domain.orders import StoredInput
from adapter.domain.ports import MediaStore
from adapter.domain.stored_files import StoredFile
from adapter.errors import JobFailed


class SourceVideo:
    """A stored video that is given to a provider (the port `VideoFile`)."""

    def __init__(self, media: MediaStore, file: StoredFile, sha256: str) -> None:
        self._media = media
        self._name = file.name
        self.size = file.size
        self.sha256 = sha256

    async def read(self, start: int, end: int) -> bytes:
        """Return a part of it (the port of that name)."""
        return b"".join([piece async for piece in self._media.read(self._name, start, end)])


async def find_source(media: MediaStore, kept: StoredInput) -> SourceVideo:
    """Return a kept video.

    Raises:
        StorageFailed: the media store does not answer at the moment.
        JobFailed: it is gone.
    """
    file = await media.find(kept.name)
    if file is None:
        raise JobFailed("The video that this one was to be made from is not stored any more.", code="video_gone")
    return SourceVideo(media, file, kept.sha256)
