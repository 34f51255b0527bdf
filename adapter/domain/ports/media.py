"""The media store: files by name."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

import msgspec


class MediaFile(msgspec.Struct, frozen=True):
    """What is known of a stored file."""

    size: int
    etag: str


class ListedFile(msgspec.Struct, frozen=True):
    """A stored file as a list has it."""

    name: str
    size: int
    #: When it was stored, in Unix seconds of the store's own clock.
    modified_at: float


class MediaStore(Protocol):
    """Files by name. A name that exists is a whole file.

    Each method raises StorageFailed if the store does not take or give anything at the moment.
    """

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file. If `chunks` raises, nothing of it becomes visible."""
        ...

    async def find(self, name: str) -> MediaFile | None:
        """Return what is known of a file."""
        ...

    def read(self, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to but not including `end`."""
        ...

    def list(self) -> AsyncIterator[Sequence[ListedFile]]:
        """Yield every whole file once, page by page, in no order. Deleting meanwhile is allowed."""
        ...

    async def delete(self, names: Collection[str]) -> None:
        """Delete files. A file that is gone already is no error."""
        ...
