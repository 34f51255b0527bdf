"""The one table from exceptions of the network to ours: what provably sent nothing, what was silent, what broke.

Requests have a client of our own (`http.py`), downloads have aiohttp's (`download.py`).
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp

from adapter.errors import UnreachableCause, UpstreamFault
from adapter.providers.connection import LostError
from adapter.providers.framing import FramingError
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
#: Exceptions of opening a connection. RuntimeError: uvloop, of a socket that was closed meanwhile. UnicodeError: a host
#: name that IDNA does not know.
CONNECT: Final = (OSError, RuntimeError, UnicodeError)


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


@contextmanager
def connect_errors() -> Iterator[None]:
    """Turn the exceptions of a connection that never stood into ours.

    Raises:
        UpstreamUnreachable: provably nothing was sent; `cause` is a word for the log.
    """
    try:
        yield
    except CONNECT as error:
        raise unreachable(_connect_cause(error)) from error


class AnswerErrors:
    """Turns the exceptions of a connection that stood into `UpstreamBroken`: the request may have been executed."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise ours in the place of theirs."""
        if isinstance(error, LostError | FramingError):
            raise broken() from error


def _connect_cause(error: Exception) -> UnreachableCause:
    match error:
        case TimeoutError():
            return "timeout"
        case ssl.SSLError() | ssl.CertificateError():
            return "tls"
        case socket.gaierror():
            return "dns"
        case ConnectionRefusedError():
            return "refused"
        case UnicodeError():
            return "address"
        case _:
            return "network"
