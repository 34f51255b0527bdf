"""Files in a folder: written beside their names and renamed, and read in pieces. Each call visits a thread once.

The library that serves buckets can do that too. Its threads ask the event loop for each piece, which costs more
(`docs/measurements.md`, "What a video costs").
"""

import asyncio
import os
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from adapter.domain.stored_files import StoredFile

_T = TypeVar("_T")

#: Threads. The disk is slower than they are, and more would take each other's time.
THREADS: Final = 16
#: Bytes of a new file that are written at once.
WRITE_BYTES: Final = 1024 * 1024
#: A half-written file that did not change for so long belongs to no living process.
LEFTOVER_SECONDS: Final = 3600.0
#: The rights of a new file and of a new folder.
FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700


class Folder:
    """A folder of files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = ThreadPoolExecutor(THREADS, "media")

    def make(self) -> None:
        """Make the folder if it is missing, for this user alone.

        Raises:
            OSError: it cannot be made.
        """
        self.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Remove what a killed process left half written. Such a file is called `NAME#NUMBER`."""
        for leftover in self.path.glob("*#*"):
            with suppress(OSError):
                if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                    leftover.unlink()

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file. When this returns, a power cut does not take it away any more.

        Raises:
            OSError: the folder does not take it. Nothing of it is left then, nor if `chunks` raises.
        """
        new = _NewFile(self, name)
        gathered: list[bytes] = []
        size = 0
        try:
            async for chunk in chunks:
                gathered.append(chunk)
                size += len(chunk)
                if size >= WRITE_BYTES:
                    await self._apart(partial(new.write, gathered))
                    gathered, size = [], 0
            await self._apart(partial(new.finish, gathered))
        finally:
            if not new.is_over:
                # A thread may be at it still: what is cancelled here is not stopped there. The removal waits for it.
                await asyncio.shield(self._apart(new.remove))

    async def find(self, name: str) -> StoredFile | None:
        """Return a file, or None if there is none of that name.

        Raises:
            OSError: it cannot be looked at.
        """
        try:
            found = await self._apart((self.path / name).stat)
        except FileNotFoundError:
            return None
        return _stored_file(name, found) if stat.S_ISREG(found.st_mode) else None

    async def read(self, name: str, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to but not including `stop`. They are fewer if the file ends before.

        Raises:
            OSError: it cannot be read.
        """
        return await self._apart(lambda: _read(self.path / name, start, stop))

    async def _apart(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class _NewFile:
    """A file that has not got its name yet. Its methods are called in threads, and wait for each other."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder = folder
        self._name = name
        self._lock = threading.Lock()
        #: Once something was written.
        self._path: Path | None = None
        self._descriptor = -1
        #: Whether it has its name, or was removed.
        self.is_over = False

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append pieces."""
        with self._lock:
            if not self.is_over:
                self._append(pieces)

    def finish(self, pieces: Sequence[bytes]) -> None:
        """Append the last pieces, and put the file, its rights and its name on the disk itself."""
        with self._lock:
            if self.is_over:
                return
            path = self._append(pieces)
            os.fsync(self._descriptor)
            path.rename(self._folder.path / self._name)
            self.is_over = True
            os.close(self._descriptor)
        _write_through(self._folder.path)

    def remove(self) -> None:
        """Remove it, unless it has its name."""
        with self._lock:
            if self.is_over:
                return
            self.is_over = True
            if self._path is not None:
                os.close(self._descriptor)
                with suppress(OSError):
                    self._path.unlink()

    def _append(self, pieces: Sequence[bytes]) -> Path:
        path = self._path or self._create()
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        return path

    def _create(self) -> Path:
        """Make the file. Another process may be writing the same name, or the folder may have been removed."""
        number = 1
        while True:
            path = self._folder.path / f"{self._name}#{number}"
            try:
                self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
            except FileExistsError:
                number += 1
            except FileNotFoundError:
                self._folder.make()
            else:
                self._path = path
                return path


def _write_through(folder: Path) -> None:
    """Put the names of a folder on the disk itself."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path, start: int, stop: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, stop - start, start)
    finally:
        os.close(descriptor)


def _stored_file(name: str, found: os.stat_result) -> StoredFile:
    """Describe a file; with the tag that the library of buckets gives files of a folder."""
    tag = f'"{found.st_ino:x}-{found.st_mtime_ns // 1000:x}-{found.st_size:x}"'
    return StoredFile(name=name, size=found.st_size, etag=tag, modified_at=found.st_mtime)
