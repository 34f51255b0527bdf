"""The limits and the network of the client."""

import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from adapter.network.lookup import Resolver, resolve

if TYPE_CHECKING:  # it is loaded with the first download
    import aiohttp

#: Of every request. `identity`: unpacking gzip costs 6 ms a picture and saves a quarter of the bytes (measured in
#: `dependencies.md` section 2.1).
HEADERS = {"accept-encoding": "identity", "user-agent": "adapter"}


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a request may take."""

    #: Seconds until a connection stands, with its look-up and TLS.
    connect: float = 10.0
    #: For which an idle connection is kept. Servers close theirs too, and a request that meets that is lost. uvicorn
    #: and Node do so after 5 s, Google's own servers after minutes.
    idle: float = 4.0
    #: Seconds of a whole download, and between two pieces of it.
    download: float = 900.0
    silence: float = 60.0
    #: Bytes of an answer. It is all in memory; ten 4K pictures of Flow in one are about 150 MB of base64.
    answer_bytes: int = 256 * 1024 * 1024


class HttpNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """The network of the client."""

    #: The certificates that are trusted; None: those of the system.
    trust: ssl.SSLContext | None = None
    #: Finds the addresses of a host that a link names.
    resolver: Resolver = resolve
    #: Opens the socket for a connection to a link's host; None: as the system does.
    open_socket: "Callable[[aiohttp.AddrInfoType], socket.socket] | None" = None
