"""Where a key stands in a request, and what becomes of one that is refused."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from urllib.parse import urlencode

import structlog

from adapter.errors import UpstreamCredential, UpstreamLocation
from adapter.providers.keys import Key
from adapter.providers.renewal import renewed

log = structlog.get_logger()

_T = TypeVar("_T")


def keyed(url: str, auth: str, key: str) -> tuple[str, Mapping[str, str]]:
    """Return the URL and the headers of a request for JSON; the key is in the URL only where the operator asked for it.

    `auth` is `header` (x-goog-api-key), `query` (?key=) or `bearer`.
    """
    json = {"content-type": "application/json"}
    match auth:
        case "query":
            return f"{url}?{urlencode({'key': key})}", json
        case "bearer":
            return url, {**json, "authorization": f"Bearer {key}"}
        case _:
            return url, {**json, "x-goog-api-key": key}


async def with_key(provider: str, key: Key, send: Callable[[str], Awaitable[_T]]) -> _T:
    """Send something with a key. A key that was refused is read anew, once. `provider` is a word for the log.

    Raises:
        UpstreamCredential: it was refused again, or a new one would be refused too.
    """
    secret = await key.secret.read()
    try:
        return await send(secret)
    except UpstreamLocation:
        log.error("upstream.location_refused", provider=provider, account=key.name)  # noqa: TRY400 - a fact
        raise
    except UpstreamCredential as fault:
        if fault.is_known:
            log.error("upstream.credential_denied", provider=provider, reason=fault.reason)  # noqa: TRY400 - a fact
            raise
        another = await renewed(key.secret, secret)
        if another == secret:
            log.error("upstream.credential_refused", provider=provider, account=key.name)  # noqa: TRY400 - as above
            raise
    return await send(another)
