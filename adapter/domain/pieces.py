"""Files of the media store that are read and written whole."""

from collections.abc import AsyncIterator

from adapter.domain.ports import MediaStore
from adapter.domain.stored_files import StoredFile


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """Yield the whole bytes as one piece, for functions that read pieces."""
    yield data


async def write_whole(media: MediaStore, name: str, data: bytes) -> None:
    """Store a file whose bytes are in memory.

    Raises:
        StorageFailed: the media store does not take it at the moment.
    """
    await media.put(name, one_piece(data))


async def read_whole(media: MediaStore, file: StoredFile) -> bytes:
    """Return the bytes of a file that was found.

    Raises:
        StorageFailed: the media store does not give them at the moment.
    """
    return b"".join([piece async for piece in media.read(file.name, 0, file.size)])


async def find_whole(media: MediaStore, name: str) -> bytes | None:
    """Return the bytes of a file; None if there is none of that name.

    Raises:
        StorageFailed: the media store does not give them at the moment.
    """
    file = await media.find(name)
    return None if file is None else await read_whole(media, file)
