"""The files behind the links that we hand out."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator

import structlog

from adapter.domain.ports import FileSizes, MediaStore
from adapter.domain.stored_files import StoredFile
from adapter.errors import FileDamaged, NotFound, StorageFailed

log = structlog.get_logger()

#: Names whose size is remembered: a player asks for one file many times.
MOST_SIZES = 4096
#: Characters of a name that may be logged. The whole name opens the link.
LOGGED_CHARACTERS = 8


def check_whole(file: StoredFile, size: int | None) -> StoredFile:
    """Return a stored file if it has the size that it had when it was stored; None: that is not known.

    Raises:
        FileDamaged: it has another size.
    """
    if size is not None and file.size != size:
        log.error("media.damaged", file=file.name[:LOGGED_CHARACTERS], stored_bytes=file.size, known_bytes=size)
        raise FileDamaged("The stored file is damaged, so it is not sent. The operator has to look at it.")
    return file


class Files:
    """Finds and reads them."""

    def __init__(self, media: MediaStore, sizes: FileSizes) -> None:
        self._media = media
        self._sizes = sizes
        self._known: OrderedDict[str, int | None] = OrderedDict()
        #: Questions that are on their way. Players that come at once ask the same one.
        self._asked: dict[str, asyncio.Future[int | None]] = {}

    async def find(self, name: str) -> StoredFile:
        """Return a stored file.

        Raises:
            NotFound: there is none of that name.
            FileDamaged: it is shorter than it was.
        """
        found = await self._media.find(name)
        if found is None:
            raise NotFound("There is no such file.")
        return check_whole(found, await self._size_of(name))

    async def _size_of(self, name: str) -> int | None:
        """Return the size of a file as it was stored. It never changes, so it is asked for once."""
        if name in self._known:
            self._known.move_to_end(name)
            return self._known[name]
        if (asked := self._asked.get(name)) is not None:
            return await asyncio.shield(asked)
        asked = self._asked[name] = asyncio.get_running_loop().create_future()
        size = None
        try:
            size = await self._sizes.size_of(name)
            self._known[name] = size
        except StorageFailed:  # links do not need the database
            return None
        finally:
            del self._asked[name]
            asked.set_result(size)
        if len(self._known) > MOST_SIZES:
            self._known.popitem(last=False)
        return size

    def read(self, file: StoredFile, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of a stored file from `start` up to but not including `end`."""
        return self._media.read(file.name, start, end)
