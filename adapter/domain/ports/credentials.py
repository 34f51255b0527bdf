"""The operator's credentials: how they stand, and which ones take no new work."""

from collections.abc import Collection, Sequence
from typing import Protocol

from adapter.domain.credentials import CredentialName, CredentialState


class Credentials(Protocol):
    """The credentials of one provider."""

    def states(self) -> Sequence[CredentialState]:
        """Return how each stands in this process."""
        ...

    def disable(self, names: Collection[CredentialName]) -> None:
        """Give these no new work, and all others as the configuration says. Names of other providers may be there."""
        ...


class CredentialStore(Protocol):
    """What processes tell each other of credentials."""

    async def disabled(self) -> Collection[CredentialName]:
        """Return the credentials that the operator disabled.

        Raises:
            StorageFailed: the database cannot be read.
        """
        ...

    async def publish(self, process: str, states: Sequence[CredentialState], *, now: float) -> None:
        """Replace what a process told before. What was told long ago is forgotten.

        Raises:
            StorageFailed: the database takes nothing.
        """
        ...

    async def withdraw(self, process: str) -> None:
        """Forget what a process told.

        Raises:
            StorageFailed: the database takes nothing.
        """
        ...
