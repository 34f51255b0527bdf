"""From exceptions of the network to ours: what provably sent nothing, and what broke."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from adapter.errors import UnreachableCause
from adapter.providers.connection import LostError
from adapter.providers.framing import FramingError
from adapter.providers.proxy import ProxyError
from adapter.providers.reply import broken, unreachable

#: Exceptions of opening a connection. RuntimeError: uvloop, of a socket that was closed meanwhile. UnicodeError: a host
#: name that IDNA does not know.
CONNECT: Final = (OSError, RuntimeError, UnicodeError, ProxyError)


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
        case ProxyError():
            return error.cause
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
