"""The stores of what clients can look up again."""

from collections.abc import Collection, Sequence
from typing import Protocol

from adapter.domain.paging import Page
from adapter.domain.records import DeletedEntry, UploadedFile
from adapter.domain.stored_response import StoredResponse


class FileOwner(Protocol):
    """A store whose entries have files and an end of their own.

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
    """The store of uploaded files. A deleted or expired file is not shown."""

    async def add(self, file: UploadedFile) -> None:
        """Add a file whose bytes are stored."""
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
        """Return a page of an owner's files in the order of their upload; with `purpose` only those for it."""
        ...

    async def delete(self, file_id: str, owner: str, *, now: float) -> UploadedFile | None:
        """Hide a file of this owner for ever and return it, so that its bytes go."""
        ...


class ResponseStore(FileOwner, ImageLocator, Protocol):
    """The store of responses. A deleted or expired response is not shown."""

    async def add(self, stored: StoredResponse) -> bool:
        """Add a new response; return False if there is one with that key."""
        ...

    async def save(self, stored: StoredResponse) -> bool:
        """Write the next state of a response that is live and not deleted; return whether it was."""
        ...

    async def find(self, key: str, owner: str, *, now: float) -> StoredResponse | None:
        """Return a response of this owner as it looks now."""
        ...

    async def delete(self, key: str, owner: str, *, now: float) -> StoredResponse | None:
        """Hide a response of this owner for ever and return it, so that its picture is deleted."""
        ...
