"""Files of the media store that are read and written whole."""

import asyncio
from collections.abc import AsyncIterator

from adapter.domain.media import Image
from adapter.domain.ports import Clock, MediaStore
from adapter.domain.stored_files import StoredFile
from adapter.errors import StorageFailed, already_paid

#: For so many seconds after its first failure the storing of a paid picture is repeated. A client waits meanwhile.
REPEAT_SECONDS = 30.0
#: Before the first repetition, in seconds; then twice as long each time, and the longest.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 8.0


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """Yield the whole bytes as one piece, for functions that read pieces."""
    yield data


async def write_whole(media: MediaStore, name: str, data: bytes) -> None:
    """Store a file whose bytes are in memory.

    Raises:
        StorageFailed: the media store does not take it at the moment.
    """
    await media.put(name, one_piece(data))


async def write_paid(
    media: MediaStore, name: str, image: Image, clock: Clock, *, given_up: asyncio.Event | None = None
) -> None:
    """Store a picture that is paid for. It is tried again for `REPEAT_SECONDS`, or until it is given up.

    The picture is decoded for each try: between two of them it is held once.

    Raises:
        StorageFailed: the media store did not take it in this time. The picture was paid for.
    """
    given_up = given_up or asyncio.Event()
    pause, until = FIRST_PAUSE, None
    while True:
        try:
            with already_paid():
                await write_whole(media, name, await asyncio.to_thread(image.decode))
        except StorageFailed:
            until = until or clock.now() + REPEAT_SECONDS
            if clock.now() >= until or await clock.wait(given_up, pause):
                raise
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            return


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
