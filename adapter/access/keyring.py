"""The access check: whose request it is."""

import hmac
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec
import structlog

from adapter.access.failed_keys import FailedKeys, ValidDigests
from adapter.access.keys import digest
from adapter.domain.allowance import UNLIMITED, Allowance, written_time
from adapter.domain.ports import KeyStore, Secret
from adapter.domain.principal import Principal
from adapter.errors import ExpiredKey, MissingKey, RateLimited, SecretUnreadable, WrongKey

log = structlog.get_logger()

ANONYMOUS = Principal(owner="anonymous")


#: The digests of configured keys, which are compared with each request.
_expected_digest = lru_cache(maxsize=256)(digest)


class ConfiguredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of `access.keys`."""

    secret: Secret
    #: How settings and statistics name it; it is no secret.
    id: str
    #: Its owner of `access.owners`; None: the digest of the key is the owner.
    owner: str | None = None
    allowance: Allowance = UNLIMITED


class Keyring:
    """All valid keys (the port `Access`)."""

    def __init__(
        self,
        configured: Sequence[ConfiguredKey],
        made: KeyStore,
        *,
        anonymous: bool,
        clock: Callable[[], float] = time.time,
        failed_per_minute: int = 0,
    ) -> None:
        """Take the keys, and how many failures an address may have in a minute; 0 is no limit."""
        self._configured = configured
        self._made = made
        self._anonymous = anonymous
        self._clock = clock
        self._failed = FailedKeys(clock, per_minute=failed_per_minute)
        self._valid = ValidDigests(made, clock)

    async def principal(self, keys: Sequence[str], address: str | None = None) -> Principal:
        """Return who sends a request (the port of that name)."""
        wait_seconds = self._failed.wait_seconds(address)
        for key in keys:
            if (found := await self._find(key, is_limited=wait_seconds > 0)) is not None:
                return self._unexpired(found)
        if keys:
            self._failed.count(address)
        if self._anonymous:
            return ANONYMOUS
        if keys and wait_seconds:
            raise RateLimited("Too many incorrect API keys came from this address.", retry_after=wait_seconds)
        if not keys:
            raise MissingKey(
                "You didn't provide an API key. Send it as 'Authorization: Bearer YOUR_KEY', or as 'api-key: YOUR_KEY'."
            )
        raise WrongKey("Incorrect API key provided.")

    def _unexpired(self, found: Principal) -> Principal:
        end = found.allowance.expires_at
        if end is not None and self._clock() >= end:
            raise ExpiredKey(
                f"This API key expired at {written_time(end)}. Ask the operator of this server for another."
            )
        return found

    async def _find(self, key: str, *, is_limited: bool) -> Principal | None:
        """Return the principal of one key.

        Every configured key is compared, in constant time. So the time tells neither how many there are nor how similar
        one is.
        """
        shown = digest(key)
        matches = [each for each in self._configured if await self._is(each.secret, shown)]
        if not matches:
            return await self._look_up(key, is_limited=is_limited)
        match = matches[0]
        return Principal(owner=match.owner or shown, key=match.id, allowance=match.allowance)

    async def _look_up(self, key: str, *, is_limited: bool) -> Principal | None:
        """Look a key up in the database, unless it is known to be wrong.

        Those of an address that has used up its failures are compared with all valid ones in memory first. So others
        behind the same address cost nothing more, and lock out none that is valid.
        """
        shown = digest(key)
        if self._failed.is_wrong(shown) or (is_limited and not await self._valid.has(shown)):
            return None
        if (found := await self._made.principal(key)) is None:
            self._failed.add_wrong(shown)
        return found

    async def _is(self, secret: Secret, shown: str) -> bool:
        """Compare a digest with one configured key. One whose file cannot be read matches nothing."""
        try:
            expected = await secret.read()
        except SecretUnreadable:
            log.error("access.key_unreadable")  # noqa: TRY400 - the credential's own line says more
            return False
        return hmac.compare_digest(shown, _expected_digest(expected))
