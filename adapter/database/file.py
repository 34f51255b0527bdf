"""The file of a SQLite database: whether it is still the one that was opened, and whether it can grow."""

import errno
import os
from pathlib import Path

from adapter.database.reasons import FileReplaced

#: Free bytes of the disk below which the file counts as full: a write-ahead log of its usual size, 1,000 pages.
ROOM_BYTES = 4 * 1024 * 1024


class DatabaseFile:
    """The file that SQLite has open.

    What is written to a file that has lost its name is lost with the process. The file is looked at and never opened
    here: a close would take away SQLite's locks.
    """

    def __init__(self, path: Path, *, room: int = ROOM_BYTES) -> None:
        """Take the path, and the free bytes that the disk has to have."""
        self._path = path
        self._room = room
        self._opened: tuple[int, int] | None = None

    def check_same(self) -> None:
        """Return if the path still leads to the file of the first call, which is before the first connection.

        Raises:
            FileReplaced: the file was removed or replaced since.
        """
        found = self._find()
        if found is None and self._opened is not None:
            raise FileReplaced(errno.ESTALE, "the file was removed; restart the program")
        self._compare(found)

    def check_not_replaced(self) -> None:
        """Return if the path leads to no other file. What is written then could damage the other one: they share a log.

        Raises:
            FileReplaced: the file was replaced.
        """
        self._compare(self._find())

    def _find(self) -> tuple[int, int] | None:
        """Return what identifies the file that has the name now. SQLite says what is wrong with a missing one."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _compare(self, found: tuple[int, int] | None) -> None:
        self._opened = self._opened or found
        if found not in (None, self._opened):
            raise FileReplaced(errno.ESTALE, "the file was replaced; restart the program")

    def check_room(self) -> None:
        """Return if the disk has room for the file to grow.

        Raises:
            OSError: it has not (ENOSPC).
        """
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
