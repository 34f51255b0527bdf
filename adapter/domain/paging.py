"""Pages of lists."""

from typing import Generic, Self, TypeVar

import msgspec

_Entry = TypeVar("_Entry")
_Other = TypeVar("_Other")


class Page(msgspec.Struct, Generic[_Entry], frozen=True, kw_only=True):
    """Which entries of a list are asked for."""

    #: At most so many.
    limit: int = 20
    newest_first: bool = True
    #: The entry that the page before ended with: its id, or itself.
    after: _Entry | None = None

    def behind(self, entry: _Other | None) -> "Page[_Other]":
        """Return the same page with its place as another kind of value."""
        return Page(limit=self.limit, newest_first=self.newest_first, after=entry)

    @property
    def and_one(self) -> Self:
        """The same with an entry more, which tells whether the list goes on."""
        return msgspec.structs.replace(self, limit=self.limit + 1)
