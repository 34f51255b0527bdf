"""The network of the client."""

import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from aiohappyeyeballs import AddrInfoType

from adapter.domain.ports import Secret
from adapter.network.lookup import Resolver, resolve
from adapter.providers.origin import OwnOrigin
from adapter.providers.proxy import Proxy

#: Of every request. `identity`: unpacking gzip costs 6 ms a picture and saves a quarter of the bytes (measured in
#: `dependencies.md` section 2.1).
HEADERS = {"accept-encoding": "identity", "user-agent": "adapter"}


class OpenSecret:
    """A value that is no secret, or one of the environment (the port `Secret`)."""

    def __init__(self, value: str) -> None:
        self._value = value

    async def read(self) -> str:
        """Return it."""
        return self._value

    async def renew(self) -> str:
        """Return it: it cannot be renewed."""
        return self._value


class Route(msgspec.Struct, frozen=True):
    """A proxy, and the secret `user:password` that it wants; None: it wants none."""

    proxy: Proxy
    user: Secret | None = None


class Routes(Protocol):
    """Says by which proxy a host is reached."""

    def __call__(self, host: str, port: int, *, is_tls: bool) -> Route | None:
        """Return the way to a host; None: without a proxy."""
        ...


def direct(host: str, port: int, *, is_tls: bool) -> Route | None:  # noqa: ARG001 - the same for all
    """Reach every host without a proxy."""
    return None


class RelayHeaders(msgspec.Struct, frozen=True):
    """Headers that one origin gets beside those of a request, and no other one."""

    base_url: str
    secrets: Mapping[str, Secret]

    async def at(self, url: str) -> Mapping[str, str]:
        """Return the headers of a request to an address."""
        if not OwnOrigin(self.base_url).has_address(url):
            return {}
        return {name: await value.read() for name, value in self.secrets.items()}


class HttpNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """The network of the client."""

    #: The certificates that are trusted; None: those of the system.
    trust: ssl.SSLContext | None = None
    #: Finds the addresses of a host that a link names.
    resolver: Resolver = resolve
    #: Opens the socket for a connection to a link's host; None: as the system does.
    open_socket: Callable[[AddrInfoType], socket.socket] | None = None
    #: By which proxy a host is reached.
    route: Routes = direct
    #: Headers for a relay; None: none.
    headers: RelayHeaders | None = None
    #: Of the line that says why there is no connection.
    log_level: int = logging.WARNING
