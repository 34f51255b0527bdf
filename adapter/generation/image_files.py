"""Pictures under names that were chosen for them, to be handed out again."""

import asyncio

import structlog

from adapter.domain.image_job import Drawn
from adapter.domain.media import Image, image_from_bytes
from adapter.domain.pieces import one_piece
from adapter.domain.ports import MediaStore
from adapter.errors import NotFound, StorageFailed

log = structlog.get_logger()


class ImageFiles:
    """Keeps them in the media store."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media

    async def keep(self, image: Image, name: str) -> None:
        """Store a picture."""
        await self._media.put(name, one_piece(await asyncio.to_thread(image.decode)))

    async def bring(self, drawn: Drawn) -> Image:
        """Return a picture that was kept.

        Raises:
            NotFound: its file is gone, or no picture any more.
        """
        file = await self._media.find(drawn.name)
        data = b"" if file is None else b"".join([part async for part in self._media.read(drawn.name, 0, file.size)])
        image = await asyncio.to_thread(image_from_bytes, data)
        if image is None:
            raise NotFound("The picture is not stored here any more.")
        return image

    async def drop(self, name: str) -> None:
        """Delete a picture now if the media store lets us; else it is the sweeper's."""
        try:
            await self._media.delete([name])
        except StorageFailed as fault:
            log.warning("responses.bytes_left", code=fault.code)
