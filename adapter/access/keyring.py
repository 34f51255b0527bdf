"""The access check: whose request it is."""

import hmac
from collections.abc import Sequence

import msgspec
import structlog

from adapter.access.keys import digest
from adapter.domain.ports import KeyStore, Secret
from adapter.domain.principal import Principal
from adapter.errors import SecretUnreadable, WrongKey

log = structlog.get_logger()

ANONYMOUS = Principal(owner="anonymous")


class ConfiguredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of `access.keys`."""

    secret: Secret
    #: How settings and statistics name it; it is no secret.
    id: str
    #: Its owner of `access.owners`; None: the digest of the key is the owner.
    owner: str | None = None


class Keyring:
    """All valid keys (the port `Access`)."""

    def __init__(self, configured: Sequence[ConfiguredKey], made: KeyStore, *, anonymous: bool) -> None:
        self._configured = configured
        self._made = made
        self._anonymous = anonymous

    async def principal(self, keys: Sequence[str]) -> Principal:
        """Return who sends a request (the port of that name)."""
        for key in keys:
            if (found := await self._find(key)) is not None:
                return found
        if self._anonymous:
            return ANONYMOUS
        if not keys:
            raise WrongKey(
                "You didn't provide an API key. Send it as 'Authorization: Bearer YOUR_KEY', or as 'api-key: YOUR_KEY'."
            )
        raise WrongKey("Incorrect API key provided.")

    async def _find(self, key: str) -> Principal | None:
        """Return the principal of one key.

        Every configured key is compared, in constant time. So the time tells neither how many there are nor how similar
        one is.
        """
        matches = [each for each in self._configured if await self._is(each.secret, key)]
        if not matches:
            return await self._made.principal(key)
        return Principal(owner=matches[0].owner or digest(key), key=matches[0].id)

    async def _is(self, secret: Secret, key: str) -> bool:
        """Compare with one configured key. One whose file cannot be read matches nothing."""
        try:
            expected = await secret.read()
        except SecretUnreadable:
            log.error("access.key_unreadable")  # noqa: TRY400 - the credential's own line says more
            return False
        return hmac.compare_digest(digest(key), digest(expected))
