"""The memory of what clients can look up again."""

from collections.abc import Collection, Sequence
from typing import Protocol

from adapter.domain.paging import Page
from adapter.domain.records import DeletedEntry, UploadedFile
from adapter.domain.stored_response import StoredResponse


class FileOwner(Protocol):
    """A memory whose entries have files, and last as long as they say themselves.

    Each method raises StorageFailed if the store does not take or give anything at the moment.
    """

    async def keeps(self, stems: Collection[str]) -> Collection[str]:
        """Return those of some stems that an entry has, one that was deleted or has expired included."""
        ...

    async def deleted_entries(self, *, before: float, limit: int) -> Sequence[DeletedEntry]:
        """Return entries that were deleted or have expired before that time."""
        ...

    async def forget(self, ids: Collection[str]) -> None:
        """Remove entries whose files are gone."""
        ...


class ImageLocator(Protocol):
    """Pictures that their owner can name by an id."""

    async def locate(self, picture_id: str, owner: str, *, now: float) -> str | None:
        """Return the name in the media store of a picture of this owner.

        Raises:
            StorageFailed: the store does not give anything at the moment.
        """
        ...


class FileStore(FileOwner, ImageLocator, Protocol):
    """The memory of the files that clients gave us. Nobody is shown what was deleted or has expired."""

    async def add(self, file: UploadedFile) -> None:
        """Remember a file whose bytes are stored."""
        ...

    async def find(self, file_id: str, owner: str, *, now: float) -> UploadedFile | None:
        """Return a file of this owner."""
        ...

    async def place(self, file_id: str, owner: str) -> UploadedFile | None:
        """Return a file of this owner as the end of a page, also a deleted one: a client may delete while it lists."""
        ...

    async def list(
        self, owner: str, page: Page[UploadedFile], *, purpose: str | None = None, now: float
    ) -> Sequence[UploadedFile]:
        """Return a page of an owner's files, by the time of their coming; if `purpose` is given only those for it."""
        ...

    async def delete(self, file_id: str, owner: str, *, now: float) -> UploadedFile | None:
        """Hide a file of this owner for ever and return it, so that its bytes go."""
        ...


class ResponseStore(FileOwner, ImageLocator, Protocol):
    """The memory of answers. Nobody is shown what was deleted or has expired."""

    async def add(self, stored: StoredResponse) -> bool:
        """Remember a new reply; return False if there is one of that key."""
        ...

    async def save(self, stored: StoredResponse) -> bool:
        """Write the next state of a reply that is live and not deleted; return whether it was."""
        ...

    async def find(self, key: str, owner: str, *, now: float) -> StoredResponse | None:
        """Return a reply of this owner as it looks now."""
        ...

    async def delete(self, key: str, owner: str, *, now: float) -> StoredResponse | None:
        """Hide a reply of this owner for ever and return it, so that its picture goes."""
        ...
