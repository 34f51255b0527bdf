"""Keys of administrators: they open what is about the whole server."""

import hmac
from collections.abc import Sequence

import structlog

from adapter.access.keys import digest
from adapter.domain.ports import Secret
from adapter.errors import SecretUnreadable

log = structlog.get_logger()


class Admins:
    """The keys of `access.admin_keys` (the port `AdminAccess`)."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = secrets

    async def has(self, keys: Sequence[str]) -> bool:
        """Say whether one of these keys is an administrator's (the port of that name).

        All are compared, each in constant time, as `Keyring` does.
        """
        expected = [shown for each in self._secrets if (shown := await _digest(each)) is not None]
        matches = [hmac.compare_digest(digest(key), shown) for key in keys for shown in expected]
        return any(matches)


async def _digest(secret: Secret) -> str | None:
    """Return the digest of a key. One whose file cannot be read matches nothing."""
    try:
        return digest(await secret.read())
    except SecretUnreadable:
        log.error("access.key_unreadable")  # noqa: TRY400 - the credential's own line says more
        return None
