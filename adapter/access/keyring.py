"""Whose request it is."""

import hmac
from collections.abc import Sequence

from adapter.access.keys import digest
from adapter.domain.ports import KeyStore, Secret
from adapter.errors import WrongKey

ANONYMOUS = "anonymous"


class Keyring:
    """All keys that open the door (the port `Access`)."""

    def __init__(self, fixed: Sequence[Secret], made: KeyStore, *, anonymous: bool) -> None:
        self._fixed = fixed
        self._made = made
        self._anonymous = anonymous

    async def owner(self, authorization: str | None) -> str:
        """Return who a request belongs to (the port of that name).

        Every fixed key is compared, in constant time, so the time tells neither how many there are nor how near one
        came.
        """
        kind, _, key = (authorization or "").partition(" ")
        offered = digest(key.strip())
        matches = [hmac.compare_digest(offered, digest(await fixed.read())) for fixed in self._fixed]
        if kind.lower() == "bearer":
            if any(matches):
                return offered
            if (owner := await self._made.owner(key.strip())) is not None:
                return owner
        if self._anonymous:
            return ANONYMOUS
        if not authorization:
            raise WrongKey("You didn't provide an API key. Send it as 'Authorization: Bearer YOUR_KEY'.")
        raise WrongKey("Incorrect API key provided.")
