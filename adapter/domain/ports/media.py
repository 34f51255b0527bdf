"""The media store: files by name."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

import msgspec

from adapter.domain.stored_files import StoredFile


class MediaStore(Protocol):
    """Files by name. A name that exists is a whole file.

    Each method raises StorageFailed if the store does not take or give anything at the moment.
    """

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file. If `chunks` raises, nothing of it becomes visible."""
        ...

    async def find(self, name: str) -> StoredFile | None:
        """Return a file, or None if there is none of that name."""
        ...

    def read(self, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to but not including `end`.

        Raises:
            FileDamaged: the file ends before.
        """
        ...

    def list(self) -> AsyncIterator[Sequence[StoredFile]]:
        """Yield every whole file once, page by page, in no order. Deleting meanwhile is allowed."""
        ...

    async def delete(self, names: Collection[str]) -> None:
        """Delete files. A file that is gone already is no error."""
        ...


class Ownership(msgspec.Struct, frozen=True):
    """What is known of some stems of files. A stem that is in neither set is unknown."""

    #: They have a row: a job, an upload, a response, or a request whose answer is kept.
    owned: Collection[str]
    #: Their job was deleted, and so were its files.
    given_up: Collection[str]


class FileRegistry(Protocol):
    """Which files the database knows. Each method raises StorageFailed if it does not answer."""

    async def ownership(self, stems: Collection[str]) -> Ownership:
        """Return what is known of some stems, in a few queries."""
        ...

    def expected(self, *, since: float, now: float) -> AsyncIterator[Sequence[str]]:
        """Yield the names of files that have to be there, some at a time.

        They are of all uploads and responses that are shown, and of the jobs that were completed after `since`.
        """
        ...


class FileSizes(Protocol):
    """The sizes that files had when they were stored."""

    async def size_of(self, name: str) -> int | None:
        """Return the size of a file in bytes as it was stored; None if it was not remembered.

        Raises:
            StorageFailed: the store does not give anything at the moment.
        """
        ...
