"""From exceptions of aiohttp to ours: what provably sent nothing, what was silent, what broke."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp

from adapter.errors import UnreachableCause, UpstreamFault
from adapter.providers.reply import broken, silent, unreachable

#: Exceptions of a connection that never stood, and of what is no address: provably nothing was sent.
UNREACHABLE: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)
#: What else may come. ValueError: a host name that IDNA does not know, or a header that cannot be sent.
BROKEN: Final = (aiohttp.ClientError, ValueError)


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn aiohttp's exceptions into ours. Messages are our own: aiohttp puts URLs into its.

    Raises:
        UpstreamUnreachable: provably nothing was sent; `cause` is a word for the log.
        UpstreamSilent: no answer in time.
        UpstreamBroken: anything else; the request may have been executed.
    """
    try:
        yield
    except BROKEN as error:
        raise _fault(error) from error


def _fault(error: aiohttp.ClientError | ValueError) -> UpstreamFault:
    if isinstance(error, UNREACHABLE):
        return unreachable(_cause(error))
    return silent() if isinstance(error, aiohttp.ServerTimeoutError) else broken()


def _cause(error: aiohttp.ClientError) -> UnreachableCause:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "dns"
        case aiohttp.ClientSSLError():
            return "tls"
        case aiohttp.ConnectionTimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return "refused"
        case aiohttp.ClientConnectorError():
            return "network"
        case _:
            return "address"
