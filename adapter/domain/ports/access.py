"""Access: keys of clients, and credentials for others."""

from collections.abc import Sequence
from typing import Protocol

from adapter.domain.principal import Principal


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

    async def principal(self, key: str) -> Principal | None:
        """Return who a key belongs to; None if it is not one of ours, or was revoked."""
        ...


class Access(Protocol):
    """The access check."""

    async def principal(self, keys: Sequence[str]) -> Principal:
        """Return who sends a request with these keys. The first one that is ours counts.

        Raises:
            WrongKey: no key, or none of ours.
        """
        ...
