"""The media store: one library, obstore, over a folder or memory."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore

from adapter.domain.ports import MediaFile
from adapter.errors import StorageFailed, WrongConfiguration

#: What our names look like. Anything else is not looked for, so no name leads out of the store.
NAME = re.compile(r"[0-9A-Za-z_-]{1,64}\.[0-9a-z]{1,8}")

#: A half-written file that nobody has touched for so long belongs to no living process.
LEFTOVER_SECONDS = 3600.0

#: Read in steps of this size: a quarter of the CPU of the library's own stream (`dependencies.md` section 5).
STEP_BYTES = 1024 * 1024


class ObjectMediaStore:
    """Files in an object store (the port `MediaStore`).

    A put becomes visible whole or not at all: the library writes beside and renames, or completes a multipart upload.
    """

    def __init__(self, objects: ObjectStore, folder: Path | None = None) -> None:
        self._objects = objects
        self._folder = folder

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file (the port of that name). When this returns, a power cut does not take it away any more."""
        with _mapped_errors():
            await self._objects.put_async(name, chunks)
            if self._folder:
                await asyncio.to_thread(_write_through, self._folder, name)

    async def find(self, name: str) -> MediaFile | None:
        """Return what is known of a file (the port of that name)."""
        if NAME.fullmatch(name) is None:
            return None
        with _mapped_errors():
            try:
                meta = await self._objects.head_async(name)
            except FileNotFoundError:
                return None
        return MediaFile(meta["size"], meta["e_tag"] or "")

    async def read(self, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield a range (the port of that name)."""
        for position in range(start, end, STEP_BYTES):
            with _mapped_errors():
                piece = await self._objects.get_range_async(name, start=position, end=min(end, position + STEP_BYTES))
            yield bytes(piece)


@contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, BaseError) as error:
        raise StorageFailed("The server cannot reach its files at the moment. Ask again shortly.") from error


def _write_through(folder: Path, name: str) -> None:
    """Put a file and its name on the disk itself; the library leaves both to the system's good time."""
    for path in (folder / name, folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove what a killed process left half written; the library calls such a file `NAME#NUMBER`."""
    for leftover in folder.glob("*#*"):
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                leftover.unlink()


def open_media(url: str) -> ObjectMediaStore:
    """Open `file://folder` (made if it is missing) or `memory://`.

    Raises:
        WrongConfiguration: any other kind of address.
    """
    kind, _, place = url.partition("://")
    match kind:
        case "file" if place:
            folder = Path(place).expanduser().resolve()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise WrongConfiguration(f"storage.media: {folder} cannot be made: {error.strerror}.") from error
            _sweep(folder)
            return ObjectMediaStore(LocalStore(folder), folder)
        case "memory":
            return ObjectMediaStore(MemoryStore())
        case _:
            raise WrongConfiguration(f"storage.media is '{url}'; it has to be file://FOLDER.")
