"""A proxy on the way to Google: how it is written in the configuration, and what is said to it. Pure.

`dialer.py` connects. Sources: RFC 9110 section 9.3.6 (CONNECT), RFC 1928 (SOCKS5), RFC 1929 (its user and password).
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final, Literal, cast
from urllib.parse import unquote, urlsplit

import msgspec

from adapter.errors import UnreachableCause
from adapter.providers.framing import FramingError, read_head

Scheme = Literal["http", "https", "socks5", "socks5h"]
#: The schemes with the ports that belong to them.
PORTS: Final[Mapping[str, int]] = {"http": 8080, "https": 443, "socks5": 1080, "socks5h": 1080}
#: What a proxy's host may consist of.
_HOST: Final = re.compile(r"[0-9A-Za-z._:-]+")
#: SOCKS5: the version, its ways to show who asks, and its kinds of addresses.
_VERSION: Final = 5
_OPEN, _PASSWORD = 0, 2
_IPV4, _NAME, _IPV6 = 1, 3, 4
#: Bytes of a user, of a password, and of a name.
_LONGEST: Final = 255


class ProxyError(Exception):
    """There is no way by the proxy. `said` is the number that it answered with."""

    def __init__(self, cause: UnreachableCause, said: int | None = None) -> None:
        """Take the word for the log, and the number."""
        super().__init__(cause)
        self.cause = cause
        self.said = said


class Proxy(msgspec.Struct, frozen=True):
    """The address of a proxy."""

    scheme: Scheme
    host: str
    port: int

    @property
    def address(self) -> str:
        """Host and port, for the log."""
        return authority(self.host, self.port)

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS5."""
        return self.scheme in {"socks5", "socks5h"}

    @property
    def looks_up(self) -> bool:
        """Whether the proxy finds the addresses of hosts. With `socks5` they are found here."""
        return self.scheme != "socks5"


def read_proxy(text: str) -> Proxy:
    """Take the address of a proxy apart.

    Raises:
        ValueError: it is none. The message names no part of it.
    """
    proxy, user = read_proxy_with_user(text)
    if user:
        raise ValueError("user and password do not belong into `proxy`. Give `proxy_auth` a reference to them")
    return proxy


def read_proxy_with_user(text: str) -> tuple[Proxy, str]:
    """Take the address of a proxy apart: the proxy, and `user:password` if it has that.

    Raises:
        ValueError: as `read_proxy`.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError("the address of the proxy cannot be read") from error
    if parts.scheme not in PORTS:
        raise ValueError(f"a proxy begins with one of {', '.join(f'{each}://' for each in PORTS)}")
    if not _HOST.fullmatch(host) or parts.path.strip("/") or parts.query or parts.fragment or port == 0:
        raise ValueError("a proxy is SCHEME://HOST:PORT, such as http://proxy.example:3128")
    user = "" if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(cast("Scheme", parts.scheme), host, port or PORTS[parts.scheme]), user


def authority(host: str, port: int) -> str:
    """Return host and port as HTTP writes them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def connect_request(host: str, port: int, user: str) -> bytes:
    """Return the request for a tunnel to a host. `user` is `user:password`, or empty."""
    lines = [f"CONNECT {authority(host, port)} HTTP/1.1", f"host: {authority(host, port)}", "user-agent: adapter"]
    if user:
        lines.append(f"proxy-authorization: Basic {b64encode(user.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode()


def check_connect_answer(head: bytes) -> None:
    """Look at the head of the answer to `connect_request`.

    Raises:
        ProxyError: there is no tunnel.
    """
    try:
        found = read_head(head)
    except FramingError as error:
        raise ProxyError("proxy_odd") from error
    if found is None:
        raise ProxyError("proxy_odd")
    if found.status == 407:
        raise ProxyError("proxy_auth", 407)
    if not 200 <= found.status < 300:
        raise ProxyError("proxy_denied", found.status)


def socks_greeting(user: str) -> bytes:
    """Return the first bytes for SOCKS5: the ways to show who asks."""
    ways = bytes([_OPEN, _PASSWORD]) if user else bytes([_OPEN])
    return bytes([_VERSION, len(ways)]) + ways


def wants_password(answer: bytes, user: str) -> bool:
    """Read the answer to the greeting: whether `socks_password` has to follow.

    Raises:
        ProxyError: it is no SOCKS5, or takes none of the ways.
    """
    version, way = answer
    if version != _VERSION:
        raise ProxyError("proxy_odd")
    if way == _PASSWORD and user:
        return True
    if way != _OPEN:
        raise ProxyError("proxy_auth", way)
    return False


def socks_password(user: str) -> bytes:
    """Return user and password for SOCKS5.

    Raises:
        ProxyError: they are too long.
    """
    name, _, password = user.encode().partition(b":")
    if not name or max(len(name), len(password)) > _LONGEST:
        raise ProxyError("proxy_auth")
    return bytes([1, len(name)]) + name + bytes([len(password)]) + password


def check_password_answer(answer: bytes) -> None:
    """Look at the answer to `socks_password`.

    Raises:
        ProxyError: they are refused.
    """
    if answer[1] != 0:
        raise ProxyError("proxy_auth", answer[1])


def socks_request(host: str, port: int) -> bytes:
    """Return the request for a connection to a host, by its name or by its IP address.

    Raises:
        ProxyError: the name is too long.
    """
    try:
        address = ip_address(host)
    except ValueError:
        name = host.encode("idna")
        if len(name) > _LONGEST:
            raise ProxyError("address") from None
        target = bytes([_NAME, len(name)]) + name
    else:
        target = bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed
    return bytes([_VERSION, 1, 0]) + target + port.to_bytes(2, "big")


def socks_rest(answer: bytes) -> int:
    """Read the first five bytes of the answer to `socks_request`; return how many follow.

    Raises:
        ProxyError: there is no connection.
    """
    version, said, _, kind, first = answer
    if version != _VERSION:
        raise ProxyError("proxy_odd")
    if said:
        raise ProxyError("proxy_denied", said)
    lengths = {_IPV4: 4, _IPV6: 16, _NAME: first + 1}
    if kind not in lengths:
        raise ProxyError("proxy_odd")
    # One byte of the address is among the five, and the port follows.
    return lengths[kind] - 1 + 2
