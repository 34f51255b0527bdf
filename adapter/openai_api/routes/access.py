"""Who asks: the guard of everything below `/v1`."""

import hashlib
import hmac
from collections.abc import Sequence

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from adapter.domain.ports import Secret
from adapter.errors import WrongKey

ANONYMOUS = "anonymous"


class Keyring:
    """The adapter's own keys, as a Litestar guard."""

    def __init__(self, keys: Sequence[Secret], *, anonymous: bool) -> None:
        self._keys = keys
        self._anonymous = anonymous

    async def owner(self, authorization: str | None) -> str:
        """Return who a request belongs to: the digest of its key.

        Every key is compared, in constant time, so the time tells neither how many there are nor how near one came.

        Raises:
            WrongKey: no key, or none of ours.
        """
        kind, _, offered = (authorization or "").partition(" ")
        digest = hashlib.sha256(offered.strip().encode()).digest()
        known = [
            hmac.compare_digest(digest, hashlib.sha256((await key.read()).encode()).digest()) for key in self._keys
        ]
        if kind.lower() == "bearer" and any(known):
            return digest.hex()
        if self._anonymous:
            return ANONYMOUS
        if not authorization:
            raise WrongKey("You didn't provide an API key. Send it as 'Authorization: Bearer YOUR_KEY'.")
        raise WrongKey("Incorrect API key provided.")

    async def __call__(
        self, connection: ASGIConnection[BaseRouteHandler, object, object, State], _: BaseRouteHandler
    ) -> None:
        """Let a request in, or raise; the handler finds the owner in `request.auth`."""
        connection.scope["auth"] = await self.owner(connection.headers.get("authorization"))
