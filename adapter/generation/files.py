"""The files behind the links that we hand out."""

from collections.abc import AsyncIterator

from adapter.domain.ports import MediaStore
from adapter.domain.stored_files import StoredFile
from adapter.errors import NotFound


class Files:
    """Finds and reads them."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media

    async def find(self, name: str) -> StoredFile:
        """Return a stored file.

        Raises:
            NotFound: there is none of that name.
        """
        found = await self._media.find(name)
        if found is None:
            raise NotFound("There is no such file.")
        return found

    def read(self, file: StoredFile, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of a stored file from `start` up to but not including `end`."""
        return self._media.read(file.name, start, end)
