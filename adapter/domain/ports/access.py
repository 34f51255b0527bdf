"""Access: keys of clients, and credentials for others."""

from collections.abc import Sequence
from typing import Protocol


class Secret(Protocol):
    """A credential that its owner may change while we run."""

    async def read(self) -> str:
        """Return it."""
        ...

    async def renew(self) -> str:
        """Return it after it was refused: read or made again."""
        ...


class KeyStore(Protocol):
    """The keys that the operator created."""

    async def owner(self, key: str) -> str | None:
        """Return who a key belongs to; None if it is not one of ours, or was revoked."""
        ...


class Access(Protocol):
    """The access check."""

    async def owner(self, keys: Sequence[str]) -> str:
        """Return who a request with these keys belongs to. The first one that is ours counts.

        Raises:
            WrongKey: no key, or none of ours.
        """
        ...


class KeyNames(Protocol):
    """What keys are called in the configuration."""

    async def name_of(self, owner: str) -> str | None:
        """Return the name of an owner's key; None for one that the configuration does not name."""
        ...
