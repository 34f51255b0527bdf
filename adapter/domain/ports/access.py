"""Access: keys of clients, and credentials for others."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from adapter.domain.principal import Principal


class Secret(Protocol):
    """A credential that its owner may change while we run."""

    async def read(self) -> str:
        """Return it."""
        ...

    async def renew(self) -> str:
        """Return it after it was refused: read or made again."""
        ...


@runtime_checkable
class CloudSecret(Secret, Protocol):
    """A credential of Google Cloud that may name the project for which calls are counted."""

    @property
    def quota_project(self) -> str:
        """That project. Empty: the credential's own, or it is not known before the first `read`."""
        ...


class TokenReply(NamedTuple):
    """What a token service answers."""

    status: int
    body: bytes


class TokenRequests(Protocol):
    """Asks token services on the way of a provider. It blocks."""

    @property
    def seconds(self) -> float:
        """For how long an answer is waited for, the connection included."""
        ...

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes) -> TokenReply:
        """Send GET or POST to an address, and wait for the answer.

        Raises:
            AdapterError: there is none.
        """
        ...


class KeyStore(Protocol):
    """The keys that the operator created."""

    async def principal(self, key: str) -> Principal | None:
        """Return who a key belongs to; None if it is not one of ours, or was revoked."""
        ...

    async def digests(self) -> Collection[str]:
        """Return the digests of all keys that are valid, or were before a rotation. Each still has to be looked up."""
        ...


class Access(Protocol):
    """The access check."""

    async def principal(self, keys: Sequence[str], address: str | None = None) -> Principal:
        """Return who sends a request with these keys. The first one that is ours counts.

        `address` is the client's. None: it is not known, so failures are not counted.

        Raises:
            WrongKey: no key, or none of ours.
            ExpiredKey: its last day is over.
            RateLimited: none of ours, and too many wrong ones came from this address.
        """
        ...


class AdminAccess(Protocol):
    """The access check of what is about the whole server."""

    async def has(self, keys: Sequence[str]) -> bool:
        """Say whether one of these keys is an administrator's."""
        ...
