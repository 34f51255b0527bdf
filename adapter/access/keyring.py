"""Whose request it is."""

import hmac
from collections.abc import Sequence

import structlog

from adapter.access.keys import digest
from adapter.domain.ports import KeyStore, Secret
from adapter.errors import SecretUnreadable, WrongKey

log = structlog.get_logger()

ANONYMOUS = "anonymous"


class Keyring:
    """All valid keys (the port `Access`)."""

    def __init__(self, fixed: Sequence[Secret], made: KeyStore, *, anonymous: bool) -> None:
        self._fixed = fixed
        self._made = made
        self._anonymous = anonymous

    async def owner(self, keys: Sequence[str]) -> str:
        """Return who a request belongs to (the port of that name)."""
        for key in keys:
            if (owner := await self._owner(key)) is not None:
                return owner
        if self._anonymous:
            return ANONYMOUS
        if not keys:
            raise WrongKey(
                "You didn't provide an API key. Send it as 'Authorization: Bearer YOUR_KEY', or as 'api-key: YOUR_KEY'."
            )
        raise WrongKey("Incorrect API key provided.")

    async def _owner(self, key: str) -> str | None:
        """Return the owner of one key.

        Every fixed key is compared, in constant time, so the time tells neither how many there are nor how near one
        came.
        """
        matches = [await self._opens(fixed, key) for fixed in self._fixed]
        return digest(key) if any(matches) else await self._made.owner(key)

    async def _opens(self, fixed: Secret, key: str) -> bool:
        """Compare with one key of the configuration; one whose file cannot be read opens nothing."""
        try:
            expected = await fixed.read()
        except SecretUnreadable:
            log.error("access.key_unreadable")  # noqa: TRY400 - the credential's own line says more
            return False
        return hmac.compare_digest(digest(key), digest(expected))
