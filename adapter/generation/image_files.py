"""Pictures under names that were chosen for them, to be handed out again."""

import asyncio

import structlog

from adapter.domain.media import Image, image_from_bytes
from adapter.domain.pieces import read_whole, write_whole
from adapter.domain.ports import MediaStore
from adapter.domain.stored_files import StoredImage
from adapter.errors import NotFound, StorageFailed
from adapter.generation.files import check_whole

log = structlog.get_logger()


class ImageFiles:
    """Keeps them in the media store."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media

    async def keep(self, image: Image, name: str) -> None:
        """Store a picture."""
        await write_whole(self._media, name, await asyncio.to_thread(image.decode))

    async def bring(self, stored: StoredImage) -> Image:
        """Return a picture that was kept.

        Raises:
            NotFound: its file is gone, or no picture any more.
            FileDamaged: its file is shorter than it was.
        """
        data = await self._read(stored)
        image = await asyncio.to_thread(image_from_bytes, data)
        if image is None:
            raise NotFound("The picture is not stored here any more.")
        return image

    async def _read(self, stored: StoredImage) -> bytes:
        found = await self._media.find(stored.name)
        return b"" if found is None else await read_whole(self._media, check_whole(found, stored.known_size))

    async def drop(self, name: str) -> None:
        """Delete a picture now if the media store lets us; else it is the sweeper's."""
        try:
            await self._media.delete([name])
        except StorageFailed as fault:
            log.warning("responses.bytes_left", code=fault.code)
